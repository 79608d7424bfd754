"""What should have come by a time of the day, and has not. Pure; the states live in the ledger.

The day is over at midnight: what did not come that day does not come any more, and the next day
begins anew. Nor is anything judged that we could not have heard: before we listened, or of a site
whose agent is offline.
"""

from collections.abc import Mapping, Set
from datetime import datetime, timedelta

from contracts.topics import Identity
from contracts.words import DeviceState
from gateway.alerts import ending
from gateway.alerts.absence import AbsenceState, Findings, Key, View, is_absent
from gateway.alerts.book import RuleBook
from gateway.alerts.day_times import LOCAL, minutes
from gateway.alerts.kinds import Expected
from gateway.alerts.outcomes import Resolve, fingerprint, place, raising
from gateway.alerts.rule import Rule
from ledger.devices import Device, DeviceKind

KEY = "expected"


def since_of(when: Expected, at: datetime) -> datetime:
    """From when on it counts on the day of `at`."""
    local = at.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    return local + timedelta(minutes=minutes(when.since))


def due(book: RuleBook, rule: Rule, at: datetime) -> bool:
    """Whether it is late enough on a day on which the rule counts."""
    when = rule.when
    if not isinstance(when, Expected):
        return False
    local = at.astimezone(LOCAL)
    return local.hour * 60 + local.minute >= minutes(when.by) and book.in_force(rule, at)


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
            for key, device in _judged(book, rule, rule.when, view, agents).items():
                came = _came(rule.when, rule, device, view, tested)
                _step(book, rule, key, device, view, came, offline, states, findings)
    return findings


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


def _came(
    when: Expected, rule: Rule, device: Device, view: View, tested: Mapping[str, Set[str]]
) -> bool:
    if when.event == "tests":
        return device.site in tested.get(rule.id, ())
    return device.last_seen_at is not None and device.last_seen_at >= since_of(when, view.at)


def _step(
    book: RuleBook,
    rule: Rule,
    key: Key,
    device: Device,
    view: View,
    came: bool,
    offline: Set[str],
    states: Mapping[Key, AbsenceState],
    findings: Findings,
) -> None:
    before = states.get(key, AbsenceState())
    when, who = rule.when, device.identity
    if not isinstance(when, Expected):
        return
    today = before.since is not None and before.since >= since_of(when, view.at)
    if before.firing and (came or not today):
        findings.outcomes.append(
            _over(rule, who, view.at, ending.CAME if came else ending.DAY_OVER)
        )
        findings.states[key] = before = AbsenceState(before.since)
    told = before.since is not None and today
    listened = view.listening_since <= since_of(when, view.at) + timedelta(
        minutes=minutes(when.by) - minutes(when.since)
    )
    if (
        not told
        and not came
        and listened
        and device.site not in offline
        and device.state is not DeviceState.OFFLINE
        and due(book, rule, view.at)
    ):
        words = place(who, device.name) | {"by": when.by}
        facts = {"by": when.by, "since": when.since}
        findings.outcomes.append(raising(rule, who, KEY, view.at, zh=words, en=words, facts=facts))
        findings.states[key] = AbsenceState(view.at, firing=True)


def _over(rule: Rule, who: Identity, at: datetime, reason: str) -> Resolve:
    return Resolve(fingerprint=fingerprint(rule, who, KEY), at=at, reason=reason)
