"""Readings judged by their series: the rules of limits and of expressions over a reading. Pure.

A series is a device's metric; each rule remembers a state of it, which lives in the ledger.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.units import symbol
from contracts.words import Quality
from gateway.alerts import ending, wording
from gateway.alerts.book import LazyScene, RuleBook
from gateway.alerts.fields import SAMPLES, place_fields, time_fields
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
    quality: Quality = Quality.GOOD


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
    if after is before:
        return False
    old, new = before.now, after.now
    quiet = not (old.firing or new.firing or old.outside_since or new.outside_since)
    if not quiet or before.late != after.late or old.seen_at is None or new.seen_at is None:
        return True
    return new.seen_at - old.seen_at >= SEEN_EVERY


def still_well(
    book: RuleBook,
    rule: Rule,
    device: Device,
    metric: str,
    state: SeriesState,
    readings: Sequence[JudgedReading],
) -> bool:
    """Whether there is nothing to do, by far the commonest case: all was well, and is."""
    now, when = state.now, rule.when
    seen_at = now.seen_at
    if (
        len(readings) != 1
        or seen_at is None
        or now.outside_since is not None
        or now.firing
        or not isinstance(when, BeyondLimit | ReadingIs)
    ):
        return False
    reading = readings[0]
    if not seen_at < reading.at < seen_at + SEEN_EVERY:
        return False
    bound = _bound(book, rule, when, device, metric, reading)
    return bound is None or bound.allows(reading.value)


def judge_readings(
    book: RuleBook,
    rule: Rule,
    device: Device,
    metric: str,
    state: SeriesState,
    readings: Iterable[JudgedReading],
) -> tuple[SeriesState, list[Outcome]]:
    """Run one rule over readings of one series, by time; returns its new state and outcomes."""
    when = rule.when
    outcomes: list[Outcome] = []
    if not isinstance(when, BeyondLimit | ReadingIs):
        return state, outcomes
    now, late = state.now, state.late
    for reading in readings:
        at = reading.at
        bound = _bound(book, rule, when, device, metric, reading)
        if bound is None:
            continue
        before = now
        if now.seen_at is not None and at <= now.seen_at:
            late, stretch = late_step(late, now, when, bound, at, reading.value)
            if stretch is not None and not now.firing:
                since, until = stretch
                outcomes.append(_raise(rule, device, metric, since, bound, reading))
                outcomes.append(_over(rule, device, metric, until, ending.LATE))
            continue
        now, change = step(now, when, bound, at, reading.value)
        if change is Change.FIRES:
            since = now.outside_since or at
            outcomes.append(_raise(rule, device, metric, since, bound, reading))
        elif change is Change.RESOLVES:
            late = told(late, before.outside_since or at, at)
            said = wording.number(reading.value, reading.unit)
            if isinstance(bound, StorageLimit):
                said = ending.with_value(said, bound.text)
            outcomes.append(_over(rule, device, metric, at, said))
    if now is state.now and late is state.late:
        return state, outcomes
    return SeriesState(now, late), outcomes


def _bound(
    book: RuleBook,
    rule: Rule,
    when: BeyondLimit | ReadingIs,
    device: Device,
    metric: str,
    reading: JudgedReading,
) -> Bound | None:
    """What says whether a reading is inside; None where the rule does not judge it."""
    if isinstance(when, BeyondLimit):
        limit = book.limit_at(rule, when.limit, reading.at)
        return limit if limit is not None and limit.unit == reading.unit else None
    return _said(book, rule, when, device, metric, reading)


class _Said(msgspec.Struct, frozen=True):
    """What a rule's expressions say of one reading, in place of a limit."""

    outside: bool
    over: bool

    def allows(self, _value: float) -> bool:
        return not self.outside

    def allows_by(self, _value: float, _margin: float) -> bool:
        return self.over


class _Fields(Mapping[str, Any]):
    """The fields of a reading, found when they are asked for: few are, of very many readings."""

    __slots__ = ("_device", "_metric", "_reading")

    def __init__(self, device: Device, metric: str, reading: JudgedReading) -> None:
        self._device, self._metric, self._reading = device, metric, reading

    def __getitem__(self, name: str) -> Any:
        match name:
            case "value" | "unit":
                return getattr(self._reading, name)
            case "metric":
                return self._metric
            case "quality":
                return self._reading.quality.value
            case "hour" | "weekday":
                return time_fields(self._reading.at)[name]
        return place_fields(self._device)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(SAMPLES["readings"])

    def __len__(self) -> int:
        return len(SAMPLES["readings"])


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
    scene = LazyScene("readings", lambda: _Fields(device, metric, reading))
    outside = book.says(rule, scene)
    return _Said(outside, book.says(rule, scene, "until") if when.until else not outside)


def _over(rule: Rule, device: Device, metric: str, at: datetime, reason: str) -> Resolve:
    return Resolve(fingerprint=fingerprint(rule, device.identity, metric), at=at, reason=reason)


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
