"""Counts deadlines: when one ends, what is left of it, and when what is left will have passed."""

from datetime import datetime, timedelta

import msgspec

from contracts.workdays import CHINA, Calendar, Hours, china_day
from gateway.deadlines.policy import Span, Unit


class Timing(msgspec.Struct, frozen=True):
    """A calendar with the working hours of a policy."""

    calendar: Calendar
    hours: Hours

    def due(self, start: datetime, span: Span) -> datetime:
        """The first moment that is too late. Raises CalendarMissing.

        Working days end when work ends on the last of them (民法典 203); the day of `start` does
        not count, whatever its hour.
        """
        if span.unit is Unit.WORKING_DAYS:
            day = self.calendar.add_workdays(china_day(start), span.count)
            ends = datetime.combine(day, self.hours[-1][1], CHINA)
            return ends.astimezone(start.tzinfo)
        return self.later(start, span.length, span.unit)

    def left(self, at: datetime, due: datetime, unit: Unit) -> timedelta:
        """What is left at `at`, in the unit's own kind of time. Raises CalendarMissing."""
        if unit.is_working:
            return self.calendar.working_time_between(at, due, self.hours)
        return max(due - at, timedelta(0))

    def later(self, start: datetime, left: timedelta, unit: Unit) -> datetime:
        """When `left` of the unit's kind of time will have passed. Raises CalendarMissing."""
        if unit.is_working:
            return self.calendar.add_working_time(start, left, self.hours)
        return start + left
