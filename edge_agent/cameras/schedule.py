"""When a kitchen works and when it serves: named periods of the week, in China's time. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.workdays import CHINA

LOCAL = CHINA
"""Asia/Shanghai; no summer time since 1991."""

TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
"""``HH:MM`` of the local day; ``24:00`` is its end."""


class Day(StrEnum):
    """A day of the week."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


DAYS = tuple(Day)


class PeriodKind(StrEnum):
    """What a period is for."""

    MEAL = "meal"
    """Food is prepared and served: the time in which a camera must prove that it was live."""
    OPEN = "open"
    """Working hours. Where a schedule has none, the place counts as always open."""


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of certain days. One that ends at or before its begin runs past midnight."""

    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,31}$")]
    """``breakfast``, ``lunch``, ``dinner``, ``hours`` …; it becomes part of a metric's tags."""
    kind: PeriodKind
    begin: TimeOfDay
    end: TimeOfDay
    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=7)] = DAYS
    """Days on which it begins."""


MEALS = (
    Period("breakfast", PeriodKind.MEAL, "06:30", "08:30"),
    Period("lunch", PeriodKind.MEAL, "10:30", "13:00"),
    Period("dinner", PeriodKind.MEAL, "16:30", "19:00"),
)
"""What a canteen is taken to serve, unless its scene says otherwise. Our choice, from no text."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A period on one day."""

    period: Period
    begins_at: datetime
    ends_at: datetime
    """Its first moment after; both times are aware and local."""


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The week of a place."""

    periods: Annotated[tuple[Period, ...], Meta(max_length=32)] = MEALS

    def at(self, moment: datetime) -> tuple[Occurrence, ...]:
        """The periods that are running at `moment` (aware), in the order of the schedule."""
        local = moment.astimezone(LOCAL)
        return tuple(
            one for one in self._around(local.date()) if one.begins_at <= local < one.ends_at
        )

    def is_open(self, moment: datetime) -> bool:
        """True in working hours, in a meal, and always where no working hours are set up."""
        if all(period.kind is not PeriodKind.OPEN for period in self.periods):
            return True
        return bool(self.at(moment))

    def meals(self, moment: datetime) -> tuple[Occurrence, ...]:
        """The meals that are running at `moment`."""
        return tuple(one for one in self.at(moment) if one.period.kind is PeriodKind.MEAL)

    def _around(self, day: date) -> Iterator[Occurrence]:
        for period in self.periods:
            for begins_on in (day - timedelta(days=1), day):
                if DAYS[begins_on.weekday()] in period.days:
                    yield _occurrence(period, begins_on)


def schedule_faults(schedule: Schedule) -> list[tuple[str, str]]:
    """What is wrong with a schedule beyond its types: (key, fault) each."""
    found: list[tuple[str, str]] = []
    names: set[str] = set()
    for index, period in enumerate(schedule.periods):
        where = f"schedule.periods[{index}]"
        if period.name in names:
            found.append((f"{where}.name", f"{period.name!r} is there twice"))
        names.add(period.name)
        if period.begin == "24:00":
            found.append((f"{where}.begin", "24:00 is only an end"))
        if period.begin == period.end:
            found.append((f"{where}.end", "is the same as begin; a whole day is 00:00 to 24:00"))
        if len(set(period.days)) != len(period.days):
            found.append((f"{where}.days", "names a day twice"))
    return found


def _occurrence(period: Period, day: date) -> Occurrence:
    midnight = datetime(day.year, day.month, day.day, tzinfo=LOCAL)
    begin, end = _minutes(period.begin), _minutes(period.end)
    if end <= begin:
        end += 24 * 60
    return Occurrence(
        period, midnight + timedelta(minutes=begin), midnight + timedelta(minutes=end)
    )


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
