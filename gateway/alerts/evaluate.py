"""From a result or an observation to alert outcomes: pure functions over the rule book, no store.

Each is judged alone; readings are judged with the states of their series (`gateway.alerts.series`).
"""

from datetime import datetime
from typing import Any

from contracts.events import Observation, TestResult
from contracts.statement import spoken
from contracts.topics import Identity
from contracts.units import symbol
from contracts.words import Phase, in_chinese, in_english
from gateway.alerts import ending, wording
from gateway.alerts.book import LazyScene, RuleBook
from gateway.alerts.fields import observation_fields, result_fields
from gateway.alerts.kinds import ObservationOf, VerdictIs
from gateway.alerts.outcomes import Outcome, Raise, Resolve, fingerprint, place, raising
from gateway.alerts.rule import Rule, matches
from ledger.devices import Device


def judge_result(
    book: RuleBook, device: Device, event_id: str, result_id: str, test: TestResult
) -> list[Raise]:
    """The alerts that a test result raises: one for each rule that its verdict meets."""
    scene = LazyScene("tests", lambda: result_fields(device, test))
    return [
        _of_result(rule, device, event_id, result_id, test)
        for rule in book.own(device).verdicts.get(test.verdict, ())
        if isinstance(rule.when, VerdictIs)
        and matches(rule.when.items, test.item_code)
        and not (rule.when.except_items and matches(rule.when.except_items, test.item_code))
        and book.in_force(rule, test.captured_at)
        and book.says(rule, scene)
    ]


def judge_observation(
    book: RuleBook, device: Device, seen: Observation, before: Phase | None
) -> list[Outcome]:
    """What an observation raises or resolves. `before` is its stored phase, None if it is new.

    A closing that overtook its opening raises and resolves, so that the episode is on record; the
    opening that follows it then does nothing. What ends an episode ends whatever it raised, even if
    the expression of its rule is no longer true.
    """
    if before is Phase.CLOSED or (before is Phase.OPEN and seen.phase is Phase.OPEN):
        return []
    who = device.identity
    scene = LazyScene("observations", lambda: observation_fields(device, seen))
    outcomes: list[Outcome] = []
    for rule in book.own(device).observations.get(seen.kind, ()):
        when = rule.when
        if (
            not isinstance(when, ObservationOf)
            or (when.zone_kinds and seen.zone_kind not in when.zone_kinds)
            or not book.in_force(rule, seen.started_at)
        ):
            continue
        if before is None:
            if not book.says(rule, scene):
                continue
            outcomes.append(_of_observation(rule, device, seen))
        if seen.phase is Phase.CLOSED:
            outcomes.append(
                Resolve(
                    fingerprint=fingerprint(rule, who, seen.observation_id),
                    at=seen.ended_at or seen.captured_at,
                    reason=ending.OBSERVATION_RETRACTED
                    if seen.retracted
                    else ending.OBSERVATION_CLOSED,
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
        if matches(rule.regions, agent.region) and book.in_force(rule, at)
    ]


def _of_result(
    rule: Rule, device: Device, event_id: str, result_id: str, test: TestResult
) -> Raise:
    who = device.identity
    common = place(who, device.name) | {
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


def _of_observation(rule: Rule, device: Device, seen: Observation) -> Raise:
    who = device.identity
    common = place(who, device.name) | {
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
