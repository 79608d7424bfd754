"""What does not arrive, and what was lost: a backlog that grows old, numbers that are nowhere.

An agent that is not heard is not judged for its backlog: its absence is an alert already. A loss is
over when the numbers have been found again, not when nobody speaks of their epoch any more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from contracts.topics import Identity
from gateway.alerts import ending, wording
from gateway.alerts.absence import AbsenceState, Findings, Key
from gateway.alerts.book import RuleBook
from gateway.alerts.kinds import DataWaiting
from gateway.alerts.outcomes import Raise, Resolve, fingerprint, place, raising
from gateway.alerts.rule import Rule, matches
from ledger.devices import Device
from ledger.missing import Missing, MissingKind, silent

WAITING = "waiting"


def look_for_gaps(
    book: RuleBook,
    at: datetime,
    agents: Sequence[Device],
    lost: Sequence[Missing],
    states: Mapping[Key, AbsenceState],
) -> Findings:
    """Judge backlogs and losses once; `lost` is what the ledger says of these agents."""
    findings = Findings({}, [], [])
    for rule in book.waitings:
        for agent in agents:
            if isinstance(rule.when, DataWaiting) and not silent(agent, at):
                _judge_waiting(book, rule, rule.when, agent, at, states, findings)
    for rule in book.losses:
        _judge_losses(book, rule, at, agents, lost, states, findings)
    return findings


def _judge_waiting(
    book: RuleBook,
    rule: Rule,
    when: DataWaiting,
    agent: Device,
    at: datetime,
    states: Mapping[Key, AbsenceState],
    findings: Findings,
) -> None:
    key = (rule.id, agent.identity.source)
    since = agent.waiting_since
    firing = states.get(key, AbsenceState()).firing
    share = 0.5 if firing else 1.0
    age_s = (at - since).total_seconds() if since else 0.0
    much = age_s >= when.age_s * share or agent.backlog >= when.backlog * share
    if since and much and not firing and book.fits(rule, agent) and book.in_force(rule, at):
        words = {"backlog": str(agent.backlog), "reason": agent.state_detail}
        said = place(agent.identity, agent.name) | words
        findings.outcomes.append(
            raising(
                rule,
                agent.identity,
                WAITING,
                at,
                zh=said | {"duration": wording.duration_zh(age_s)},
                en=said | {"duration": wording.duration_en(age_s)},
                facts={"backlog": agent.backlog, "since": since.isoformat()},
            )
        )
        findings.states[key] = AbsenceState(since, firing=True)
    elif firing and not (since and much):
        _resolve(rule, key, agent.identity, WAITING, at, ending.RECEIPTED, findings)


def _judge_losses(
    book: RuleBook,
    rule: Rule,
    at: datetime,
    agents: Sequence[Device],
    lost: Sequence[Missing],
    states: Mapping[Key, AbsenceState],
    findings: Findings,
) -> None:
    gaps = {
        (rule.id, f"{gap.agent.source}#{gap.epoch}"): gap
        for gap in lost
        if gap.kind is MissingKind.LOST
    }
    for key, gap in gaps.items():
        state = states.get(key, AbsenceState())
        if not state.firing and matches(rule.regions, gap.agent.region) and book.in_force(rule, at):
            findings.outcomes.append(_lost(rule, gap, at))
            findings.states[key] = AbsenceState(at, firing=True)
    for agent in agents:
        for epoch in (one.epoch for one in agent.numbering):
            key = (rule.id, f"{agent.identity.source}#{epoch}")
            if key not in gaps and states.get(key, AbsenceState()).firing:
                _resolve(
                    rule, key, agent.identity, f"lost {epoch}", at, ending.FOUND_AGAIN, findings
                )


def _lost(rule: Rule, gap: Missing, at: datetime) -> Raise:
    words = {"events": str(gap.events), "numbers": gap.numbers(), "epoch": gap.epoch}
    said = place(gap.agent, gap.name) | words
    facts = {
        "events": gap.events,
        "epoch": gap.epoch,
        "ranges": gap.ranges,
        "not_before": gap.since.isoformat() if gap.since else None,
    }
    return raising(rule, gap.agent, f"lost {gap.epoch}", at, zh=said, en=said, facts=facts)


def _resolve(
    rule: Rule,
    key: Key,
    who: Identity,
    name: str,
    at: datetime,
    reason: str,
    findings: Findings,
) -> None:
    findings.outcomes.append(
        Resolve(fingerprint=fingerprint(rule, who, name), at=at, reason=reason)
    )
    findings.states[key] = AbsenceState()
