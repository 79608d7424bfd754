"""From an event to alert outcomes: pure functions over the rule book, no store, no clock.

Results and observations are judged alone; readings with the threshold states of their series.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from contracts.events import Observation, TestResult
from contracts.statement import spoken
from contracts.topics import Identity
from contracts.units import symbol
from contracts.words import Phase, in_chinese, in_english
from gateway.alerts import wording
from gateway.alerts.late import Late, told
from gateway.alerts.late import step as late_step
from gateway.alerts.limits import StorageLimit, StorageLimits
from gateway.alerts.outcomes import LOCAL, Outcome, Raise, Resolve, fingerprint, place, raising
from gateway.alerts.rules import (
    AgentOffline,
    BeyondLimit,
    DataLost,
    DataWaiting,
    DeviceSilent,
    EvidenceKeyNew,
    ObservationOf,
    Rule,
    VerdictIs,
    matches,
)
from gateway.alerts.threshold import Change, ThresholdState, step


class JudgedReading(msgspec.Struct, frozen=True, gc=False):
    """A reading as rules see it. `at` is the measured time, freed of what the clock runs ahead."""

    at: datetime
    value: float
    unit: str


class RuleBook:
    """Rules sorted by what they can match, so that an event meets only its own."""

    def __init__(self, rules: Iterable[Rule], limits: StorageLimits) -> None:
        self.rules = tuple(rules)
        self.limits = limits
        self.verdicts = self._of(VerdictIs)
        self.observations = self._of(ObservationOf)
        self.silences = self._of(DeviceSilent)
        self.offlines = self._of(AgentOffline)
        self.keys = self._of(EvidenceKeyNew)
        self.waitings = self._of(DataWaiting)
        self.losses = self._of(DataLost)
        self._thresholds = self._of(BeyondLimit)
        self.judged = lru_cache(maxsize=65_536)(self._find_judged)
        """The threshold rules of a device by metric; empty for most devices."""

    def _of(self, kind: type[msgspec.Struct]) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if isinstance(rule.when, kind))

    def _find_judged(self, who: Identity) -> dict[str, tuple[Rule, ...]]:
        found: dict[str, tuple[Rule, ...]] = {}
        for rule in self._thresholds:
            if (
                isinstance(rule.when, BeyondLimit)
                and matches(rule.when.devices, who.device)
                and matches(rule.regions, who.region)
            ):
                for metric in rule.when.metrics:
                    found[metric] = (*found.get(metric, ()), rule)
        return found


def judge_result(
    book: RuleBook, who: Identity, device_name: str, event_id: str, result_id: str, test: TestResult
) -> list[Raise]:
    """The alerts that a test result raises: one for each rule that its verdict meets."""
    on = test.captured_at.astimezone(LOCAL).date()
    return [
        _of_result(rule, who, device_name, event_id, result_id, test)
        for rule in book.verdicts
        if isinstance(rule.when, VerdictIs)
        and test.verdict in rule.when.verdicts
        and matches(rule.when.items, test.item_code)
        and not (rule.when.except_items and matches(rule.when.except_items, test.item_code))
        and rule.holds(on, who.region)
    ]


def judge_observation(
    book: RuleBook, who: Identity, device_name: str, seen: Observation, before: Phase | None
) -> list[Outcome]:
    """What an observation raises or resolves. `before` is its stored phase, None if it is new.

    A closing that overtook its opening raises and resolves, so that the episode is on record; the
    opening that follows it then does nothing.
    """
    if before is Phase.CLOSED or (before is Phase.OPEN and seen.phase is Phase.OPEN):
        return []
    on = seen.started_at.astimezone(LOCAL).date()
    outcomes: list[Outcome] = []
    for rule in book.observations:
        when = rule.when
        if not (
            isinstance(when, ObservationOf)
            and seen.kind in when.kinds
            and (not when.zone_kinds or seen.zone_kind in when.zone_kinds)
            and rule.holds(on, who.region)
        ):
            continue
        if before is None:
            outcomes.append(_of_observation(rule, who, device_name, seen))
        if seen.phase is Phase.CLOSED:
            outcomes.append(
                Resolve(
                    fingerprint=fingerprint(rule, who, seen.observation_id),
                    at=seen.ended_at or seen.captured_at,
                    reason="observation taken back: a picture, no person"
                    if seen.retracted
                    else "observation closed",
                )
            )
    return outcomes


def judge_key(
    book: RuleBook, agent: Identity, device_name: str, key_id: str, at: datetime
) -> list[Raise]:
    """The alerts that a new signing key of an agent raises."""
    words = place(agent, device_name) | {"fingerprint": spoken(key_id)}
    return [
        raising(rule, agent, key_id, at, zh=words, en=words, facts={"key_id": key_id})
        for rule in book.keys
        if rule.holds(at.astimezone(LOCAL).date(), agent.region)
    ]


class SeriesState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one rule on one series: how it stands, and what was told before."""

    now: ThresholdState = ThresholdState()
    late: Late = Late()


