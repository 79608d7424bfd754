"""Alerts, rule state, intake, journal, cursors, dead letters, audit."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import BigKey, CleanText, Json, UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("actor", CleanText(128), nullable=False),
        sa.Column("action", CleanText(128), nullable=False),
        sa.Column("subject", CleanText(512), nullable=False),
        sa.Column("detail", CleanText(), nullable=False),
        sa.Column("previous_hash", CleanText(128), nullable=False),
        sa.Column("hash", CleanText(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "cursors",
        sa.Column("name", CleanText(128), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("topic", CleanText(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("reason", CleanText(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("replayed_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "intake",
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("agent", CleanText(64), nullable=False),
        sa.Column("epoch", CleanText(128), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("ranges", Json, nullable=False),
        sa.PrimaryKeyConstraint("site", "agent", "epoch", name=op.f("pk_intake")),
    )
    op.create_table(
        "journal",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("ref", CleanText(128), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "rule_state",
        sa.Column("rule", CleanText(128), nullable=False),
        sa.Column("series", CleanText(512), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("rule", "series", name=op.f("pk_rule_state")),
    )
    op.create_index("ix_rule_state_series", "rule_state", ["series"], unique=False)
    op.create_table(
        "alerts",
        sa.Column("number", BigKey, nullable=False),
        sa.Column("alert_id", CleanText(64), nullable=False),
        sa.Column("fingerprint", CleanText(512), nullable=False),
        sa.Column("rule", CleanText(128), nullable=False),
        sa.Column("rule_version", CleanText(128), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("title_zh", CleanText(512), nullable=False),
        sa.Column("title_en", CleanText(512), nullable=False),
        sa.Column("summary_zh", CleanText(), nullable=False),
        sa.Column("summary_en", CleanText(), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=True),
        sa.Column("raised_at", UtcTime(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("acknowledged_at", UtcTime(), nullable=True),
        sa.Column("acknowledged_by", CleanText(128), nullable=True),
        sa.Column("resolved_at", UtcTime(), nullable=True),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.Column("closed_by", CleanText(128), nullable=True),
        sa.Column("close_note", CleanText(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_event_at", UtcTime(), nullable=False),
        sa.Column("result_id", CleanText(32), nullable=True),
        sa.Column("observation_id", CleanText(128), nullable=True),
        sa.Column("facts", Json, nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.CheckConstraint(
            "state IN ('firing', 'acknowledged', 'resolved', 'closed')",
            name=op.f("ck_alerts_state"),
        ),
        sa.CheckConstraint("severity IN (1, 2, 3)", name=op.f("ck_alerts_severity")),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["officers.id"], name=op.f("fk_alerts_acknowledged_by")
        ),
        sa.ForeignKeyConstraint(["closed_by"], ["officers.id"], name=op.f("fk_alerts_closed_by")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishments.id"], name=op.f("fk_alerts_establishment_id")
        ),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_alerts_site")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_alerts")),
        sa.UniqueConstraint("alert_id", name=op.f("uq_alerts_alert_id")),
    )
    op.create_index(
        "ix_alerts_establishment_id", "alerts", ["establishment_id", "raised_at"], unique=False
    )
    op.create_index(op.f("ix_alerts_observation_id"), "alerts", ["observation_id"], unique=False)
    op.create_index("ix_alerts_raised_at", "alerts", ["raised_at", "number"], unique=False)
    op.create_index("ix_alerts_region", "alerts", ["region", "state", "raised_at"], unique=False)
    op.create_index(op.f("ix_alerts_result_id"), "alerts", ["result_id"], unique=False)
    op.create_index(
        "uq_alerts_open_fingerprint",
        "alerts",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "alert_timeline",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("alert_id", CleanText(64), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("actor", CleanText(128), nullable=False),
        sa.Column("note", CleanText(), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert_id"], name=op.f("fk_alert_timeline_alert_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_timeline")),
    )
    op.create_index(
        op.f("ix_alert_timeline_alert_id"), "alert_timeline", ["alert_id"], unique=False
    )
    # ### end Alembic commands ###
