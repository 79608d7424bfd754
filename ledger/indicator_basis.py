"""What every set of records is found by: span, moment, days, and the dialect's words for them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    String,
    Text,
    cast,
    func,
    literal,
    null,
    true,
    type_coerce,
    values,
)
from sqlalchemy.sql.expression import CTE

from contracts.indicators import Indicator, minute_of
from contracts.periods import Period
from contracts.school_days import Term, school_days
from contracts.workdays import CHINA, DAY, Calendar, CalendarMissing
from ledger.columns import UtcTime
from ledger.sql import among_these

AHEAD = timedelta(minutes=5)
"""A fact may be dated so much later than it came; one that is dated further is not believed."""


class Basis(msgspec.Struct, frozen=True):
    """What the numbers of a period rest on besides the ledger."""

    calendar: Calendar
    terms: tuple[Term, ...]


class Asked(msgspec.Struct, frozen=True):
    """One indicator over one span, as of a moment."""

    dialect: str
    indicator: Indicator
    since: datetime
    until: datetime
    at: datetime
    """What is open has lasted until then; what is due later is not due."""
    days: tuple[date, ...] = ()
    """School days of the span that are over."""
    decided: tuple[datetime, datetime] | None = None
    """Of publications: decisions of this span fell due in the period."""
    regions: tuple[str, ...] | None = None
    """Nothing of other regions is wanted; None: all are."""
    counted: bool = False
    """Rows are only added up: what does not count (`key`, `at`, names) may be left out of them."""

    def here(self, region: Column[Any]) -> ColumnElement[bool]:
        """That a region is one of those wanted."""
        return true() if self.regions is None else among_these(region, self.regions)


def asked(
    conn: Connection, basis: Basis, indicator: Indicator, period: Period, at: datetime
) -> Asked | None:
    """What is to be counted; None if it cannot be told, for want of a working calendar."""
    yearly = indicator.kind == "per_thousand_year"
    since = period.begins_at
    if yearly:
        since = since.replace(month=1, day=1)
    until = period.ends_at
    days: tuple[date, ...] = ()
    decided = None
    try:
        if indicator.meal_begin:
            days = _over(basis, indicator, since, min(until, at))
        if indicator.workdays:
            decided = _decided(basis.calendar, indicator.workdays, since, min(until, at))
    except CalendarMissing:
        return None
    return Asked(conn.dialect.name, indicator, since, until, at, days, decided)


def _over(basis: Basis, indicator: Indicator, since: datetime, until: datetime) -> tuple[date, ...]:
    first, last = since.astimezone(CHINA).date(), until.astimezone(CHINA).date()
    found = school_days(basis.terms, basis.calendar, first, last)
    return tuple(day for day in found if meal_span(indicator, day)[1] <= until)


def meal_span(indicator: Indicator, day: date) -> tuple[datetime, datetime]:
    """Begin and end of the meal that is owed on a day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=CHINA)
    begin, end = minute_of(indicator.meal_begin), minute_of(indicator.meal_end)
    return midnight + timedelta(minutes=begin or 0), midnight + timedelta(minutes=end or 0)


def meal_minutes(indicator: Indicator) -> float:
    """How long that meal is."""
    return float((minute_of(indicator.meal_end) or 0) - (minute_of(indicator.meal_begin) or 0))


def _decided(
    calendar: Calendar, workdays: int, since: datetime, until: datetime
) -> tuple[datetime, datetime]:
    """Decisions from the first moment on and before the second fall due within a span."""
    return _first_due(calendar, workdays, since), _first_due(calendar, workdays, until)


def _first_due(calendar: Calendar, workdays: int, since: datetime) -> datetime:
    """The first day whose decisions fall due on the day of `since` or later."""
    wanted = since.astimezone(CHINA).date()
    day = wanted - (2 * workdays + 20) * DAY
    while calendar.add_workdays(day, workdays) < wanted:
        day += DAY
    return datetime(day.year, day.month, day.day, tzinfo=CHINA)


def days_table(indicator: Indicator, days: Sequence[date]) -> CTE:
    """School days with begin and end of their meal, as a table of the statement."""
    spans = [(day.isoformat(), *meal_span(indicator, day)) for day in days]
    # One that never was keeps the table's types where there are none.
    never = datetime(1970, 1, 1, tzinfo=CHINA)
    table = values(
        Column("day", Text()), Column("begins", UtcTime()), Column("ends", UtcTime()), name="due"
    )
    return table.data([*spans, ("", never, never)]).cte("due_days")


def china_date(dialect: str, at: ColumnElement[datetime]) -> ColumnElement[str]:
    """The day of a moment in China, as ``YYYY-MM-DD``."""
    if dialect == "postgresql":
        return func.to_char(func.timezone("Asia/Shanghai", at), "YYYY-MM-DD", type_=String())
    return func.date(at, "+8 hours", type_=String())


def seconds(dialect: str, at: ColumnElement[datetime]) -> ColumnElement[float]:
    """A moment as seconds since 1970."""
    if dialect == "postgresql":
        return cast(func.extract("epoch", at), Float)
    return type_coerce((func.julianday(at) - 2440587.5) * 86400.0, Float)


def no_text() -> ColumnElement[str]:
    """A text that says nothing."""
    return cast(null(), String())


def no_time() -> ColumnElement[datetime]:
    """A time that nobody knows."""
    return cast(null(), UtcTime())


def one() -> ColumnElement[float]:
    """A record that counts once."""
    return literal(1.0, Float)
