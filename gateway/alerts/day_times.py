"""When a rule counts: times of the day, days of the week, working days, school days. Pure.

All times are China's, which has one time zone. Named times of the day (`lunch`, `night`) and school
terms are data with source and mark, in ``firmware_configs/limits/``.
"""

import csv
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Protocol, TypeVar

import msgspec
from msgspec import Meta

from contracts.settings import SettingsError
from contracts.workdays import CHINA

LOCAL = CHINA
"""China has one time zone; a rule's day begins and ends in it."""
TimeOfDay = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
Minutes = tuple[int, int]
"""From and to, in minutes of the day; a span over midnight has its end before its beginning."""


class Workdays(Protocol):
    """What is asked of a working calendar."""

    def is_workday(self, day: date) -> bool:
        """Whether people work on that day."""


class MondayToFriday:
    """The working week where no calendar is at hand."""

    def is_workday(self, day: date) -> bool:
        """Whether the day is none of the weekend."""
        return day.weekday() < 5


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a rule counts; what is left out does not narrow it."""

    times: Annotated[
        tuple[str, ...],
        Meta(
            description="Local times of the day, `06:00-09:30` or `22:00-05:00`, or names from "
            "limits/day_times.csv (`lunch`, `night`)."
        ),
    ] = ()
    weekdays: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=7)], ...], Meta(description="1 is Monday, 7 Sunday.")
    ] = ()
    days: Annotated[
        Literal["any", "workday", "restday", "school", "no_school"],
        Meta(
            description="`workday` and `restday` by the State Council's calendar; `school`: "
            "working days within a term of limits/school_terms.csv, `no_school`: all others."
        ),
    ] = "any"


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A school term, first and last day; a row of the CSV."""

    id: str
    first: date
    last: date
    source: Annotated[str, Meta(min_length=1)]
    mark: Annotated[str, Meta(pattern="^[VSU]$")]


class DayTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named time of the day; a row of the CSV."""

    id: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]
    begin: TimeOfDay
    end: TimeOfDay
    source: Annotated[str, Meta(min_length=1)]
    mark: Annotated[str, Meta(pattern="^[VSU]$")]


class Timetable:
    """Says whether a schedule holds at a moment."""

    def __init__(
        self,
        named: Iterable[DayTime] = (),
        terms: Iterable[Term] = (),
        workdays: Workdays | None = None,
    ) -> None:
        self._named = {one.id: (minutes(one.begin), minutes(one.end)) for one in named}
        self._terms = tuple(terms)
        self._workdays = workdays or MondayToFriday()
        self._is_workday = lru_cache(maxsize=1024)(self._workday)

    def holds(self, schedule: Schedule, at: datetime) -> bool:
        """Whether it is one of the schedule's times. A night belongs to the day it begins on."""
        local = at.astimezone(LOCAL)
        minute = local.hour * 60 + local.minute
        if not schedule.times:
            return self._day(schedule, local.date())
        for begin, end in self.spans(schedule):
            if begin <= end:
                if begin <= minute < end and self._day(schedule, local.date()):
                    return True
            elif minute >= begin:
                if self._day(schedule, local.date()):
                    return True
            elif minute < end and self._day(schedule, local.date() - timedelta(days=1)):
                return True
        return False

    def spans(self, schedule: Schedule) -> list[Minutes]:
        """The schedule's times of the day. Raises ValueError for one that is none."""
        return [self._named.get(one) or _span(one) for one in schedule.times]

    def _day(self, schedule: Schedule, day: date) -> bool:
        if schedule.weekdays and day.isoweekday() not in schedule.weekdays:
            return False
        match schedule.days:
            case "any":
                return True
            case "workday":
                return self._is_workday(day)
            case "restday":
                return not self._is_workday(day)
            case "school":
                return self._school(day)
            case "no_school":
                return not self._school(day)

    def _workday(self, day: date) -> bool:
        """By the calendar; in a year of which it knows nothing, Monday to Friday."""
        try:
            return self._workdays.is_workday(day)
        except LookupError:
            return MondayToFriday().is_workday(day)

    def _school(self, day: date) -> bool:
        return self._is_workday(day) and any(one.first <= day <= one.last for one in self._terms)


def minutes(time: str) -> int:
    """Minutes of the day of ``HH:MM``. Raises ValueError."""
    hours, colon, rest = time.partition(":")
    if not colon or len(hours) != 2 or len(rest) != 2:
        raise ValueError(f"{time!r} is not HH:MM")
    told = int(hours) * 60 + int(rest)
    if not 0 <= told <= 1440 or int(rest) > 59:
        raise ValueError(f"{time!r} is no time of the day")
    return told


def _span(text: str) -> Minutes:
    begin, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is neither HH:MM-HH:MM nor the name of a time of the day")
    return minutes(begin), minutes(end)


def read_timetable(folder: Path, workdays: Workdays | None = None) -> Timetable:
    """Read `day_times.csv` and `school_terms.csv` of a folder. Raises SettingsError."""
    named = _read(folder / "day_times.csv", DayTime)
    return Timetable(named, _read(folder / "school_terms.csv", Term), workdays)


T = TypeVar("T", DayTime, Term)


def _read(path: Path, kind: type[T]) -> list[T]:
    """The rows of a CSV file; a file that is not there has none."""
    if not path.exists():
        return []
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                rows.append(msgspec.convert(row, kind, strict=False))
            except msgspec.ValidationError as error:
                raise SettingsError(f"{path}: line {number}: {error}") from None
    return rows
