"""Indicators 指标 as data: what is counted, of what, by which law or plan, with which target.

Read from ``firmware_configs/indicators/*.toml``. A definition names its numerator and its
denominator as sets of records; what those sets hold is written in `RECORD_SETS`, and how they are
found is the ledger's. A changed definition is a new entry with the same id and days of its own: a
number of an old month is told by the definition of its day.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contracts.effect import in_effect, overlap
from contracts.indicator_sets import RECORD_SETS
from contracts.settings import SettingsError, load_settings

FOLDER = Path(__file__).parent.parent / "firmware_configs" / "indicators"
Kind = Literal["share", "count", "median", "per_thousand_year"]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Words = Annotated[str, Meta(min_length=1, max_length=1000)]
Mark = Literal["V", "S", "U"]
Kept = Literal["pass", "suspect", "positive"]
BATCHES = ("batches", "positive_batches")
MUST_KEEP: tuple[Kept, ...] = ("suspect", "positive")
"""What a definition of batches must keep: else a finding would be hidden by voiding its sample."""


class Indicator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An indicator's definition over its days of effect."""

    id: Annotated[Name, Meta(description="Stands in the books for ever.")]
    title_zh: Annotated[Words, Meta(description="Its name in Chinese.")]
    title_en: Annotated[Words, Meta(description="Its name in English.")]
    formula_zh: Annotated[Words, Meta(description="The formula in words, in Chinese.")]
    formula_en: Annotated[Words, Meta(description="The formula in words, in English.")]
    kind: Annotated[
        Kind,
        Meta(
            description="`share`: numerator of denominator; `count`: how many; `median`: the "
            "middle of durations; `per_thousand_year`: since 1 January, per thousand people."
        ),
    ]
    denominator: Annotated[Name, Meta(description="Set of records that is counted.")]
    source: Annotated[Words, Meta(description="Law, plan or text that asks for it.")]
    mark: Annotated[Mark, Meta(description="V read in a primary text, S secondary, U unverified.")]
    numerator: Annotated[str, Meta(description="Of a share: the part of the denominator.")] = ""
    unit: Annotated[
        str, Meta(max_length=16, description="Unit of the value: `%`, `1`, `s`, `‰`.")
    ] = "1"
    better: Annotated[
        Literal["higher", "lower"], Meta(description="What the league table puts first.")
    ] = "higher"
    target: Annotated[
        float | None, Meta(description="What is asked for, in the unit; none: it is only told.")
    ] = None
    target_source: Annotated[str, Meta(description="Where the target stands, if elsewhere.")] = ""
    target_mark: Annotated[Mark | None, Meta(description="How well that is known.")] = None
    effective_from: Annotated[date | None, Meta(description="First day that it holds.")] = None
    effective_until: Annotated[date | None, Meta(description="Last day that it holds.")] = None
    states: Annotated[
        tuple[str, ...], Meta(description="States of a case in which it counts as done.")
    ] = ()
    outcomes: Annotated[tuple[str, ...], Meta(description="Outcomes that must be published.")] = ()
    within_h: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Hours after the test in which an upload counts."),
    ] = None
    voided_keep: Annotated[
        tuple[Kept, ...],
        Meta(
            description="Verdicts with which a batch keeps counting although its sample was "
            "voided; without any of them nothing of a voided sample counts."
        ),
    ] = ()
    share: Annotated[
        Annotated[float, Meta(gt=0, le=1)] | None,
        Meta(description="Share of due minutes to be proven live."),
    ] = None
    meal_begin: Annotated[
        str, Meta(description="Begin of the meal that is owed on every school day: `HH:MM`.")
    ] = ""
    meal_end: Annotated[str, Meta(description="Its end.")] = ""
    workdays: Annotated[
        Annotated[int, Meta(ge=1, le=250)] | None,
        Meta(description="Working days until publication is due."),
    ] = None
    order: Annotated[int, Meta(ge=0, description="Place on the page.")] = 1000

    def met(self, value: float | None, share_of_year: float = 1.0) -> bool | None:
        """Whether a value reaches the target; None: there is no target, or no value.

        `share_of_year`: of a yearly figure, how much of the year is over.
        """
        if self.target is None or value is None:
            return None
        target = self.target * (share_of_year if self.kind == "per_thousand_year" else 1.0)
        return value >= target if self.better == "higher" else value <= target


