"""What alerts are made of: the new one, the stored one, its timeline; imported from `alerts`."""

from datetime import datetime
from typing import Any

import msgspec

from contracts.topics import Identity
from contracts.words import AlertState, Due, Severity


class NewAlert(msgspec.Struct, frozen=True):
    """What a rule has to say."""

    fingerprint: str
    """Same fingerprint, same alert: rule, device and whatever else tells two alerts apart."""
    rule: str
    rule_version: str
    severity: Severity
    title_zh: str
    title_en: str
    who: Identity
    raised_at: datetime
    """When it became true: the time of the fact, not of its receipt."""
    summary_zh: str = ""
    summary_en: str = ""
    result_id: str | None = None
    observation_id: str | None = None
    facts: dict[str, Any] = {}
    """What the rule saw (value, limit, unit, legal basis …); JSON."""
    evidence: tuple[str, ...] = ()


class AlertRow(msgspec.Struct, frozen=True):
    """An alert as it stands."""

    number: int
    alert_id: str
    fingerprint: str
    rule: str
    rule_version: str
    severity: Severity
    state: AlertState
    title_zh: str
    title_en: str
    summary_zh: str
    summary_en: str
    region: str
    site: str
    device: str
    establishment_id: str | None
    raised_at: datetime
    changed_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    close_note: str
    count: int
    """How many times it was raised."""
    last_event_at: datetime
    result_id: str | None
    observation_id: str | None
    facts: dict[str, Any]
    evidence: tuple[str, ...]
    disposed_at: datetime | None = None
    """When an officer last said what was done about it."""
    disposed_by: str | None = None
    reviewed_at: datetime | None = None
    reviewed_by: str | None = None
    level: int = 0
    """Whom it concerns by now: 0 town, 1 county, 2 city."""
    due_at: datetime | None = None
    """From this moment on it is too late for what `due_kind` asks; stands still while paused."""
    due_kind: Due | None = None
    overdue_since: datetime | None = None
    """The first deadline that ran out without what it asked for having been done since."""
    paused_since: datetime | None = None
    """An appeal holds up its deadlines."""
    paused_s: float = 0.0
    """How long appeals that are over held them up, in seconds."""


TIMELINE_KINDS = (
    "raised",
    "again",
    "reopened",
    "acknowledged",
    "disposing",
    "reviewed",
    "returned",
    "resolved",
    "closed",
    "paused",
    "resumed",
    "escalated",
    "orphan",
    "card",
    "card_annulled",
    "judged",
    "case",
    "answered",
    "notified",
    "held",
)


class TimelineEntry(msgspec.Struct, frozen=True):
    """One thing that happened; `kind` is one of TIMELINE_KINDS."""

    id: int
    alert_id: str
    at: datetime
    kind: str
    actor: str
    """Officer id, or empty if the data did it."""
    note: str
    body: dict[str, Any]


class AlertCount(msgspec.Struct, frozen=True):
    """How many alerts there are of one class in one state."""

    severity: Severity
    state: AlertState
    count: int


class AlertConflict(ValueError):
    """The alert does not exist, or its state forbids what was asked; the text says which."""
