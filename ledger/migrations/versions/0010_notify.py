"""Telling people: groups of alerts, notifications, silences, rules moved to the digest."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import BigKey, CleanText, Json, UtcTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index("ix_alerts_site", "alerts", ["site", "state"], unique=False)
    _groups()
    _notifications()
    _hidden()


def _groups() -> None:
    op.create_table(
        "notify_groups",
        sa.Column("key", CleanText(512), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("rule", CleanText(128), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("opened_at", UtcTime(), nullable=False),
        sa.Column("flushed_at", UtcTime(), nullable=True),
        sa.Column("flushes", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=True),
        sa.Column("told_to", Json, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notify_groups")),
    )
    op.create_index(op.f("ix_notify_groups_next_at"), "notify_groups", ["next_at"], unique=False)
    op.create_index("ix_notify_groups_site", "notify_groups", ["site"], unique=False)
    op.create_table(
        "notify_alerts",
        sa.Column("alert_id", CleanText(64), nullable=False),
        sa.Column("group_key", CleanText(512), nullable=False),
        sa.Column("joined_at", UtcTime(), nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("acknowledgements", sa.Integer(), nullable=False),
        sa.Column("told_at", UtcTime(), nullable=True),
        sa.Column("reason", CleanText(512), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert_id"], name=op.f("fk_notify_alerts_alert_id")
        ),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_notify_alerts")),
    )
    op.create_index(
        op.f("ix_notify_alerts_group_key"), "notify_alerts", ["group_key"], unique=False
    )


def _notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("dedupe", CleanText(512), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("alert_ids", Json, nullable=False),
        sa.Column("parts", Json, nullable=False),
        sa.Column("group_key", CleanText(512), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("recipient", CleanText(128), nullable=False),
        sa.Column("route", CleanText(128), nullable=False),
        sa.Column("title_zh", CleanText(512), nullable=False),
        sa.Column("title_en", CleanText(512), nullable=False),
        sa.Column("body_zh", CleanText(), nullable=False),
        sa.Column("body_en", CleanText(), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("reason", CleanText(), nullable=False),
        sa.Column("stop", CleanText(), nullable=False),
        sa.Column("hold", CleanText(32), nullable=False),
        sa.Column("channel", CleanText(128), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=True),
        sa.Column("owner", CleanText(128), nullable=False),
        sa.Column("lease_until", UtcTime(), nullable=True),
        sa.Column("digest_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('alert', 'resolved', 'escalated', 'digest', 'notice')",
            name=op.f("ck_notifications_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed', 'held', 'cancelled')",
            name=op.f("ck_notifications_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_notifications_dedupe")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notifications_created_at", "notifications", ["created_at"], unique=False)
    op.create_index(
        op.f("ix_notifications_digest_id"), "notifications", ["digest_id"], unique=False
    )
    op.create_index(
        "ix_notifications_due", "notifications", ["state", "severity", "due_at"], unique=False
    )
    op.create_index(
        "ix_notifications_recipient",
        "notifications",
        ["recipient", "route", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_notifications_waiting",
        "notifications",
        ["hold", "recipient"],
        unique=False,
        sqlite_where=sa.text("state = 'held' AND digest_id IS NULL"),
        postgresql_where=sa.text("state = 'held' AND digest_id IS NULL"),
    )
    op.create_table(
        "notification_alerts",
        sa.Column("alert_id", CleanText(64), nullable=False),
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_notification_alerts_notification_id"),
        ),
        sa.PrimaryKeyConstraint("alert_id", "notification_id", name=op.f("pk_notification_alerts")),
    )


def _hidden() -> None:
    op.create_table(
        "silences",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("matchers", Json, nullable=False),
        sa.Column("starts_at", UtcTime(), nullable=False),
        sa.Column("ends_at", UtcTime(), nullable=False),
        sa.Column("reason", CleanText(), nullable=False),
        sa.Column("author", CleanText(128), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("includes_class_1", sa.Boolean(), nullable=False),
        sa.Column("city_told_at", UtcTime(), nullable=True),
        sa.Column("ending_told_at", UtcTime(), nullable=True),
        sa.Column("expired_told_at", UtcTime(), nullable=True),
        sa.CheckConstraint("kind IN ('silence', 'maintenance')", name=op.f("ck_silences_kind")),
        sa.ForeignKeyConstraint(["author"], ["officers.id"], name=op.f("fk_silences_author")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    op.create_index("ix_silences_ends_at", "silences", ["ends_at"], unique=False)
    op.create_table(
        "rule_modes",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("rule", CleanText(128), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("mode", CleanText(32), nullable=False),
        sa.Column("starts_at", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("author", CleanText(128), nullable=False),
        sa.Column("reason", CleanText(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.CheckConstraint("mode IN ('digest')", name=op.f("ck_rule_modes_mode")),
        sa.ForeignKeyConstraint(["author"], ["officers.id"], name=op.f("fk_rule_modes_author")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_modes")),
    )
    op.create_index("ix_rule_modes_until", "rule_modes", ["until"], unique=False)