class Population(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many people live in a region."""

    region: Annotated[str, Meta(description="Its code.")]
    people: Annotated[int, Meta(gt=0, description="Residents 常住人口.")]
    source: Annotated[Words, Meta(description="Where the number stands.")]
    mark: Annotated[Mark, Meta(description="How well that is known.")]
    effective_from: Annotated[date | None, Meta(description="First day that it holds.")] = None
    effective_until: Annotated[date | None, Meta(description="Last day that it holds.")] = None


class IndicatorFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of definitions, of populations, or of both."""

    indicator: Annotated[tuple[Indicator, ...], Meta(description="Definitions.")] = ()
    population: Annotated[tuple[Population, ...], Meta(description="Residents by region.")] = ()


class Indicators(msgspec.Struct, frozen=True):
    """What a folder says."""

    all: tuple[Indicator, ...]
    populations: tuple[Population, ...]

    def on(self, day: date) -> list[Indicator]:
        """The definitions of a day, in the order of the page."""
        return [one for one in self.all if in_effect(one, day)]

    def find(self, indicator_id: str, day: date) -> Indicator | None:
        """One of them."""
        return next((one for one in self.on(day) if one.id == indicator_id), None)


def read_indicators(folder: Path = FOLDER) -> Indicators:
    """The definitions of a folder (all its ``*.toml``) or of one file. Raises SettingsError."""
    files = sorted(folder.glob("*.toml")) if folder.is_dir() else [folder]
    if not files:
        raise SettingsError(f"{folder}: there is no file of indicators (*.toml)")
    read = {file: load_settings(file, IndicatorFile) for file in files}
    for file, content in read.items():
        for one in content.indicator:
            for key, fault in _faults(one):
                raise SettingsError(f"{file}: indicator.{one.id}.{key}: {fault}")
    definitions = [(file, one) for file, content in read.items() for one in content.indicator]
    _check_days([(file, f"indicator.{one.id}", one.id, one) for file, one in definitions])
    people = [(file, one) for file, content in read.items() for one in content.population]
    _check_days([(file, f"population.{one.region}", one.region, one) for file, one in people])
    ordered = sorted((one for _, one in definitions), key=lambda one: (one.order, one.id))
    return Indicators(tuple(ordered), tuple(one for _, one in people))


def _check_days(found: Sequence[tuple[Path, str, str, Indicator | Population]]) -> None:
    for place, (file, where, key, one) in enumerate(found):
        for _, _, other_key, other in found[:place]:
            if key == other_key and overlap(one, other):
                raise SettingsError(f"{file}: {where}: two hold on the same day")


def _faults(one: Indicator) -> Iterator[tuple[str, str]]:
    counted = RECORD_SETS.get(one.denominator)
    if counted is None:
        yield "denominator", f"{one.denominator!r} is no set of records"
    elif counted.of:
        yield "denominator", f"{one.denominator!r} is a part of {counted.of!r}"
    if one.kind == "share":
        part = RECORD_SETS.get(one.numerator)
        if part is None:
            yield "numerator", f"{one.numerator!r} is no set of records"
        elif part.of != one.denominator:
            yield "numerator", f"{one.numerator!r} is no part of {one.denominator!r}"
    elif one.numerator:
        yield "numerator", f"a {one.kind} has none"
    if one.kind == "per_thousand_year" and one.denominator != "supervision_samplings":
        # The law's 7 per thousand is of supervision samplings; a quick test never moves it.
        yield "denominator", "only supervision samplings are told per thousand people"
    if one.effective_from and one.effective_until and one.effective_until < one.effective_from:
        yield "effective_until", "lies before effective_from"
    if one.target is not None and not one.target_mark:
        yield "target_mark", "a target says how well its source is known"
    for key in _needed(one):
        yield key, f"is needed for {one.denominator}"
    if one.denominator in BATCHES and not set(MUST_KEEP) <= set(one.voided_keep):
        yield "voided_keep", f"a voided sample would hide a finding: needs {', '.join(MUST_KEEP)}"
    for key in ("meal_begin", "meal_end"):
        if getattr(one, key) and minute_of(getattr(one, key)) is None:
            yield key, f"{getattr(one, key)!r} is no time HH:MM"
    if one.meal_begin and one.meal_end and not _later(one.meal_begin, one.meal_end):
        yield "meal_end", "is not after meal_begin"


def _needed(one: Indicator) -> Iterable[str]:
    wanted: dict[str, tuple[str, ...]] = {
        "kitchens": ("share", "meal_begin", "meal_end"),
        "camera_minutes": ("meal_begin", "meal_end"),
        "batches": ("within_h",),
        "positive_batches": ("states",),
        "cases": ("states",),
        "publishable_cases": ("outcomes", "workdays"),
    }
    return [key for key in wanted.get(one.denominator, ()) if not getattr(one, key)]


def minute_of(text: str) -> int | None:
    """``HH:MM`` as minutes of the day; None if it is none."""
    hours, colon, minutes = text.partition(":")
    if not (colon and len(hours) == 2 and len(minutes) == 2 and (hours + minutes).isdigit()):
        return None
    total = int(hours) * 60 + int(minutes)
    return total if int(minutes) < 60 and total <= 24 * 60 else None


def _later(begin: str, end: str) -> bool:
    first, last = minute_of(begin), minute_of(end)
    return first is not None and last is not None and last > first
