"""Months, quarters and years in China's time: ``2026-11``, ``2026-Q4``, ``2026``."""

import calendar
import re
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from contracts.workdays import CHINA, china_day

Size = Literal["month", "quarter", "year"]
_PERIOD = re.compile(r"(20[0-9]{2})(?:-(0[1-9]|1[0-2])|-Q([1-4]))?", re.ASCII)


class Period(msgspec.Struct, frozen=True):
    """A stretch of whole months."""

    name: str
    size: Size
    first: date
    last: date

    @property
    def begins_at(self) -> datetime:
        """Its first moment."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=CHINA)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        after = self.last + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=CHINA)

    @property
    def before(self) -> "Period":
        """The one of the same size before it."""
        return around(self.begins_at - datetime.resolution, self.size)

    @property
    def after(self) -> "Period":
        """The one of the same size after it."""
        return around(self.ends_at, self.size)


def read_period(text: str) -> Period:
    """``2026-11``, ``2026-Q4`` or ``2026``. Raises ValueError."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no period like 2026-11, 2026-Q4 or 2026")
    year = int(found[1])
    if found[2]:
        return _months(text, "month", year, int(found[2]), 1)
    if found[3]:
        return _months(text, "quarter", year, 3 * int(found[3]) - 2, 3)
    return _months(text, "year", year, 1, 12)


def around(at: datetime, size: Size = "month") -> Period:
    """The period that a moment lies in."""
    day = china_day(at)
    if size == "month":
        return read_period(f"{day.year}-{day.month:02}")
    if size == "quarter":
        return read_period(f"{day.year}-Q{(day.month + 2) // 3}")
    return read_period(f"{day.year}")


def _months(name: str, size: Size, year: int, first: int, count: int) -> Period:
    last = first + count - 1
    ends = calendar.monthrange(year, last)[1]
    return Period(name, size, date(year, first, 1), date(year, last, ends))
