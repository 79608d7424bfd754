"""Judges a batch's new events within the ledger's transaction: states in, outcomes out and kept."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec

from contracts.events import Evidence, Observation, Readings, TestResult
from contracts.topics import Identity
from contracts.words import Quality
from gateway.alerts import combine, counting
from gateway.alerts.book import Own, RuleBook
from gateway.alerts.combine import TogetherState, Told
from gateway.alerts.counting import CountState, Entry, entries, series_of
from gateway.alerts.evaluate import judge_key, judge_observation, judge_result
from gateway.alerts.kinds import CountOf, TrendTo
from gateway.alerts.outcomes import Outcome, Raise
from gateway.alerts.rule import Rule
from gateway.alerts.series import (
    JudgedReading,
    SeriesState,
    judge_readings,
    still_well,
    worth_keeping,
)
from gateway.alerts.trend import TrendState, judge_trend
from gateway.unpack import Accepted
from ledger import alerts, evidence, journal, observations, rule_state
from ledger.devices import Device
from ledger.engine import Connection
from ledger.ids import fact_id

ALERT_EVIDENCE = "alert.evidence"
"""Journal kind: a picture came to an alert that had been raised before."""
OF_OBSERVATION = "alerts of observation"
"""Under this name (no rule id has a space) it is remembered which alerts an observation raised."""
AHEAD_TOLERATED = timedelta(seconds=60)
"""An edge clock that runs further ahead than this is set right before readings are judged."""


def judge_results(book: RuleBook, fresh: Iterable[Accepted]) -> list[Outcome]:
    """Outcomes of the batch's test results."""
    outcomes: list[Outcome] = []
    for one in fresh:
        if isinstance(one.event.data, TestResult) and one.numbered is not None:
            number = one.numbered
            event_id = f"{number.epoch}-{number.sequence}"
            result_id = fact_id(one.who, number.epoch, number.sequence)
            outcomes += judge_result(book, one.device, event_id, result_id, one.event.data)
    return outcomes


def put_observations(conn: Connection, book: RuleBook, fresh: Iterable[Accepted]) -> list[Outcome]:
    """Store the batch's observations, each judged against what was stored before it."""
    told = [(one, one.event.data) for one in fresh if isinstance(one.event.data, Observation)]
    # Another gateway may have the same episode's other end in hand: take turns.
    rule_state.get(conn, [_of_observation(one.who, seen.observation_id) for one, seen in told])
    outcomes: list[Outcome] = []
    for one, seen in told:
        before = observations.get(conn, one.who, seen.observation_id)
        observations.put(conn, one.who, seen, one.message.received_at)
        outcomes += judge_observation(book, one.device, seen, before.phase if before else None)
    return outcomes


def count(
    conn: Connection, book: RuleBook, fresh: Iterable[Accepted], now: datetime
) -> list[Outcome]:
    """Outcomes of rules that count the batch's results and episodes; their states are kept.

    An episode counts once: its opening and its closing have one name.
    """
    if not book.counts:
        return []
    found: dict[rule_state.Key, list[Entry]] = {}
    for one in fresh:
        fact, number = one.event.data, one.numbered
        if number is None:
            continue
        if isinstance(fact, TestResult):
            name = fact_id(one.who, number.epoch, number.sequence)
        elif isinstance(fact, Observation):
            name = f"{one.who.device}/{fact.observation_id}"
        else:
            continue
        for entry in entries(book, one.device, name, fact):
            found.setdefault((entry.rule.id, series_of(entry.group)), []).append(entry)
    if not found:
        return []
    outcomes: list[Outcome] = []
    changed: dict[rule_state.Key, Any] = {}
    bodies = rule_state.get(conn, found)
    for key, group in sorted(found.items()):
        entry = group[-1]
        before = msgspec.convert(bodies[key], CountState)
        if isinstance(entry.rule.when, CountOf):
            after, fires = counting.step(before, entry.rule.when, [one.event for one in group])
            if fires:
                outcomes.append(counting.raised(entry, after))
            if after != before:
                changed[key] = msgspec.to_builtins(after)
    rule_state.put(conn, changed, now)
    return outcomes


Series = dict[rule_state.Key, tuple[Rule, Device, str, list[JudgedReading]]]


def judge_batch_readings(
    conn: Connection, book: RuleBook, fresh: Iterable[Accepted], now: datetime
) -> list[Outcome]:
    """Outcomes of the batch's readings; the series' states are locked, stepped on and kept."""
    series: Series = {}
    for one in fresh:
        if isinstance(one.event.data, Readings):
            own = book.own(one.device)
            if own.readings:
                _gather(series, one, one.event.data, own)
    if not series:
        return []
    outcomes: list[Outcome] = []
    bodies = rule_state.texts(conn, series.keys())
    changed: dict[rule_state.Key, SeriesState | TrendState] = {}
    for key, (rule, device, metric, readings) in series.items():
        body = bodies.get(key)
        if len(readings) > 1:
            readings.sort(key=_at)
        if isinstance(rule.when, TrendTo):
            trend = _trend_state(body) if body else TrendState()
            line, found = judge_trend(book, rule, device, metric, trend, readings)
            if line is not trend:
                changed[key] = line
        else:
            before = _state(body) if body else SeriesState()
            if still_well(book, rule, device, metric, before, readings):
                continue
            after, found = judge_readings(book, rule, device, metric, before, readings)
            if worth_keeping(before, after):
                changed[key] = after
        if found:
            outcomes += found
    rule_state.put(conn, changed, now)
    return outcomes


