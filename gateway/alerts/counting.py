"""So many events within a time: rules of count, rate and different values, as pure steps.

What is remembered of a group is its events as a set, each by its own name, so that neither order
nor repetition matters: a window is looked for around each event that comes. Bounded: what is older
than twice the window before the newest, or more than so many, is forgotten.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.events import Observation, TestResult
from gateway.alerts import ending, wording
from gateway.alerts.absence import Key
from gateway.alerts.book import ANY, LazyScene, RuleBook
from gateway.alerts.fields import observation_fields, result_fields
from gateway.alerts.kinds import CountOf
from gateway.alerts.outcomes import Outcome, Raise, Resolve, place, raising
from gateway.alerts.rule import Rule, matches
from ledger.devices import Device

KEY = "window"
MOST = 256
"""Events of one group that are remembered, the newest."""


class Counted(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One event of a group."""

    at: datetime
    name: str
    """Unique in the group: an event that comes again is the same."""
    matched: bool
    value: str = ""
    """Of the field whose different values are counted."""


class CountState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one rule on one group."""

    events: tuple[Counted, ...] = ()
    """By time."""
    until: datetime | None = None
    """While firing: when it is over, unless more comes."""


class Entry(msgspec.Struct, frozen=True):
    """An event on its way to one rule's group."""

    rule: Rule
    group: tuple[str, ...]
    event: Counted
    device: Device


def entries(
    book: RuleBook, device: Device, name: str, fact: TestResult | Observation
) -> list[Entry]:
    """The groups of which rules a fact belongs to; `name` is the fact's own."""
    own = book.own(device)
    if isinstance(fact, TestResult):
        rules, at = own.test_counts, fact.captured_at
        if not rules:
            return []
        fields: dict[str, Any] = result_fields(device, fact)
        scene = LazyScene("tests", lambda: fields)
    else:
        counts = own.observation_counts
        rules, at = (*counts.get(fact.kind, ()), *counts.get(ANY, ())), fact.started_at
        if not rules:
            return []
        fields = observation_fields(device, fact)
        scene = LazyScene("observations", lambda: fields)
    found = []
    for rule in rules:
        when = rule.when
        if not isinstance(when, CountOf) or not book.in_force(rule, at):
            continue
        matched = _fits(when, fact) and book.says(rule, scene)
        group = tuple(str(fields.get(name, "")) for name in when.by)
        value = str(fields.get(when.distinct, "")) if when.distinct else ""
        if (matched or when.share) and all(group) and (value or not when.distinct):
            found.append(Entry(rule, group, Counted(at, name, matched, value), device))
    return found


def step(state: CountState, when: CountOf, events: Sequence[Counted]) -> tuple[CountState, bool]:
    """Add events of one group; says whether it fires now. What fires already does not fire anew."""
    known = {event.name for event in state.events}
    new = []
    for event in sorted(events):
        if event.name not in known:
            known.add(event.name)
            new.append(event)
    if not new:
        return state, False
    window = timedelta(seconds=when.window_s)
    held = sorted((*state.events, *new))
    held = [event for event in held if held[-1].at - event.at <= 2 * window][-MOST:]
    last = max(
        (end for event in new if (end := _completed(held, event, when, window))), default=None
    )
    until = state.until
    if last is not None:
        until = max(last + window, until) if until else last + window
    return CountState(tuple(held), until), until is not None and state.until is None


class CountFindings(msgspec.Struct, frozen=True):
    """Groups in which it is over: their states, and what follows."""

    states: dict[Key, CountState]
    outcomes: list[Outcome]


def look_for_ends(book: RuleBook, now: datetime, states: Mapping[Key, CountState]) -> CountFindings:
    """Which groups fire no longer, since nothing has completed a window for so long."""
    findings = CountFindings({}, [])
    ids = {rule.id for rule in book.counts}
    for (rule_id, series), state in states.items():
        if rule_id in ids and state.until is not None and now > state.until:
            findings.states[rule_id, series] = CountState(state.events)
            findings.outcomes.append(
                Resolve(
                    fingerprint=f"{rule_id}|{series}|{KEY}",
                    at=state.until,
                    reason=ending.NO_MORE,
                )
            )
    return findings


def raised(entry: Entry, state: CountState) -> Raise:
    """The alert of a group that fires."""
    rule, when, device = entry.rule, entry.rule.when, entry.device
    if not isinstance(when, CountOf):
        raise TypeError(f"rule {rule.id} counts nothing")
    last = max((event for event in state.events if event.matched), default=entry.event)
    begun = last.at - timedelta(seconds=when.window_s)
    within = [event for event in state.events if begun <= event.at <= last.at]
    matched = [event for event in within if event.matched]
    count = len({event.value for event in matched}) if when.distinct else len(matched)
    common = place(device.identity, device.name) | {
        "count": str(count),
        "all": str(len(within)),
        "group": "、".join(entry.group),
        "latest": matched[-1].value if matched else "",
    }
    return raising(
        rule,
        device.identity,
        KEY,
        last.at,
        zh=common | {"duration": wording.duration_zh(when.window_s)},
        en=common
        | {"duration": wording.duration_en(when.window_s), "group": ", ".join(entry.group)},
        facts={
            "count": count,
            "of": len(within),
            "group": dict(zip(when.by, entry.group, strict=True)),
            "since": matched[0].at.isoformat() if matched else None,
            "events": [event.name for event in matched[-20:]],
        },
        of=series_of(entry.group),
    )


def series_of(group: Sequence[str]) -> str:
    """A group as one text, at most 160 characters long."""
    return "/".join(part.replace("|", "¦")[:40] for part in group)[:160]


def _fits(when: CountOf, fact: TestResult | Observation) -> bool:
    if isinstance(fact, TestResult):
        return (
            (not when.verdicts or fact.verdict in when.verdicts)
            and matches(when.items, fact.item_code)
            and not (when.except_items and matches(when.except_items, fact.item_code))
        )
    return (not when.kinds or fact.kind in when.kinds) and (
        not when.zone_kinds or fact.zone_kind in when.zone_kinds
    )


def _completed(
    held: Sequence[Counted], new: Counted, when: CountOf, window: timedelta
) -> datetime | None:
    """When the last window was complete that has the new event in it; None if none is."""
    last = None
    for end in held:
        if not (new.at <= end.at <= new.at + window and end.matched):
            continue
        within = [event for event in held if end.at - window <= event.at <= end.at]
        matched = [event for event in within if event.matched]
        count = len({event.value for event in matched}) if when.distinct else len(matched)
        if count >= when.count and len(matched) >= when.share * len(within):
            last = end.at
    return last