def judge_readings(
    rule: Rule,
    limits: StorageLimits,
    who: Identity,
    device_name: str,
    metric: str,
    state: SeriesState,
    readings: Iterable[JudgedReading],
) -> tuple[SeriesState, list[Outcome]]:
    """Run one threshold rule over readings of one series; returns its new state and outcomes."""
    when = rule.when
    outcomes: list[Outcome] = []
    if not isinstance(when, BeyondLimit):
        return state, outcomes
    now, late = state.now, state.late
    day_starts_at = day_ends_at = _NEVER
    limit = None
    for reading in sorted(readings, key=_at):
        at = reading.at
        if not day_starts_at <= at < day_ends_at:
            on, day_starts_at, day_ends_at = _local_day(at)
            limit = limits.on(when.limit, on) if rule.holds(on, who.region) else None
        if limit is None or limit.unit != reading.unit:
            continue
        before = now
        if now.seen_at is not None and at <= now.seen_at:
            late, since = late_step(late, now, when, limit, at, reading.value)
            if since is not None and not now.firing:
                outcomes.append(_of_reading(rule, who, device_name, metric, since, limit, reading))
                outcomes.append(_over(rule, who, metric, at, "told late, and over by now"))
            continue
        now, change = step(now, when, limit, at, reading.value)
        if change is Change.FIRES:
            since = now.outside_since or at
            outcomes.append(_of_reading(rule, who, device_name, metric, since, limit, reading))
        elif change is Change.RESOLVES:
            late = told(late, before.outside_since or at, at)
            said = wording.number(reading.value, reading.unit)
            outcomes.append(_over(rule, who, metric, at, f"{said}, {limit.text}"))
    return SeriesState(now, late), outcomes


def _over(rule: Rule, who: Identity, metric: str, at: datetime, reason: str) -> Resolve:
    return Resolve(fingerprint=fingerprint(rule, who, metric), at=at, reason=reason)


_NEVER = datetime(1, 1, 2, tzinfo=UTC)
_DAY = timedelta(days=1)
_at = attrgetter("at")


def _local_day(at: datetime) -> tuple[date, datetime, datetime]:
    """The local day that `at` lies in, its start and its end (in UTC: equal zones compare fast)."""
    local = at.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    starts_at = local.astimezone(UTC)
    return local.date(), starts_at, starts_at + _DAY


def _of_result(
    rule: Rule, who: Identity, device_name: str, event_id: str, result_id: str, test: TestResult
) -> Raise:
    common = place(who, device_name) | {
        "sample": test.sample.name or test.sample.number,
        "sample_number": test.sample.number,
        "item": test.item,
        "limit": test.limit_text,
        "stall": test.sample.stall,
    }
    zh = {
        "value": wording.value_zh(test.value),
        "verdict": wording.VERDICTS_ZH[test.verdict],
        "details": wording.details_zh(test.sample),
    }
    en = {
        "value": wording.value_en(test.value),
        "verdict": test.verdict.value,
        "details": wording.details_en(test.sample),
    }
    facts: dict[str, Any] = {
        "item": test.item,
        "value": test.value.text,
        "number": test.value.number,
        "unit": symbol(test.value.unit),
        "limit": test.limit_text,
        "verdict": test.verdict.value,
    }
    return raising(
        rule,
        who,
        event_id,
        test.captured_at,
        zh=common | zh,
        en=common | en,
        facts=facts,
        result_id=result_id,
    )


def _of_observation(rule: Rule, who: Identity, device_name: str, seen: Observation) -> Raise:
    common = place(who, device_name) | {
        "zone": seen.zone,
        "people": str(seen.people),
        "confidence": f"{seen.confidence * 100:.0f} %",
    }
    said_zh, said_en = wording.OBSERVATIONS.get(seen.kind, (seen.kind, seen.kind))
    return raising(
        rule,
        who,
        seen.observation_id,
        seen.started_at,
        zh=common | {"observation": said_zh, "reason": in_chinese(seen.reason)},
        en=common | {"observation": said_en, "reason": in_english(seen.reason)},
        facts={
            "kind": seen.kind,
            "zone": seen.zone,
            "zone_kind": seen.zone_kind,
            "captured_at": seen.captured_at.isoformat(),
        },
        observation_id=seen.observation_id,
        evidence=seen.evidence,
    )


def _of_reading(
    rule: Rule,
    who: Identity,
    device_name: str,
    metric: str,
    since: datetime,
    limit: StorageLimit,
    reading: JudgedReading,
) -> Raise:
    lasted_s = (reading.at - since).total_seconds()
    common = place(who, device_name) | {
        "metric": metric,
        "value": wording.number(reading.value, reading.unit),
        "limit": limit.text,
    }
    zh = {"limit_meaning": limit.meaning_zh, "duration": wording.duration_zh(lasted_s)}
    en = {"limit_meaning": limit.meaning_en, "duration": wording.duration_en(lasted_s)}
    facts: dict[str, Any] = {
        "metric": metric,
        "value": reading.value,
        "unit": symbol(reading.unit),
        "limit": limit.text,
        "limit_source": f"{limit.source} [{limit.mark}]",
        "outside_since": since.isoformat(),
        "measured_at": reading.at.isoformat(),
    }
    return raising(rule, who, metric, reading.at, zh=common | zh, en=common | en, facts=facts)
