"""Tables of the alerts: their present state, what happened to each, and what rules remember."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    false,
    text,
)

from ledger.columns import BigKey, Json, UtcTime
from ledger.tables.base import Id, Line, Long, Segment, Word, filled, metadata

OPEN = "state <> 'closed'"
"""Of all alerts with one fingerprint, one may be open."""
DUE = "due_at IS NOT NULL AND paused_since IS NULL"
UNWOUND = "unwound"

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
    # Officers are never removed; SQLite cannot add a column with a named foreign key.
    Column("disposed_at", UtcTime),
    Column("disposed_by", Id),
    Column("reviewed_at", UtcTime),
    Column("reviewed_by", Id),
    filled("level", Integer, server_default="0"),
    Column("due_at", UtcTime),
    Column("due_kind", Word),
    Column("overdue_since", UtcTime),
    Column("paused_since", UtcTime),
    filled("paused_s", Float, server_default="0"),
    # What the keeper of deadlines remembers: see ledger/deadlines.py.
    filled("unwound", Boolean, server_default=false()),
    filled("wound_to", BigInteger, server_default="0"),
    filled("clock", Json, server_default="{}"),
    CheckConstraint("severity IN (1, 2, 3)", name="severity"),
    CheckConstraint(
        "state IN ('firing', 'acknowledged', 'disposing', 'reviewed', 'resolved', 'closed')",
        name="state",
    ),
    CheckConstraint("level IN (0, 1, 2)", name="level"),
    CheckConstraint("due_kind IN ('acknowledge', 'dispose', 'review')", name="due_kind"),
    Index(
        "uq_alerts_open_fingerprint",
        "fingerprint",
        unique=True,
        sqlite_where=text(OPEN),
        postgresql_where=text(OPEN),
    ),
    Index("ix_alerts_raised_at", "raised_at", "number"),
    Index("ix_alerts_site", "site", "state"),
    Index("ix_alerts_region", "region", "state", "severity", "raised_at"),
    Index("ix_alerts_establishment_id", "establishment_id", "raised_at"),
    Index("ix_alerts_due_at", "due_at", sqlite_where=text(DUE), postgresql_where=text(DUE)),
    Index(
        "ix_alerts_unwound",
        "number",
        sqlite_where=text(UNWOUND),
        postgresql_where=text(UNWOUND),
    ),
)

alert_timeline = Table(
    "alert_timeline",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("alert_id", Segment, ForeignKey("alerts.alert_id")),
    filled("at", UtcTime),
    filled("kind", Word),
    filled("actor", Id),
    filled("note", Long),
    filled("body", Json),
    # What times are told from stands in it whole.
    Index("ix_alert_timeline_times", "alert_id", "kind", "at"),
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

cards = Table(
    "cards",
    metadata,
    Column("id", Id, primary_key=True),
    filled("establishment_id", Id, ForeignKey("establishments.id")),
    filled("alert_id", Segment, ForeignKey("alerts.alert_id")),
    filled("colour", Word),
    filled("at", UtcTime),
    filled("reason", Long),
    Column("annulled_at", UtcTime),
    Column("annulled_by", Id, ForeignKey("officers.id")),
    filled("annul_reason", Long),
    CheckConstraint("colour IN ('yellow', 'red')", name="colour"),
    UniqueConstraint("alert_id", "colour"),
    Index("ix_cards_establishment_id", "establishment_id", "at"),
)
