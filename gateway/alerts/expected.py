"""What should have come by a time of the day, and has not. Pure; the states live in the ledger.

The day is over at midnight: what did not come that day does not come any more, and the next day
begins anew. Nor is anything judged that we could not have heard: before we listened, or of a site
whose agent is offline.
"""

from collections.abc import Mapping, Set
from datetime import datetime, timedelta

import msgspec

from contracts.topics import Identity
from contracts.words import DeviceState
from contracts.workdays import day_began
from gateway.alerts import ending
from gateway.alerts.absence import AbsenceState, Findings, Key, View, is_absent
from gateway.alerts.book import RuleBook
from gateway.alerts.day_times import minutes
from gateway.alerts.kinds import Expected
from gateway.alerts.outcomes import Resolve, fingerprint, place, raising
from gateway.alerts.rule import Rule
from ledger.devices import Device, DeviceKind

KEY = "expected"


def since_of(when: Expected, at: datetime) -> datetime:
    """From when on it counts on the day of `at`."""
    return day_began(at) + timedelta(minutes=minutes(when.since))


class _Day(msgspec.Struct, frozen=True):
    """One rule, on the day that is looked at."""

    rule: Rule
    when: Expected
    begun: datetime
    """From when on it counts."""
    due: bool
    """It is late enough, on a day on which the rule counts, and we listened by then."""


def look_for_expected(
    book: RuleBook,
    view: View,
    tested: Mapping[str, Set[str]],
    states: Mapping[Key, AbsenceState],
) -> Findings:
    """Judge once; `tested` says for each rule over tests which sites have had a result."""
    findings = Findings({}, [], [])
    agents = {one.site: one for one in view.devices if one.kind is DeviceKind.AGENT}
    offline = {site for site, agent in agents.items() if is_absent(agent, view)}
    for rule in book.expected:
        if isinstance(rule.when, Expected):
            day = _day(book, rule, rule.when, view)
            for key, device in _judged(book, rule, rule.when, view, agents).items():
                before = states.get(key, AbsenceState())
                came = _came(day, device, tested)
                _step(day, key, device, view.at, before, came, offline, findings)
    return findings


def _day(book: RuleBook, rule: Rule, when: Expected, view: View) -> _Day:
    begun = since_of(when, view.at)
    by = begun + timedelta(minutes=minutes(when.by) - minutes(when.since))
    due = view.listening_since <= by <= view.at and book.in_force(rule, view.at)
    return _Day(rule, when, begun, due)


def _judged(
    book: RuleBook, rule: Rule, when: Expected, view: View, agents: Mapping[str, Device]
) -> dict[Key, Device]:
    """Whom the rule judges: each such device, or the agent of each site that has one."""
    found: dict[Key, Device] = {}
    for device in view.devices:
        if (not when.device_kinds or device.kind.value in when.device_kinds) and book.fits(
            rule, device
        ):
            judged = device if when.event == "heard" else agents.get(device.site, device)
            found.setdefault((rule.id, judged.identity.source), judged)
    return found


def _came(day: _Day, device: Device, tested: Mapping[str, Set[str]]) -> bool:
    if day.when.event == "tests":
        return device.site in tested.get(day.rule.id, ())
    return device.last_seen_at is not None and device.last_seen_at >= day.begun


def _step(
    day: _Day,
    key: Key,
    device: Device,
    at: datetime,
    before: AbsenceState,
    came: bool,
    offline: Set[str],
    findings: Findings,
) -> None:
    rule, when, who = day.rule, day.when, device.identity
    told_today = before.since is not None and before.since >= day.begun
    if before.firing and (came or not told_today):
        findings.outcomes.append(_over(rule, who, at, ending.CAME if came else ending.DAY_OVER))
        findings.states[key] = AbsenceState(before.since)
    if (
        day.due
        and not told_today
        and not came
        and device.site not in offline
        and device.state is not DeviceState.OFFLINE
    ):
        words = place(who, device.name) | {"by": when.by}
        facts = {"by": when.by, "since": when.since}
        findings.outcomes.append(raising(rule, who, KEY, at, zh=words, en=words, facts=facts))
        findings.states[key] = AbsenceState(at, firing=True)


def _over(rule: Rule, who: Identity, at: datetime, reason: str) -> Resolve:
    return Resolve(fingerprint=fingerprint(rule, who, KEY), at=at, reason=reason)
