"""How much one recipient is told by itself: what is beyond waits for a digest. Pure.

Two bounds: messages within a storm's window, and an officer's messages of a day. Class 1 passes
both, and so do digests and notices; escalations and messages of cases pass the day's bound.
Nothing is dropped.
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from contracts.words import Severity
from gateway.notify import wording
from gateway.notify.pipeline_settings import PipelineSettings
from ledger.notifications import NewNotification
from ledger.pressures import Pressure

FREE_KINDS = ("digest", "notice")
UNBUDGETED_KINDS = ("digest", "notice", "escalated", "case")

Recipient = tuple[str, str]
"""Officer id and route."""


class Held(msgspec.Struct, frozen=True):
    """New notifications as they pass, or wait; and who is in a storm now."""

    new: list[NewNotification]
    storms: set[Recipient]


def bounded(one: NewNotification) -> bool:
    """Whether it may have to wait, by what its recipient has had."""
    return not one.hold and one.severity is not Severity.AT_ONCE and one.kind not in FREE_KINDS


def hold_back(
    new: Iterable[NewNotification],
    pressures: Mapping[Recipient, Pressure],
    settings: PipelineSettings,
) -> Held:
    """Let notifications pass, in order, or hold them.

    `pressures`: what those have had who get a message that is `bounded`.
    """
    recent = {key: one.recent for key, one in pressures.items()}
    today = {key: one.today for key, one in pressures.items()}
    storms = {key for key, one in pressures.items() if one.storm}
    began: set[Recipient] = set()
    passed: list[NewNotification] = []
    for one in sorted(new, key=lambda one: one.severity):
        key = (one.recipient, one.route)
        if one.hold:
            passed.append(one)
            continue
        bound = bounded(one)
        budgeted = bound and bool(one.recipient) and one.kind not in UNBUDGETED_KINDS
        if bound and (key in storms or recent.get(key, 0) >= settings.storm_limit):
            storms.add(key)
            began.add(key)
            passed.append(replace(one, hold="storm", reason=wording.STORM))
            continue
        if budgeted and today.get(key, 0) >= settings.day_budget:
            reason = wording.over_budget(settings.day_budget)
            passed.append(replace(one, hold="day", reason=reason))
            continue
        recent[key] = recent.get(key, 0) + 1
        if bound:
            today[key] = today.get(key, 0) + 1
        passed.append(one)
    return Held(passed, began)