def _gather(series: Series, one: Accepted, told: Readings, own: Own) -> None:
    """Add a message's readings to the series that they belong to."""
    ahead = _ahead(one)
    lists: dict[str, list[list[JudgedReading]]] = {}
    for reading in told.readings:
        metric = reading.metric
        readings = lists.get(metric)
        if readings is None:
            readings = lists[metric] = []
            for key, rule in own.series(metric):
                held = series.get(key)
                if held is None:
                    held = series[key] = (rule, one.device, metric, [])
                readings.append(held[3])
        if not readings or reading.quality is Quality.BAD:
            continue
        at = reading.measured_at - ahead if ahead else reading.measured_at
        seen = JudgedReading(at, reading.value, reading.unit, reading.quality)
        for judged in readings:
            judged.append(seen)


_trend_state = msgspec.json.Decoder(TrendState).decode
_series_state = msgspec.json.Decoder(SeriesState).decode
_at = attrgetter("at")


def _state(body: str) -> SeriesState:
    if body.startswith(_PRESENT):
        return _series_state(body)
    old = msgspec.json.decode(body)  # as versions before late readings kept it
    return msgspec.convert({"now": old} if "seen_at" in old else old, SeriesState)


_PRESENT = ('{"now"', '{"late"')


def carry_out(
    conn: Connection, book: RuleBook, outcomes: Sequence[Outcome], now: datetime
) -> list[Outcome]:
    """Raise and resolve in the ledger, in order; returns what follows of it, carried out as well.

    What follows are the outcomes of rules that combine others.
    """
    following = _combine(conn, book, outcomes, now)
    raised: dict[rule_state.Key, list[str]] = {}
    for outcome in (*outcomes, *following):
        if isinstance(outcome, Raise):
            alert_id, _ = alerts.raise_alert(conn, _new_alert(outcome), now)
            if outcome.observation_id:
                key = _of_observation(outcome.who, outcome.observation_id)
                raised.setdefault(key, []).append(alert_id)
        else:
            alerts.resolve(conn, outcome.fingerprint, outcome.at, outcome.reason)
    rule_state.put(conn, {key: {"alerts": ids} for key, ids in raised.items()}, now)
    return following


def _combine(
    conn: Connection, book: RuleBook, outcomes: Sequence[Outcome], now: datetime
) -> list[Outcome]:
    """Outcomes of rules that combine others; the sites' states are locked, stepped on and kept."""
    if not book.parts:
        return []
    told: dict[rule_state.Key, list[Told]] = {}
    rules: dict[str, Rule] = {}
    for outcome in outcomes:
        for rule, part, site in book.combined(outcome):
            rules[rule.id] = rule
            told.setdefault((rule.id, site), []).append(Told(part, outcome))
    if not told:
        return []
    following: list[Outcome] = []
    changed: dict[rule_state.Key, Any] = {}
    bodies = rule_state.get(conn, told)
    for key, news in sorted(told.items(), key=lambda item: item[0]):
        before = msgspec.convert(bodies[key], TogetherState)
        after, found = combine.step(before, rules[key[0]], key[1], news)
        following += found
        if after != before:
            changed[key] = msgspec.to_builtins(after)
    rule_state.put(conn, changed, now)
    return following


def put_evidence(
    conn: Connection, book: RuleBook, fresh: Iterable[Accepted], now: datetime
) -> tuple[bool, list[Outcome]]:
    """Store the batch's pictures; True if one belongs to an alert that is already raised.

    Such an alert is noted in the journal, so that its state is published again with the picture.
    The outcomes are those of agents that sign with a new key.
    """
    late: dict[rule_state.Key, tuple[Identity, str]] = {}
    outcomes: list[Outcome] = []
    for one in fresh:
        picture = one.event.data
        if isinstance(picture, Evidence):
            agent = one.numbered.agent if one.numbered else one.who
            received_at = one.message.received_at
            stored = evidence.put(conn, one.who, picture, received_at, agent=agent.device)
            if stored.new_key:
                outcomes += judge_key(book, agent, "", stored.new_key.key_id, received_at)
            if picture.observation_id:
                key = _of_observation(one.who, picture.observation_id)
                late[key] = (one.who, picture.evidence_id)
    found = rule_state.get(conn, late)
    for key, (who, evidence_id) in late.items():
        for alert_id in found[key].get("alerts", ()):
            journal.append(
                conn,
                ALERT_EVIDENCE,
                at=now,
                region=who.region,
                site=who.site,
                ref=alert_id,
                body={"device": who.device, "evidence_id": evidence_id},
            )
    return any(found.values()), outcomes


def _new_alert(raised: Raise) -> alerts.NewAlert:
    return alerts.NewAlert(
        fingerprint=raised.fingerprint,
        rule=raised.rule.id,
        rule_version=raised.rule.version,
        severity=raised.rule.severity,
        title_zh=raised.title_zh,
        title_en=raised.title_en,
        summary_zh=raised.summary_zh,
        summary_en=raised.summary_en,
        who=raised.who,
        raised_at=raised.at,
        result_id=raised.result_id,
        observation_id=raised.observation_id,
        facts=raised.facts,
        evidence=raised.evidence,
    )


def _ahead(one: Accepted) -> timedelta:
    """How far the edge's clock runs ahead, where that is certain: it captured in our future."""
    ahead = one.event.envelope.time - one.message.received_at
    return ahead if ahead > AHEAD_TOLERATED else timedelta(0)


def _of_observation(who: Identity, observation_id: str) -> rule_state.Key:
    return OF_OBSERVATION, f"{who.source}|{observation_id}"
