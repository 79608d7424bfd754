"""The rule of "outside a limit for some time", as a pure step from one reading to the next.

States, by measured time:

* quiet: inside the limit;
* pending: outside since `outside_since`, not yet long enough;
* firing: was outside for `for_s`; ends once values are inside by `clear_by` for `clear_for_s`.

A reading at or before the newest one seen changes nothing here: late ones are judged by themselves
(`gateway.alerts.late`). A gap longer than `gap_s` breaks a pending stretch, and a
clearing one, since nothing is known of the time between.
"""

from datetime import datetime
from enum import Enum
from typing import Protocol

import msgspec

from gateway.alerts.kinds import BeyondLimit, ReadingIs


class Bound(Protocol):
    """What says of a value whether it is inside: a limit, or a rule's expressions."""

    def allows(self, value: float, /) -> bool:
        """Whether the value is inside."""

    def allows_by(self, value: float, margin: float, /) -> bool:
        """Whether it is inside by so much."""


class Change(Enum):
    """What a reading did to the alert."""

    FIRES = "fires"
    RESOLVES = "resolves"


class ThresholdState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one rule on one series."""

    seen_at: datetime | None = None
    """Time of the newest reading."""
    outside_since: datetime | None = None
    inside_since: datetime | None = None
    """While firing: since when values are inside by the margin."""
    firing: bool = False


def step(
    state: ThresholdState,
    when: BeyondLimit | ReadingIs,
    limit: Bound,
    at: datetime,
    value: float,
) -> tuple[ThresholdState, Change | None]:
    """Judge one reading. `at` is when it was measured."""
    seen_at = state.seen_at
    if seen_at is not None and at <= seen_at:
        return state, None
    if not state.firing and limit.allows(value):
        return ThresholdState(seen_at=at), None
    unbroken = seen_at is not None and (at - seen_at).total_seconds() <= when.gap_s
    if state.firing:
        return _while_firing(state, when, limit, at, value, unbroken)
    since = state.outside_since if unbroken and state.outside_since else at
    if (at - since).total_seconds() >= when.for_s:
        return ThresholdState(seen_at=at, outside_since=since, firing=True), Change.FIRES
    return ThresholdState(seen_at=at, outside_since=since), None


def _while_firing(
    state: ThresholdState,
    when: BeyondLimit | ReadingIs,
    limit: Bound,
    at: datetime,
    value: float,
    unbroken: bool,
) -> tuple[ThresholdState, Change | None]:
    margin = when.clear_by if isinstance(when, BeyondLimit) else 0.0
    if not limit.allows_by(value, margin):
        return ThresholdState(at, state.outside_since, None, firing=True), None
    since = state.inside_since if unbroken and state.inside_since else at
    if (at - since).total_seconds() >= when.clear_for_s:
        return ThresholdState(seen_at=at), Change.RESOLVES
    return ThresholdState(at, state.outside_since, since, firing=True), None
