"""Limits of storage temperatures and the like, with source, mark and effective dates (a CSV)."""

import csv
from collections.abc import Callable, Iterable
from datetime import date
from operator import ge, gt, le, lt
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.effect import in_effect, overlap
from contracts.settings import SettingsError
from contracts.units import UNITS, symbol

_INSIDE: dict[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_PRINTED = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}


class StorageLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a value must be: ``value comparator limit``; a row of the CSV."""

    id: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]
    comparator: Annotated[str, Meta(pattern="^[<>]=?$")]
    limit: float
    unit: str
    meaning_zh: str
    meaning_en: str
    source: Annotated[str, Meta(min_length=1)]
    mark: Annotated[str, Meta(pattern="^[VSU]$")]
    effective_from: date | None = None
    effective_until: date | None = None

    def allows(self, value: float) -> bool:
        """Whether the value is inside the limit."""
        return _INSIDE[self.comparator](value, self.limit)

    def allows_by(self, value: float, margin: float) -> bool:
        """Whether the value is inside the limit by at least `margin` (hysteresis)."""
        bound = self.limit - margin if self.comparator[0] == "<" else self.limit + margin
        return self.allows(value) and (
            value <= bound if self.comparator[0] == "<" else value >= bound
        )

    @property
    def text(self) -> str:
        """The limit in words, e.g. ``< 8 °C``."""
        return f"{_PRINTED[self.comparator]} {self.limit:g} {symbol(self.unit)}".rstrip()


class StorageLimits:
    """The limits by id; of several with one id, the one that was in force on the day."""

    def __init__(self, rows: Iterable[StorageLimit]) -> None:
        self._by_id: dict[str, list[StorageLimit]] = {}
        for row in rows:
            self._by_id.setdefault(row.id, []).append(row)

    @property
    def ids(self) -> set[str]:
        """Every id there is."""
        return set(self._by_id)

    def on(self, limit_id: str, day: date) -> StorageLimit | None:
        """The limit in force on that day, or None."""
        return next((row for row in self._by_id.get(limit_id, ()) if in_effect(row, day)), None)


def read_limits(path: Path) -> StorageLimits:
    """Read the CSV. Raises SettingsError that names file, line and column."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = enumerate(csv.DictReader(file), start=2)
            rows = [_row(line, f"{path}: line {number}") for number, line in lines]
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 at byte {error.start}") from None
    for index, row in enumerate(rows):
        for other in rows[:index]:
            if other.id == row.id and overlap(other, row):
                raise SettingsError(f"{path}: limit {row.id}: two rows hold at the same time")
    return StorageLimits(rows)


def _row(row: dict[str, str | None], where: str) -> StorageLimit:
    given = {key: value for key, value in row.items() if value}
    try:
        limit = msgspec.convert(given, StorageLimit, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where}: {error}") from None
    if limit.unit not in UNITS:
        raise SettingsError(f"{where}: unit {limit.unit!r} is not a known UCUM code")
    return limit
