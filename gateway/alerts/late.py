"""Readings that come late: the rule of "outside a limit for some time" on what was missed.

A reading that is older than the newest one seen came late: by another gateway, or sent again. What
it belongs to is over, or it is part of what is being told. So it is judged beside the present
state: a late stretch that was outside for long enough is told once, as raised and over. Never told
again is what lies in a stretch that was told before (or is told now), however it is closed.

A late reading that is older than the late one before it begins a stretch anew.
"""

from datetime import datetime

import msgspec

from gateway.alerts.kinds import BeyondLimit, ReadingIs
from gateway.alerts.threshold import Bound, ThresholdState

TOLD_MOST = 8
"""Stretches that are remembered of one series, the last ones told."""


class Late(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of the past of one rule on one series."""

    told: tuple[tuple[datetime, datetime], ...] = ()
    """Stretches that were told: outside since, over at."""
    seen_at: datetime | None = None
    """Time of the last late reading."""
    outside_since: datetime | None = None
    """Of the stretch that it belongs to, if it was outside and is not told yet."""


def told(late: Late, since: datetime, until: datetime) -> Late:
    """Remember that a stretch was told."""
    return Late(((*late.told, (since, until)))[-TOLD_MOST:], late.seen_at, late.outside_since)


def step(
    late: Late,
    state: ThresholdState,
    when: BeyondLimit | ReadingIs,
    limit: Bound,
    at: datetime,
    value: float,
) -> tuple[Late, datetime | None]:
    """Judge a late reading; the time is given since when a stretch was outside that must be told.

    `state` is the present one.
    """
    if limit.allows(value):
        return Late(late.told, at), None
    if state.outside_since is not None and at >= state.outside_since:
        return late, None
    if any(since <= at <= until for since, until in late.told):
        return late, None
    before = late.seen_at
    unbroken = before is not None and 0 <= (at - before).total_seconds() <= when.gap_s
    if unbroken and late.told and before == late.told[-1][1]:  # it goes on
        since = late.told[-1][0]
        return Late((*late.told[:-1], (since, at)), at), None
    since = late.outside_since if unbroken and late.outside_since else at
    if any(since <= until and start <= at for start, until in late.told):
        since = at  # what lies between was told
    if (at - since).total_seconds() < when.for_s:
        return Late(late.told, at, since), None
    return told(Late(late.told, at), since, at), since
