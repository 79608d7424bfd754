"""A year's calendar as a page shows it: months of weeks, each day worked, off or made up for."""

import calendar as months_calendar
from datetime import date

import msgspec

from contracts.workdays import Calendar


class Day(msgspec.Struct, frozen=True):
    """A day: ``work``, ``off`` (weekend), ``holiday`` or ``makeup``."""

    day: date
    kind: str
    name: tuple[str, str] | None = None
    """Of its holiday, in both languages."""


class Month(msgspec.Struct, frozen=True):
    """A month's weeks from Monday on; None where another month's day would stand."""

    number: int
    weeks: list[list[Day | None]]
    workdays: int


def months_of(calendar: Calendar, year: int) -> list[Month]:
    """The months of a year that is known. Raises CalendarMissing."""
    return [_month(calendar, year, number) for number in range(1, 13)]


def _month(calendar: Calendar, year: int, number: int) -> Month:
    weeks = [
        [_day(calendar, day) if day.month == number else None for day in week]
        for week in months_calendar.Calendar().monthdatescalendar(year, number)
    ]
    worked = sum(
        day is not None and day.kind in ("work", "makeup") for week in weeks for day in week
    )
    return Month(number, weeks, worked)


def _day(calendar: Calendar, day: date) -> Day:
    works, holiday = calendar.is_workday(day), calendar.holiday(day)
    if holiday is not None and not works:
        return Day(day, "holiday", (holiday.name_zh, holiday.name_en))
    if works:
        return Day(day, "makeup" if day.weekday() >= 5 else "work")
    return Day(day, "off")
