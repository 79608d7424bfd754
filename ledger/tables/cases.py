"""Tables of cases: where each stands, what happened to it, what it rests on, what is published."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
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

DUE = "due_at IS NOT NULL"
REMIND = "remind_at IS NOT NULL"
SHOWN = "ended_at IS NULL"

cases = Table(
    "cases",
    metadata,
    Column("number", BigKey, primary_key=True),
    filled("case_id", Segment, unique=True),
    filled("case_number", Segment, unique=True),
    filled("kind", Word),
    filled("state", Word),
    filled("finding", Word),
    filled("outcome", Word),
    Column("severity", Integer),
    filled("title_zh", Line),
    filled("title_en", Line),
    filled("region", Segment),
    filled("site", Segment, ForeignKey("sites.id")),
    Column("establishment_id", Id, ForeignKey("establishments.id")),
    filled("opened_at", UtcTime),
    filled("opened_by", Id, ForeignKey("officers.id")),
    filled("known_at", UtcTime),
    filled("changed_at", UtcTime),
    Column("closed_at", UtcTime),
    filled("version", Integer),
    filled("assignee", Id),
    Column("paused_since", UtcTime),
    Column("due_at", UtcTime),
    filled("due_clock", Word),
    filled("due_unknown", Boolean, server_default=false()),
    filled("rules_version", Word),
    filled("reopened", Integer, server_default="0"),
    Column("reopened_at", UtcTime),
    Column("remind_at", UtcTime),
    CheckConstraint("kind IN ('produce_test', 'food_test', 'scene')", name="kind"),
    CheckConstraint("finding IN ('suspect', 'established', 'cleared')", name="finding"),
    Index("ix_cases_opened_at", "opened_at", "number"),
    Index("ix_cases_known_at", "known_at"),
    Index("ix_cases_region", "region", "state", "opened_at"),
    Index("ix_cases_establishment_id", "establishment_id", "opened_at"),
    Index("ix_cases_assignee", "assignee", "state"),
    Index(
        "ix_cases_remind_at", "remind_at", sqlite_where=text(REMIND), postgresql_where=text(REMIND)
    ),
    Index("ix_cases_due_at", "due_at", sqlite_where=text(DUE), postgresql_where=text(DUE)),
)

case_events = Table(
    "case_events",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("case_id", Segment, ForeignKey("cases.case_id")),
    filled("seq", Integer),
    filled("event_id", Segment),
    filled("move", Word),
    filled("at", UtcTime),
    filled("actor", Id),
    filled("role", Word),
    filled("counts_at", UtcTime),
    filled("state", Word),
    filled("finding", Word),
    filled("given", Json),
    filled("rules_version", Word),
    filled("digest", Id),
    UniqueConstraint("case_id", "seq"),
    UniqueConstraint("case_id", "event_id"),
)

case_alerts = Table(
    "case_alerts",
    metadata,
    Column("case_id", Segment, ForeignKey("cases.case_id"), primary_key=True),
    Column("alert_id", Segment, ForeignKey("alerts.alert_id"), primary_key=True),
    Index("ix_case_alerts_alert_id", "alert_id"),
)

case_results = Table(
    "case_results",
    metadata,
    Column("case_id", Segment, ForeignKey("cases.case_id"), primary_key=True),
    Column("result_id", Word, ForeignKey("results.result_id"), primary_key=True),
    Index("ix_case_results_result_id", "result_id"),
)

case_publications = Table(
    "case_publications",
    metadata,
    Column("case_id", Segment, ForeignKey("cases.case_id"), primary_key=True),
    Column("establishment_id", Id, ForeignKey("establishments.id")),
    filled("case_number", Segment),
    filled("title_zh", Line),
    filled("title_en", Line),
    filled("outcome", Word),
    Column("decided_at", UtcTime),
    filled("published_at", UtcTime),
    filled("published_by", Id, ForeignKey("officers.id")),
    filled("expires_at", UtcTime),
    Column("ended_at", UtcTime),
    filled("ended_by_move", Word),
    filled("reason", Long),
    Index("ix_case_publications_establishment_id", "establishment_id", "published_at"),
    Index(
        "ix_case_publications_expires_at",
        "expires_at",
        sqlite_where=text(SHOWN),
        postgresql_where=text(SHOWN),
    ),
)

case_tellings = Table(
    "case_tellings",
    metadata,
    Column("case_id", Segment, ForeignKey("cases.case_id"), primary_key=True),
    Column("what", Id, primary_key=True),
    Column("recipient", Id, ForeignKey("officers.id"), primary_key=True),
    filled("at", UtcTime),
)

case_numbers = Table(
    "case_numbers",
    metadata,
    Column("county", Segment, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    filled("last", Integer),
)
