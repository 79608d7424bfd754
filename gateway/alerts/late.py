"""Readings that come late: the rule of "outside a limit for some time" on what was missed.

A reading that is older than the newest one seen came late: by another gateway, or sent again. What
it belongs to is over, or it is part of what is being told. So it is judged beside the present
state: a late stretch that was outside for long enough is told once, as raised and over. Never told
again is what lies in a stretch that was told before (or is told now), however it is closed.

Late readings may come in any order. What was outside is kept as stretches that grow at both ends
and join; what was inside parts them. A stretch is told as soon as what has come makes it long
enough: it can't be taken back when a reading comes that would have parted it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from gateway.alerts.kinds import BeyondLimit, ReadingIs
from gateway.alerts.threshold import Bound, ThresholdState

TOLD_MOST = 8
"""Stretches that are remembered of one series, the last ones told."""
SPANS_MOST = 16
"""Other spans of each sort that are remembered of one series, the latest ones."""

TIMES_MOST = 16
"""Readings that are remembered of one stretch, the first and the last ones always."""

Span = tuple[datetime, datetime]
"""From the first to the last reading."""
Times = tuple[datetime, ...]
"""Times of readings, by time."""
T = TypeVar("T", bound=Times)


class Late(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of the past of one rule on one series."""

    told: tuple[Span, ...] = ()
    """Stretches that were told: outside since, over at."""
    outside: tuple[Times, ...] = ()
    """Stretches of late readings that are not long enough yet, by time."""
    inside: tuple[Span, ...] = ()
    """Late readings inside, by time. Holes of up to `for_s` count as inside: whatever is outside in
    there can't be so for long enough."""


def told(late: Late, since: datetime, until: datetime) -> Late:
    """Remember that a stretch of the present was told. Late ones do not make it any longer."""
    apart = tuple(one for one in late.outside if one[-1] < since or until < one[0])
    ends = ((since, since), (until, until))
    return Late((*late.told, (since, until))[-TOLD_MOST:], apart, _latest((*late.inside, *ends)))


def step(
    late: Late,
    state: ThresholdState,
    when: BeyondLimit | ReadingIs,
    limit: Bound,
    at: datetime,
    value: float,
) -> tuple[Late, Span | None]:
    """Judge a late reading; a stretch that was outside and must be told is given.

    `state` is the present one.
    """
    if limit.allows(value):
        return _inside(late, timedelta(seconds=when.for_s), at), None
    if state.outside_since is not None and at >= state.outside_since:
        return late, None
    if _within(late.told, at) or _within(late.outside, at) or _within(late.inside, at):
        return late, None
    joined = _neighbours(late, timedelta(seconds=when.gap_s), at)
    times = tuple(sorted((at, *(time for one in joined for time in one))))
    stretch = (times[0], times[-1])
    apart = tuple(one for one in late.outside if one not in joined)
    if any(one in joined for one in late.told):  # it goes on
        others = tuple(one for one in late.told if one not in joined)
        return Late((*others, stretch), apart, late.inside), None
    if (stretch[1] - stretch[0]).total_seconds() < when.for_s:
        return Late(late.told, _latest((*apart, _thinned(times))), late.inside), None
    return Late((*late.told, stretch)[-TOLD_MOST:], apart, late.inside), stretch


def _inside(late: Late, for_s: timedelta, at: datetime) -> Late:
    """Remember a reading inside; it parts a stretch that is not told yet."""
    if _within(late.inside, at):
        return late
    spans: list[Span] = []
    for span in sorted((*late.inside, (at, at))):
        if spans and span[0] - spans[-1][1] <= for_s:
            spans[-1] = (spans[-1][0], span[1])
        else:
            spans.append(span)
    parts = (
        tuple(time for time in one if (time < at) is before)
        for one in late.outside
        for before in (True, False)
    )
    open_ = [
        one for one in parts if one and not any(s[0] <= one[0] and one[-1] <= s[1] for s in spans)
    ]
    return Late(late.told, _latest(open_), _latest(spans))


def _neighbours(late: Late, gap: timedelta, at: datetime) -> list[Times]:
    """The stretches outside, told or not, that a reading outside at `at` makes longer."""
    stretches: tuple[Times, ...] = (*late.told, *late.outside)
    before = max((one for one in stretches if one[-1] < at), key=lambda one: one[-1], default=None)
    after = min((one for one in stretches if at < one[0]), default=None)
    joined = []
    if before and at - before[-1] <= gap and not _parted(late, before[-1], at):
        joined.append(before)
    if after and after[0] - at <= gap and not _parted(late, at, after[0]):
        joined.append(after)
    return joined


def _parted(late: Late, since: datetime, until: datetime) -> bool:
    return any(first <= until and since <= last for first, last in late.inside)


def _within(spans: Iterable[Times], at: datetime) -> bool:
    return any(one[0] <= at <= one[-1] for one in spans)


def _latest(spans: Iterable[T]) -> tuple[T, ...]:
    return tuple(sorted(spans))[-SPANS_MOST:]


def _thinned(times: Times) -> Times:
    return times if len(times) <= TIMES_MOST else (*times[:-1:2], times[-1])
