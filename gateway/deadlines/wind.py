"""Winds an alert's clock: from what happened to it, what is due now and which deadlines it missed.

Pure: what has happened since the clock was last wound comes in order, then the present. However
often or late this is done, and wherever it is cut in two, the same deadlines are missed at the same
moments. A deadline is missed at the first moment that is too late; what is done at that very moment
is late.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from contracts.words import Due, Severity
from contracts.workdays import Calendar
from gateway.deadlines.policy import ClassPolicy, PolicyBook, Span, Unit
from gateway.deadlines.timing import Timing

TOP = 2
"""The city; there is nobody above."""
MISSES_LEAST = 2
"""Even where nobody but the city is responsible, a second miss makes a yellow card red."""


class Happened(msgspec.Struct, frozen=True):
    """Something that happened to an alert: a kind of its timeline."""

    at: datetime
    kind: str


class AlertClock(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of an alert's deadlines between two looks; JSON in the ledger."""

    level: int = 0
    """The level that is asked now: at first the lowest at which somebody is responsible."""
    escalated: bool = False
    """Whether a miss has raised it."""
    kind: Due | None = None
    """What is due, or was and is overdue at the top."""
    due_at: datetime | None = None
    """None: nothing more is due, or the clock is stopped."""
    unit: Unit = Unit.HOURS
    left_us: int | None = None
    """While it is stopped: what is left, in microseconds of the unit's kind of time."""
    paused: bool = False
    resolved: bool = False
    """The data say that it is over."""
    missed: int = 0
    """How often the present deadline was missed."""
    overdue_since: datetime | None = None
    at: datetime | None = None
    """When the last thing that counts happened."""


class Missed(msgspec.Struct, frozen=True):
    """A deadline that ran out."""

    kind: Due
    at: datetime
    """The deadline itself."""
    level_before: int
    level: int
    cards: bool
    clock: AlertClock
    """The clock right after it."""
    standing: bool
    """Nothing has been done since: the next level is told. Otherwise it is on record only."""


class Place(msgspec.Struct, frozen=True):
    """What an alert's deadlines depend on besides what happens to it."""

    region: str
    severity: Severity
    first_level: Callable[[datetime], int]
    """The lowest level at which somebody is responsible at a moment."""


class Winder:
    """Winds clocks by policies and calendar."""

    def __init__(self, book: PolicyBook, calendar: Calendar) -> None:
        self._book = book
        self._calendar = calendar

    def wind(
        self, clock: AlertClock, place: Place, happened: Sequence[Happened], now: datetime
    ) -> tuple[AlertClock, list[Missed]]:
        """The clock at `now`, and what was missed on the way, in order.

        Raises CalendarMissing or NoPolicy; the clock can be wound from where it was later.
        """
        missed: list[Missed] = []
        for one in happened:
            at = max(one.at, clock.at or one.at)
            clock, found = self._run_out(clock, place, at)
            missed += found
            clock = self._take(clock, place, one.kind, at)
            if clock.overdue_since is None:
                missed = [msgspec.structs.replace(miss, standing=False) for miss in missed]
        clock, found = self._run_out(clock, place, now)
        return clock, missed + found

    def _run_out(
        self, clock: AlertClock, place: Place, at: datetime
    ) -> tuple[AlertClock, list[Missed]]:
        """Deadlines that run out up to and at `at`."""
        missed = []
        while clock.due_at is not None and clock.kind is not None and clock.due_at <= at:
            miss = self._miss(clock, place, clock.kind, clock.due_at)
            missed.append(miss)
            clock = miss.clock
        return clock, missed

    def _miss(self, clock: AlertClock, place: Place, kind: Due, at: datetime) -> Missed:
        policy, timing = self._policy(place, at)
        deadline = policy.deadline(kind)
        level = min(clock.level + 1, TOP)
        after = msgspec.structs.replace(
            clock,
            level=level,
            escalated=True,
            due_at=None,
            missed=clock.missed + 1,
            overdue_since=clock.overdue_since or at,
            at=at,
        )
        if deadline is not None and (clock.level < TOP or after.missed < MISSES_LEAST):
            span = Span.read(deadline.again)
            due_at = timing.due(at, span)
            after = msgspec.structs.replace(after, due_at=due_at, unit=span.unit)
        cards = deadline is not None and deadline.cards
        return Missed(kind, at, clock.level, level, cards, after, standing=True)

    def _take(self, clock: AlertClock, place: Place, kind: str, at: datetime) -> AlertClock:
        """The clock after something has happened at `at`."""
        clock = msgspec.structs.replace(clock, at=at)
        match kind:
            case "raised" | "reopened":
                fresh = AlertClock(level=place.first_level(at), at=at)
                return self._begin(fresh, place, Due.ACKNOWLEDGE, at)
            case "acknowledged" | "returned":
                return self._begin(clock, place, Due.DISPOSE, at)
            case "disposing":
                return self._begin(clock, place, Due.REVIEW, at)
            case "reviewed" | "closed":
                return _nothing_due(clock)
            case "resolved":
                clock = msgspec.structs.replace(clock, resolved=True)
                policy, _ = self._policy(place, at)
                ends = policy.ends_when_resolved and clock.kind is not Due.REVIEW
                return _nothing_due(clock) if ends else clock
            case "paused":
                return self._stop(clock, place, at)
            case "resumed":
                return self._go_on(clock, place, at)
            case _:
                return clock

    def _begin(self, clock: AlertClock, place: Place, kind: Due, at: datetime) -> AlertClock:
        clock = _nothing_due(clock)
        policy, timing = self._policy(place, at)
        deadline = policy.deadline(kind)
        over = clock.resolved and policy.ends_when_resolved and kind is not Due.REVIEW
        if deadline is None or over:
            return clock
        span = Span.read(deadline.within)
        due_at = timing.due(at, span)
        clock = msgspec.structs.replace(clock, kind=kind, due_at=due_at, unit=span.unit)
        return self._stop(clock, place, at) if clock.paused else clock

    def _stop(self, clock: AlertClock, place: Place, at: datetime) -> AlertClock:
        left_us = None
        if clock.due_at is not None:
            _, timing = self._policy(place, at)
            left_us = _to_us(timing.left(at, clock.due_at, clock.unit))
        return msgspec.structs.replace(clock, paused=True, due_at=None, left_us=left_us)

    def _go_on(self, clock: AlertClock, place: Place, at: datetime) -> AlertClock:
        due_at = None
        if clock.left_us is not None:
            _, timing = self._policy(place, at)
            due_at = timing.later(at, timedelta(microseconds=clock.left_us), clock.unit)
        return msgspec.structs.replace(clock, paused=False, due_at=due_at, left_us=None)

    def _policy(self, place: Place, at: datetime) -> tuple[ClassPolicy, Timing]:
        policy = self._book.policy(place.region, at)
        return policy.of_class(place.severity), Timing(self._calendar, policy.hours.spans)


def _nothing_due(clock: AlertClock) -> AlertClock:
    return msgspec.structs.replace(
        clock, kind=None, due_at=None, left_us=None, missed=0, overdue_since=None
    )


def _to_us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
