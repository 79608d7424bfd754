"""Tables of telling people: what is told of which alerts, to whom, and what is hidden."""

from sqlalchemy import (
    BigInteger,
    Boolean,
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

WAITS = "state = 'held' AND digest_id IS NULL"
"""Held for a digest that has not gone yet."""

notify_groups = Table(
    "notify_groups",
    metadata,
    Column("key", Line, primary_key=True),
    filled("kind", Word),
    filled("region", Segment),
    filled("site", Segment),
    filled("rule", Id),
    filled("severity", Integer),
    filled("opened_at", UtcTime),
    Column("flushed_at", UtcTime),
    filled("flushes", Integer),
    Column("next_at", UtcTime, index=True),
    filled("told_to", Json),
    Index("ix_notify_groups_site", "site"),
)

notify_alerts = Table(
    "notify_alerts",
    metadata,
    Column("alert_id", Segment, ForeignKey("alerts.alert_id"), primary_key=True),
    filled("group_key", Line, index=True),
    filled("joined_at", UtcTime),
    filled("state", Word),
    filled("level", Integer),
    filled("acknowledgements", Integer),
    Column("told_at", UtcTime),
    filled("reason", Line),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("dedupe", Line, unique=True),
    filled("kind", Word),
    filled("alert_ids", Json),
    filled("parts", Json),
    filled("group_key", Line),
    filled("severity", Integer),
    filled("level", Integer),
    filled("recipient", Id),
    filled("route", Id),
    filled("title_zh", Line),
    filled("title_en", Line),
    filled("body_zh", Long),
    filled("body_en", Long),
    filled("region", Segment),
    filled("site", Segment),
    filled("state", Word),
    filled("reason", Long),
    filled("stop", Long),
    filled("hold", Word),
    filled("channel", Id),
    filled("attempts", Integer),
    filled("created_at", UtcTime),
    filled("due_at", UtcTime),
    filled("changed_at", UtcTime),
    Column("sent_at", UtcTime),
    filled("owner", Id),
    Column("lease_until", UtcTime),
    Column("digest_id", BigInteger, index=True),
    CheckConstraint(
        "kind IN ('alert', 'resolved', 'escalated', 'digest', 'notice', 'case')", name="kind"
    ),
    CheckConstraint(
        "state IN ('queued', 'sending', 'sent', 'failed', 'held', 'cancelled')", name="state"
    ),
    Index("ix_notifications_due", "state", "severity", "due_at"),
    Index(
        "ix_notifications_waiting",
        "hold",
        "recipient",
        sqlite_where=text(WAITS),
        postgresql_where=text(WAITS),
    ),
    Index("ix_notifications_recipient", "recipient", "route", "created_at"),
    Index("ix_notifications_created_at", "created_at"),
    sqlite_autoincrement=True,
)

notification_alerts = Table(
    "notification_alerts",
    metadata,
    Column("alert_id", Segment, primary_key=True),
    Column("notification_id", BigInteger, ForeignKey("notifications.id"), primary_key=True),
)

notification_tries = Table(
    "notification_tries",
    metadata,
    Column("notification_id", BigInteger, ForeignKey("notifications.id"), primary_key=True),
    Column("contact", Id, primary_key=True),
    filled("channel", Id),
    filled("state", Word),
    filled("tries", Integer),
    filled("at", UtcTime),
    Column("next_at", UtcTime),
    filled("reason", Line),
    CheckConstraint("state IN ('waiting', 'sent', 'failed')", name="state"),
)

silences = Table(
    "silences",
    metadata,
    Column("id", Id, primary_key=True),
    filled("kind", Word),
    filled("matchers", Json),
    filled("starts_at", UtcTime),
    filled("ends_at", UtcTime),
    filled("reason", Long),
    filled("author", Id, ForeignKey("officers.id")),
    filled("created_at", UtcTime),
    filled("includes_class_1", Boolean),
    Column("city_told_at", UtcTime),
    Column("ending_told_at", UtcTime),
    Column("expired_told_at", UtcTime),
    CheckConstraint("kind IN ('silence', 'maintenance')", name="kind"),
    Index("ix_silences_ends_at", "ends_at"),
)

rule_modes = Table(
    "rule_modes",
    metadata,
    Column("id", Id, primary_key=True),
    filled("rule", Id),
    filled("region", Segment),
    filled("site", Segment),
    filled("mode", Word),
    filled("starts_at", UtcTime),
    filled("until", UtcTime),
    filled("author", Id, ForeignKey("officers.id")),
    filled("reason", Long),
    filled("created_at", UtcTime),
    CheckConstraint("mode IN ('digest')", name="mode"),
    Index("ix_rule_modes_until", "until"),
)

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    filled("officer_id", Id, ForeignKey("officers.id"), index=True),
    filled("endpoint", Long),
    filled("p256dh", Id),
    filled("auth", Id),
    filled("server_key", Id),
    filled("browser", Line),
    filled("created_at", UtcTime),
    Column("used_at", UtcTime),
    Column("failed_at", UtcTime),
    filled("failure", Line),
)
