"""Who is missing: a site's agent, or a single device. Pure; the states live in the ledger.

An agent is absent when it said farewell (its last will) or has been silent for too long. After
`for_s` of that, one alert for the site is raised and the site's other devices become unknown; while
an agent is absent, its devices' silence is not judged, and after its return each has its time anew.
Nor does silence count from before we ourselves were listening.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.topics import Identity
from contracts.words import DeviceState
from gateway.alerts import ending, wording
from gateway.alerts.book import RuleBook
from gateway.alerts.kinds import AgentOffline, DeviceSilent
from gateway.alerts.outcomes import Outcome, Resolve, fingerprint, place, raising
from gateway.alerts.rule import Rule
from ledger.devices import Device, DeviceKind

KEY = "absent"
Key = tuple[str, str]
"""Rule id and the source of the device."""


class AbsenceState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one rule on one device."""

    since: datetime | None = None
    """While absent: since when."""
    firing: bool = False
    back_at: datetime | None = None
    """When it last came back."""


class View(msgspec.Struct, frozen=True):
    """What is known at one moment."""

    at: datetime
    listening_since: datetime
    devices: Sequence[Device]


class Findings(msgspec.Struct, frozen=True):
    """What has changed: states to keep, outcomes to carry out, sites whose devices are unknown."""

    states: dict[Key, AbsenceState]
    outcomes: list[Outcome]
    unknown: list[Identity]
    """Agents whose sites' other devices become unknown."""


def look(book: RuleBook, view: View, states: Mapping[Key, AbsenceState]) -> Findings:
    """Judge everybody's absence once.

    `view.devices` may leave out who is well: who is neither silent for too long nor an agent that
    said farewell, and is remembered neither as absent nor as firing; but not the agent of a site
    whose devices it names.
    """
    findings = Findings({}, [], [])
    agents = {one.site: one for one in view.devices if one.kind is DeviceKind.AGENT}
    absent_sites = {site for site, agent in agents.items() if is_absent(agent, view)}
    back_at: dict[str, datetime] = {}
    for rule in book.offlines:
        for site, agent in agents.items():
            if (
                isinstance(rule.when, AgentOffline)
                and book.fits(rule, agent)
                and book.in_force(rule, view.at)
            ):
                absent = site in absent_sites
                state = _judge(rule, rule.when.for_s, agent, absent, view, states, findings)
                if state.back_at:
                    back_at[site] = max(state.back_at, back_at.get(site, state.back_at))
    for rule in book.silences:
        for device in view.devices:
            if (
                isinstance(rule.when, DeviceSilent)
                and device.kind.value in rule.when.device_kinds
                and device.site not in absent_sites
                and book.fits(rule, device)
                and book.in_force(rule, view.at)
            ):
                silent = _silent(device, view, back_at.get(device.site))
                _judge(rule, 0.0, device, silent, view, states, findings)
    _forget_unregistered(book, view, states, findings)
    return findings


def _silent(device: Device, view: View, back_at: datetime | None = None) -> bool:
    if device.silent_after_s is None:
        return False
    heard_at = max(_heard_at(device), view.listening_since, back_at or view.listening_since)
    return view.at - heard_at > timedelta(seconds=device.silent_after_s)


def is_absent(agent: Device, view: View) -> bool:
    """Whether an agent said farewell, or has been silent for too long."""
    return agent.state is DeviceState.OFFLINE or _silent(agent, view)


def _heard_at(device: Device) -> datetime:
    return device.last_seen_at or device.registered_at


def _judge(
    rule: Rule,
    for_s: float,
    device: Device,
    absent: bool,
    view: View,
    states: Mapping[Key, AbsenceState],
    findings: Findings,
) -> AbsenceState:
    """Step one rule on one device; returns its state and notes what changed."""
    who = device.identity
    key = (rule.id, who.source)
    before = states.get(key, AbsenceState())
    after = before
    if absent:
        since = before.since or view.at
        firing = before.firing or (view.at - since).total_seconds() >= for_s
        after = AbsenceState(since, firing, before.back_at)
        if firing and not before.firing:
            findings.outcomes.append(_raising(rule, device, view))
            if device.kind is DeviceKind.AGENT:
                findings.unknown.append(who)
    elif before.since or before.firing:
        after = AbsenceState(back_at=view.at)
        if before.firing:
            findings.outcomes.append(_resolving(rule, who, view.at, ending.HEARD_AGAIN))
    if after != before:
        findings.states[key] = after
    return after


def _raising(rule: Rule, device: Device, view: View) -> Outcome:
    lasted_s = (view.at - _heard_at(device)).total_seconds()
    common = place(device.identity, device.name)
    facts: dict[str, Any] = {
        "last_seen_at": device.last_seen_at.isoformat() if device.last_seen_at else None,
        "silent_after_s": device.silent_after_s,
        "state": device.state.value,
    }
    return raising(
        rule,
        device.identity,
        KEY,
        view.at,
        zh=common | {"duration": wording.duration_zh(lasted_s)},
        en=common | {"duration": wording.duration_en(lasted_s)},
        facts=facts,
    )


def _resolving(rule: Rule, who: Identity, at: datetime, reason: str) -> Outcome:
    return Resolve(fingerprint=fingerprint(rule, who, KEY), at=at, reason=reason)


def _forget_unregistered(
    book: RuleBook, view: View, states: Mapping[Key, AbsenceState], findings: Findings
) -> None:
    """A device that is registered no longer is not missing any more."""
    known = {device.identity.source: device.identity for device in view.devices}
    rules: Iterable[Rule] = (*book.offlines, *book.silences)
    for rule in rules:
        for (rule_id, source), state in states.items():
            if rule_id == rule.id and source not in known and state.firing:
                findings.states[rule_id, source] = AbsenceState()
                resolved = Resolve(
                    fingerprint=f"{rule.id}|{source}|{KEY}",
                    at=view.at,
                    reason=ending.NOT_REGISTERED,
                )
                findings.outcomes.append(resolved)
