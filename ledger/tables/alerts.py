"""Tables of the alerts: their present state, what happened to each, and what rules remember."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    text,
)

from ledger.columns import BigKey, Json, UtcTime
from ledger.tables.base import Id, Line, Long, Segment, Word, filled, metadata

OPEN = "state <> 'closed'"
"""Of all alerts with one fingerprint, one may be open."""

alerts = Table(
    "alerts",
    metadata,
    Column("number", BigKey, primary_key=True),
    filled("alert_id", Segment, unique=True),
    filled("fingerprint", Line),
    filled("rule", Id),
    filled("rule_version", Id),
    filled("severity", Integer),
    filled("state", Word),
    filled("title_zh", Line),
    filled("title_en", Line),
    filled("summary_zh", Long),
    filled("summary_en", Long),
    filled("region", Segment),
    filled("site", Segment, ForeignKey("sites.id")),
    filled("device", Segment),
    Column("establishment_id", Id, ForeignKey("establishments.id")),
    filled("raised_at", UtcTime),
    filled("changed_at", UtcTime),
    Column("acknowledged_at", UtcTime),
    Column("acknowledged_by", Id, ForeignKey("officers.id")),
    Column("resolved_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("closed_by", Id, ForeignKey("officers.id")),
    filled("close_note", Long),
    filled("count", Integer),
    filled("last_event_at", UtcTime),
    Column("result_id", Word, index=True),
    Column("observation_id", Id, index=True),
    filled("facts", Json),
    filled("evidence", Json),
    CheckConstraint("severity IN (1, 2, 3)", name="severity"),
    CheckConstraint("state IN ('firing', 'acknowledged', 'resolved', 'closed')", name="state"),
    Index(
        "uq_alerts_open_fingerprint",
        "fingerprint",
        unique=True,
        sqlite_where=text(OPEN),
        postgresql_where=text(OPEN),
    ),
    Index("ix_alerts_raised_at", "raised_at", "number"),
    Index("ix_alerts_site", "site", "state"),
    Index("ix_alerts_region", "region", "state", "raised_at"),
    Index("ix_alerts_establishment_id", "establishment_id", "raised_at"),
)

alert_timeline = Table(
    "alert_timeline",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("alert_id", Segment, ForeignKey("alerts.alert_id"), index=True),
    filled("at", UtcTime),
    filled("kind", Word),
    filled("actor", Id),
    filled("note", Long),
    filled("body", Json),
)

rule_state = Table(
    "rule_state",
    metadata,
    Column("rule", Id, primary_key=True),
    Column("series", Line, primary_key=True),
    filled("body", Json),
    Column("changed_at", UtcTime),
    Index("ix_rule_state_series", "series"),
)
