"""Judges quick-test values by the rule pack `limits/quick_tests.csv`, not by the vendor's word.

Bounds are as the law words them: `positive_at` belongs to the positive side (50.00 is positive,
49.99 is not), `suspect_from` to the suspect side. Every row carries source, mark ([V] read in the
primary text, [S] secondary, [U] unverified) and the days on which it is in force.
"""

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from contracts.events import Value
from contracts.settings import SettingsError
from contracts.words import Verdict

FILE = "quick_tests.csv"


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the rule pack."""

    item_code: str
    name: str
    aliases: tuple[str, ...]
    method: str
    kind: Literal["high", "qualitative"]
    """``high``: a high value is bad; ``qualitative``: judged by the word alone."""
    suspect_from: float | None
    positive_at: float | None
    positive_above: float | None
    """Like `positive_at`, for limits worded "at most": the bound itself still passes."""
    possible_from: float | None
    """A value outside of the possible ones is invalid."""
    possible_to: float | None
    unit: str
    source: str
    mark: Literal["V", "S", "U"]
    effective_from: date
    effective_to: date | None

    @property
    def text(self) -> str:
        """What passes, as it travels with a result: ``< 50 %``; of words alone, the rule's name."""
        bound, sign = self.positive_at, "<"
        if bound is None:
            bound, sign = self.positive_above, "≤"
        if self.kind == "qualitative" or bound is None:
            return self.name
        return f"{sign} {bound:g} {self.unit}"

    def is_positive(self, number: float) -> bool:
        """Whether a number lies on the positive side."""
        if self.positive_at is not None:
            return number >= self.positive_at
        return self.positive_above is not None and number > self.positive_above


class Judgement(msgspec.Struct, frozen=True):
    """A verdict with what it rests on; empty where no rule judges the item."""

    verdict: Verdict
    item_code: str = ""
    limit_text: str = ""
    rule: str = ""


class Limits:
    """The rule pack in memory."""

    def __init__(self, rows: Iterable[Limit]) -> None:
        self._by_name: dict[str, list[Limit]] = {}
        for row in rows:
            for name in {row.item_code, row.name, *row.aliases}:
                self._by_name.setdefault(_key(name), []).append(row)

    @property
    def items(self) -> dict[str, str]:
        """Every item by our code, with its name."""
        return {row.item_code: row.name for rows in self._by_name.values() for row in rows}

    def find(self, item: str, item_code: str, day: date) -> Limit | None:
        """The row in force on `day` for an item by our code, else by the name as sent.

        A name made of components (LIS2: ``^^^name^``) is known by any of them.
        """
        names = [item_code] if item_code else [item, *filter(None, item.split("^"))]
        for name in names:
            for row in self._by_name.get(_key(name), ()):
                last = row.effective_to or date.max
                if row.effective_from <= day <= last:
                    return row
        return None

    def judge(self, item: str, item_code: str, value: Value, day: date) -> Judgement:
        """The verdict on a value measured on `day` (local date)."""
        row = self.find(item, item_code, day)
        if row is None:
            invalid = value.qualitative == "invalid"
            return Judgement(Verdict.INVALID if invalid else Verdict.NONE, item_code)
        verdict = _verdict(row, value)
        rule = f"{row.item_code} {row.effective_from.isoformat()} [{row.mark}] {row.source}"
        return Judgement(verdict, row.item_code, row.text, rule[:512])


def _key(name: str) -> str:
    return "".join(name.split()).casefold()


def _verdict(row: Limit, value: Value) -> Verdict:
    word = {
        "negative": Verdict.PASS,
        "positive": Verdict.POSITIVE,
        "invalid": Verdict.INVALID,
    }.get(value.qualitative)
    if word is not None:
        return word
    number = value.bound if value.comparator else value.number
    bound = row.positive_above if row.positive_at is None else row.positive_at
    if number is None:
        return Verdict.INVALID
    if row.kind == "qualitative" or bound is None:
        return Verdict.NONE
    if value.unit and row.unit and value.unit != row.unit:
        return Verdict.NONE  # another quantity: this limit says nothing about it
    if (row.possible_from is not None and number < row.possible_from) or (
        row.possible_to is not None and number > row.possible_to
    ):
        return Verdict.INVALID
    grey = bound if row.suspect_from is None else row.suspect_from
    if value.comparator == "<":  # the true value lies below the bound
        return Verdict.PASS if number <= grey else Verdict.SUSPECT
    if row.is_positive(number):
        return Verdict.POSITIVE
    if value.comparator == ">":  # it lies anywhere above: can't be called a pass
        return Verdict.SUSPECT
    if row.suspect_from is not None and number >= row.suspect_from:
        return Verdict.SUSPECT
    return Verdict.PASS


def load_limits(folder: Path) -> Limits:
    """Read `folder`/quick_tests.csv. Raises SettingsError that names file, line and column."""
    path = folder / FILE
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 at byte {error.start}") from None
    rows = []
    reader = csv.DictReader(text.splitlines(), restkey="")
    for table in reader:
        rows.append(_row(table, f"{path}: line {reader.line_num}"))
    return Limits(rows)


def _row(table: dict[str, str], where: str) -> Limit:
    cells: dict[str, object] = {}
    for name, cell in table.items():
        if name == "" or cell is None:
            raise SettingsError(f"{where}: number of cells does not fit the heading")
        cells[name] = cell if cell or name not in _OPTIONAL else None
    cells["aliases"] = [alias for alias in table.get("aliases", "").split("|") if alias]
    try:
        return msgspec.convert(cells, Limit, strict=False)
    except msgspec.ValidationError as error:
        message, _, key = str(error).partition(" - at `$")
        raise SettingsError(f"{where}: {key.strip('.`') or 'row'}: {message}") from None


_OPTIONAL = frozenset(
    (
        "suspect_from",
        "positive_at",
        "positive_above",
        "possible_from",
        "possible_to",
        "effective_to",
    )
)
