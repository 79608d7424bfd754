"""Readings judged by their series: the rules of limits and of expressions over a reading. Pure.

A series is a device's metric; each rule remembers a state of it, which lives in the ledger.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec

from contracts.topics import Identity
from contracts.units import symbol
from gateway.alerts import wording
from gateway.alerts.book import LazyScene, RuleBook
from gateway.alerts.day_times import LOCAL
from gateway.alerts.fields import place_fields, time_fields
from gateway.alerts.kinds import BeyondLimit, ReadingIs
from gateway.alerts.late import Late, told
from gateway.alerts.late import step as late_step
from gateway.alerts.limits import StorageLimit
from gateway.alerts.outcomes import Outcome, Raise, Resolve, fingerprint, place, raising
from gateway.alerts.rule import Rule
from gateway.alerts.threshold import Bound, Change, ThresholdState, step
from ledger.devices import Device


class JudgedReading(msgspec.Struct, frozen=True, gc=False):
    """A reading as rules see it. `at` is the measured time, freed of what the clock runs ahead."""

    at: datetime
    value: float
    unit: str
    quality: str = "good"


class SeriesState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one rule on one series: how it stands, and what was told before."""

    now: ThresholdState = ThresholdState()
    late: Late = Late()


SEEN_EVERY = timedelta(seconds=60)
"""While nothing is the matter, the time of the newest reading is kept no more often than this."""


def worth_keeping(before: SeriesState, after: SeriesState) -> bool:
    """Whether a state must be written, or only says that all is still well.

    What is not written costs nothing. A reading that comes late by less than `SEEN_EVERY` is then
    judged as a present one: the same stretches fire, and are over with the next reading.
    """
    if after == before:
        return False
    old, new = before.now, after.now
    quiet = not (old.firing or new.firing or old.outside_since or new.outside_since)
    if not quiet or before.late != after.late or old.seen_at is None or new.seen_at is None:
        return True
    return new.seen_at - old.seen_at >= SEEN_EVERY


def judge_readings(
    book: RuleBook,
    rule: Rule,
    device: Device,
    metric: str,
    state: SeriesState,
    readings: Iterable[JudgedReading],
) -> tuple[SeriesState, list[Outcome]]:
    """Run one rule over readings of one series; returns its new state and outcomes."""
    when = rule.when
    outcomes: list[Outcome] = []
    if not isinstance(when, BeyondLimit | ReadingIs):
        return state, outcomes
    who, now, late = device.identity, state.now, state.late
    bound_of = _limits(book, rule, when) if isinstance(when, BeyondLimit) else None
    for reading in sorted(readings, key=_at):
        at = reading.at
        bound: Bound | None
        if bound_of is not None:
            bound = bound_of(reading)
        elif isinstance(when, ReadingIs):
            bound = _said(book, rule, when, device, metric, reading)
        if bound is None:
            continue
        before = now
        if now.seen_at is not None and at <= now.seen_at:
            late, stretch = late_step(late, now, when, bound, at, reading.value)
            if stretch is not None and not now.firing:
                since, until = stretch
                outcomes.append(_raise(rule, device, metric, since, bound, reading))
                outcomes.append(_over(rule, who, metric, until, "told late, and over by now"))
            continue
        now, change = step(now, when, bound, at, reading.value)
        if change is Change.FIRES:
            since = now.outside_since or at
            outcomes.append(_raise(rule, device, metric, since, bound, reading))
        elif change is Change.RESOLVES:
            late = told(late, before.outside_since or at, at)
            said = wording.number(reading.value, reading.unit)
            limit = f", {bound.text}" if isinstance(bound, StorageLimit) else ""
            outcomes.append(_over(rule, who, metric, at, said + limit))
    return SeriesState(now, late), outcomes


def _limits(
    book: RuleBook, rule: Rule, when: BeyondLimit
) -> Callable[[JudgedReading], StorageLimit | None]:
    """Finds the limit in force for readings that come in order of time; found once for a day."""
    day_starts_at = day_ends_at = _NEVER
    limit: StorageLimit | None = None

    def of(reading: JudgedReading) -> StorageLimit | None:
        nonlocal day_starts_at, day_ends_at, limit
        at = reading.at
        if not day_starts_at <= at < day_ends_at:
            on, day_starts_at, day_ends_at = local_day(at)
            limit = book.limits.on(when.limit, on) if rule.in_effect(on) else None
        if limit is None or limit.unit != reading.unit:
            return None
        if rule.schedule is not None and not book.timetable.holds(rule.schedule, at):
            return None
        return limit

    return of


class _Said(msgspec.Struct, frozen=True):
    """What a rule's expressions say of one reading, in place of a limit."""

    outside: bool
    over: bool

    def allows(self, _value: float) -> bool:
        return not self.outside

    def allows_by(self, _value: float, _margin: float) -> bool:
        return self.over


def _said(
    book: RuleBook,
    rule: Rule,
    when: ReadingIs,
    device: Device,
    metric: str,
    reading: JudgedReading,
) -> _Said | None:
    if not book.in_force(rule, reading.at):
        return None
    scene = LazyScene(
        "readings",
        lambda: {
            **place_fields(device),
            **time_fields(reading.at),
            "metric": metric,
            "value": reading.value,
            "unit": reading.unit,
            "quality": reading.quality,
        },
    )
    outside = book.says(rule, scene)
    return _Said(outside, book.says(rule, scene, "until") if when.until else not outside)


def _over(rule: Rule, who: Identity, metric: str, at: datetime, reason: str) -> Resolve:
    return Resolve(fingerprint=fingerprint(rule, who, metric), at=at, reason=reason)


_NEVER = datetime(1, 1, 2, tzinfo=UTC)
_DAY = timedelta(days=1)
_at = attrgetter("at")


def local_day(at: datetime) -> tuple[date, datetime, datetime]:
    """The local day that `at` lies in, its start and its end (in UTC: equal zones compare fast)."""
    local = at.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    starts_at = local.astimezone(UTC)
    return local.date(), starts_at, starts_at + _DAY


def _raise(
    rule: Rule,
    device: Device,
    metric: str,
    since: datetime,
    bound: Bound,
    reading: JudgedReading,
) -> Raise:
    lasted_s = (reading.at - since).total_seconds()
    common = place(device.identity, device.name) | {
        "metric": metric,
        "value": wording.number(reading.value, reading.unit),
    }
    zh = {"duration": wording.duration_zh(lasted_s)}
    en = {"duration": wording.duration_en(lasted_s)}
    facts: dict[str, Any] = {"metric": metric, "value": reading.value, "unit": symbol(reading.unit)}
    if isinstance(bound, StorageLimit):
        common["limit"] = bound.text
        zh["limit_meaning"], en["limit_meaning"] = bound.meaning_zh, bound.meaning_en
        facts |= {"limit": bound.text, "limit_source": f"{bound.source} [{bound.mark}]"}
    facts |= {"outside_since": since.isoformat(), "measured_at": reading.at.isoformat()}
    return raising(
        rule, device.identity, metric, reading.at, zh=common | zh, en=common | en, facts=facts
    )
