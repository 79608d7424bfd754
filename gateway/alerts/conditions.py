"""What devices say of themselves, judged by expressions: clocks, backlogs, thinning. Pure.

`…_grown` counts over the rule's window: marks of the counters are remembered, an eighth of the
window apart. A counter that fell began anew, with the device. What is not heard is not judged: its
absence is an alert already.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from gateway.alerts import ending, wording
from gateway.alerts.absence import Key, View
from gateway.alerts.book import LazyScene, RuleBook
from gateway.alerts.expression import Fields
from gateway.alerts.fields import place_fields
from gateway.alerts.kinds import DeviceIs
from gateway.alerts.outcomes import Outcome, Raise, Resolve, fingerprint, place, raising
from gateway.alerts.rule import Rule
from ledger.devices import Device
from ledger.missing import silent

KEY = "device"
MARKS = 8
GROWN = ("backlog", "thinned", "discarded_bytes")


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """The counters of a device at a time."""

    at: datetime
    backlog: int
    thinned: int
    discarded_bytes: int


class ConditionState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one rule on one device."""

    since: datetime | None = None
    """While it is so: since when."""
    firing: bool = False
    marks: tuple[Mark, ...] = ()


class ConditionFindings(msgspec.Struct, frozen=True):
    """What has changed: states to keep, outcomes to carry out."""

    states: dict[Key, ConditionState]
    outcomes: list[Outcome]


def look_at_devices(
    book: RuleBook, view: View, states: Mapping[Key, ConditionState]
) -> ConditionFindings:
    """Judge every device once."""
    findings = ConditionFindings({}, [])
    for rule in book.conditions:
        grows = asks_growth(book, rule)
        for device in view.devices:
            if (
                device.status_received_at is not None
                and judges(book, rule, device)
                and not silent(device, view.at)
            ):
                key = (rule.id, device.identity.source)
                before = states.get(key, ConditionState())
                after, outcomes = step(book, rule, device, before, view.at, grows=grows)
                findings.outcomes.extend(outcomes)
                if after != before:
                    findings.states[key] = after
    return findings


def judges(book: RuleBook, rule: Rule, device: Device) -> bool:
    """Whether the rule is one of what devices say, and concerns this one."""
    return (
        isinstance(rule.when, DeviceIs)
        and (not rule.when.device_kinds or device.kind.value in rule.when.device_kinds)
        and book.fits(rule, device)
    )


def asks_growth(book: RuleBook, rule: Rule) -> bool:
    """Whether the rule's expression asks what grew: then marks are remembered."""
    expression = book.expression(rule)
    return expression is not None and any(name.endswith("_grown") for name in expression.names)


def step(
    book: RuleBook, rule: Rule, device: Device, state: ConditionState, at: datetime, *, grows: bool
) -> tuple[ConditionState, list[Outcome]]:
    """Judge one device; `grows` is what `asks_growth` says."""
    when = rule.when
    if not isinstance(when, DeviceIs):
        return state, []
    marks = _marked(state.marks, device, at, when.window_s) if grows else ()
    fields = condition_fields(device, at, marks)
    so = book.in_force(rule, at) and book.says(rule, LazyScene("device", lambda: fields))
    if so:
        since = state.since or at
        lasted_s = (at - since).total_seconds()
        firing = state.firing or lasted_s >= when.for_s
        raised = firing and not state.firing
        after = ConditionState(since, firing, marks)
        return after, [_raise(rule, device, at, lasted_s, fields)] if raised else []
    over = Resolve(fingerprint=fingerprint(rule, device.identity, KEY), at=at, reason=ending.NOT_SO)
    return ConditionState(marks=marks), [over] if state.firing else []


def condition_fields(device: Device, at: datetime, marks: tuple[Mark, ...] = ()) -> Fields:
    """The fields of a device, as it last told them."""
    heard_at = device.last_seen_at or device.registered_at
    grown = {f"{name.removesuffix('_bytes')}_grown": _grown(name, device, marks) for name in GROWN}
    return {
        **place_fields(device),
        "state": device.state.value,
        "state_detail": device.state_detail,
        "backlog": device.backlog,
        "oldest_unsent_age_s": device.oldest_unsent_age_s,
        "outbox_bytes": device.outbox_bytes,
        "thinned": device.thinned,
        "discarded_bytes": device.discarded_bytes,
        "clock_offset_s": device.clock_offset_s,
        "software": device.software,
        "figures": device.figures,
        "silent_s": (at - heard_at).total_seconds(),
        **grown,
    }


def _marked(
    marks: tuple[Mark, ...], device: Device, at: datetime, window_s: float
) -> tuple[Mark, ...]:
    """The marks of the last window, with a new one where the last is old enough."""
    apart = timedelta(seconds=window_s / MARKS)
    if marks and at - marks[-1].at < apart:
        return marks
    since = at - timedelta(seconds=window_s)
    kept = tuple(mark for mark in marks if mark.at > since)[-MARKS:]
    return (*kept, Mark(at, device.backlog, device.thinned, device.discarded_bytes))


def _grown(name: str, device: Device, marks: tuple[Mark, ...]) -> int:
    """How much more it is than at the oldest mark; what fell on the way began anew."""
    told = [int(getattr(mark, name)) for mark in marks] + [int(getattr(device, name))]
    if name == "backlog":
        return told[-1] - told[0]
    return sum(max(0, after - before) for before, after in pairwise(told))


def _raise(rule: Rule, device: Device, at: datetime, lasted_s: float, fields: Fields) -> Raise:
    offset = device.clock_offset_s
    common = place(device.identity, device.name) | {
        "state": device.state.value,
        "detail": device.state_detail,
        "backlog": str(device.backlog),
        "thinned": str(device.thinned),
        "grown": str(max(fields["thinned_grown"], fields["backlog_grown"])),
    }
    zh = {"duration": wording.duration_zh(lasted_s)}
    en = {"duration": wording.duration_en(lasted_s)}
    if offset is not None:
        zh["clock_offset"] = wording.duration_zh(abs(offset))
        en["clock_offset"] = wording.duration_en(abs(offset))
    else:
        zh["clock_offset"] = en["clock_offset"] = ""
    told = (*GROWN, "clock_offset_s", "oldest_unsent_age_s", "outbox_bytes", "thinned_grown")
    return raising(
        rule,
        device.identity,
        KEY,
        at,
        zh=common | zh,
        en=common | en,
        facts={name: fields[name] for name in told},
    )
