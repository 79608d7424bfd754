"""The working calendar: the State Council's days off and make-up days, and time counted by them.

Days are those of China's standard time. Every Monday to Friday is a working day but the days off;
of other days only the make-up days 调休上班 are. What is off is announced each November for the
next year (``firmware_configs/calendars/cn_YYYY.toml``); for a year without a file nothing is
guessed. Days are counted as the law does (民法典 201): the day it begins on does not count.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from contracts.settings import SettingsError, load_settings

CHINA = timezone(timedelta(hours=8), "CST")
DAY = timedelta(days=1)
Days = TypeVar("Days", date, datetime)


class CalendarMissing(LookupError):
    """A year of which the days off are not known; the text says what to do."""


class Holiday(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days off in a row, and the days at weekends that are worked for them."""

    name_zh: str
    name_en: str
    first: date
    last: date
    makeup: tuple[date, ...] = ()


class Year(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A year's file."""

    year: Annotated[int, Meta(ge=1949, le=9999)]
    source: Annotated[str, Meta(min_length=1)]
    mark: Literal["V", "S", "U"]
    holiday: tuple[Holiday, ...]


Hours = Sequence[tuple[time, time]]
"""When work is done on a working day: spans in order, by China's time."""


class Calendar:
    """The working days of the years that are known."""

    def __init__(self, years: Sequence[Year], where: str = "firmware_configs/calendars") -> None:
        self._off: dict[date, Holiday] = {}
        self._makeup: set[date] = set()
        self.years: Mapping[int, Year] = {year.year: year for year in years}
        self._where = where
        for year in years:
            for holiday in year.holiday:
                self._off |= dict.fromkeys(_span(holiday), holiday)
                self._makeup.update(holiday.makeup)

    @classmethod
    def read(cls, path: Path) -> "Calendar":
        """Read a year's file, or all files ``cn_*.toml`` of a folder.

        Raises SettingsError that names file, holiday and day.
        """
        files = sorted(path.glob("cn_*.toml")) if path.is_dir() else [path]
        if not files:
            raise SettingsError(f"{path}: there is no file cn_YYYY.toml")
        years: dict[int, Year] = {}
        for file in files:
            year = load_settings(file, Year)
            _check(year, file)
            if year.year in years:
                raise SettingsError(f"{file}: {year.year} stands in another file, too")
            years[year.year] = year
        return cls(list(years.values()), str(path))

    def is_workday(self, day: date) -> bool:
        """Whether people work on that day. Raises CalendarMissing."""
        if day.year not in self.years:
            raise CalendarMissing(
                f"{self._where}: no working calendar for {day.year}; write the days off that the "
                f"State Council has announced into cn_{day.year}.toml there, like the other years"
            )
        return day in self._makeup or (day.weekday() < 5 and day not in self._off)

    def holiday(self, day: date) -> Holiday | None:
        """The holiday that a day belongs to. Raises CalendarMissing."""
        self.is_workday(day)
        return self._off.get(day)

    def add_workdays(self, start: Days, count: int) -> Days:
        """The `count`-th working day after `start` (0: `start` itself), at the same time of day.

        Raises CalendarMissing.
        """
        if count < 0:
            raise ValueError(f"{count} working days cannot be waited for")
        first = china_day(start)
        day = first
        for _ in range(count):
            day += DAY
            while not self.is_workday(day):
                day += DAY
        return start + (day - first)

    def workdays_between(self, after: date, until: date) -> int:
        """Working days after the day `after`, up to and with the day `until` (0 if none)."""
        days = (china_day(until) - china_day(after)).days
        return sum(self.is_workday(china_day(after) + n * DAY) for n in range(1, days + 1))

    def add_working_time(self, start: datetime, span: timedelta, hours: Hours) -> datetime:
        """When `span` of working time will have passed after `start`. Raises CalendarMissing.

        What ends with a day's work ends then, not with the next day's beginning.
        """
        if span <= timedelta(0):
            return start
        left = span
        for begins, ends in self._working(start, hours):
            if ends - begins >= left:
                return (begins + left).astimezone(start.tzinfo)
            left -= ends - begins
        raise AssertionError("unreachable: working spans never end")

    def working_time_between(self, after: datetime, until: datetime, hours: Hours) -> timedelta:
        """Working time between two moments (0 if `until` is not later). Raises CalendarMissing."""
        passed = timedelta(0)
        if until <= after:
            return passed
        for begins, ends in self._working(after, hours):
            if begins >= until:
                break
            passed += min(ends, until) - begins
        return passed

    def _working(self, start: datetime, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
        """Spans of work from `start` on, for ever."""
        if not hours:
            raise ValueError("no working hours")
        day = china_day(start)
        while True:
            if self.is_workday(day):
                for first, last in hours:
                    begins = max(start, datetime.combine(day, first, CHINA))
                    ends = datetime.combine(day, last, CHINA)
                    if begins < ends:
                        yield begins, ends
            day += DAY


def china_day(at: date) -> date:
    """The day in China: of a moment, its day there; a day is itself."""
    return at.astimezone(CHINA).date() if isinstance(at, datetime) else at


def day_began(at: datetime) -> datetime:
    """When the day of a moment began, in China."""
    return at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)


def _span(holiday: Holiday) -> list[date]:
    days = (holiday.last - holiday.first).days
    return [holiday.first + n * DAY for n in range(days + 1)]


def _check(year: Year, file: Path) -> None:
    off: set[date] = set()
    worked: set[date] = set()
    for holiday in year.holiday:
        where = f"{file}: {holiday.name_zh}"
        days = _span(holiday)
        if not days:
            raise SettingsError(f"{where}: ends on {holiday.last}, before {holiday.first}")
        for day in (*days, *holiday.makeup):
            if day.year != year.year:
                raise SettingsError(f"{where}: {day} is not in {year.year}")
            if day in off or day in worked:
                raise SettingsError(f"{where}: {day} stands twice")
            (worked if day in holiday.makeup else off).add(day)
        for day in holiday.makeup:
            if day.weekday() < 5:
                raise SettingsError(f"{where}: make-up day {day} is no weekend")
