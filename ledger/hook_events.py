"""What webhooks tell: the events' names, from the journal's kinds, and what stands in them.

An event is thin: what changed, where, and a few words of it. Whoever wants more asks the API, with
a token and its rights.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from ledger import journal
from ledger.journal import JournalRow

FAMILIES: dict[str, str] = {
    "alert": "alerts:read",
    "case": "cases:read",
    "device": "devices:read",
    "result": "results:read",
}
"""What events are about → the scope by which the API shows it."""
PATTERNS = (
    "alert.raised",
    "alert.changed",
    "alert.closed",
    "alert.*",
    "case.*",
    "device.*",
    "result.*",
)
"""What a subscription may name."""
TEST = "webhook.test"
"""Sent when somebody asks for it, to see that it arrives."""
_BY_KIND = {
    journal.ALERT_RAISED: "alert.raised",
    journal.ALERT_CLOSED: "alert.closed",
    journal.CASE: "case.changed",
    journal.DEVICE: "device.changed",
    journal.RESULT: "result.stored",
}
_TOLD: dict[str, tuple[str, ...]] = {
    "alert": (
        *("event", "rule", "severity", "state", "title_zh", "title_en", "site", "device"),
        *("establishment_id", "raised_at", "changed_at", "due_at", "due_kind"),
    ),
    "case": ("event", "state", "case_number", "establishment_id"),
    "device": ("device", "state", "detail"),
    "result": ("device", "establishment_id", "item", "item_code", "sample_name", "verdict"),
}
"""Which of the journal's words of it are told: none of people, evidence or notes."""


def event_of(kind: str) -> str | None:
    """The event's name for a kind of journal row; None if no webhook tells it."""
    if kind == journal.ALERT_DUE:
        return None
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    family = kind.partition(".")[0]
    if family in ("alert", "case"):
        return "alert.changed" if family == "alert" else kind
    return None


def wanted(event: str, patterns: Sequence[str]) -> bool:
    """Whether a subscription to `patterns` gets it."""
    return event in patterns or f"{event.partition('.')[0]}.*" in patterns


def payload(event: str, row: JournalRow) -> bytes:
    """The body of the message: type, time and data."""
    family = event.partition(".")[0]
    about = {name: row.body[name] for name in _TOLD.get(family, ()) if name in row.body}
    data: dict[str, Any] = {"id": row.ref, "region": row.region, "site": row.site} | about
    path = {"alert": "alerts", "case": "cases", "result": "results"}.get(family)
    if path is not None:
        data["api"] = f"/api/v1/{path}/{row.ref}"
    told = {"type": event, "timestamp": row.at, "data": data}
    return msgspec.json.encode(told)
