"""Webhooks, and the messages that they are told by."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import BigKey, CleanText, Json, UtcTime

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("name", CleanText(512), nullable=False),
        sa.Column("url", CleanText(), nullable=False),
        sa.Column("events", Json, nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("secret", CleanText(512), nullable=False),
        sa.Column("officer_id", CleanText(128), nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("reason", CleanText(512), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=True),
        sa.Column("removed_at", UtcTime(), nullable=True),
        sa.CheckConstraint("state IN ('active', 'paused')", name=op.f("ck_webhooks_state")),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officers.id"], name=op.f("fk_webhooks_officer_id")
        ),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_webhooks_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index(op.f("ix_webhooks_officer_id"), "webhooks", ["officer_id"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("webhook_id", CleanText(128), nullable=False),
        sa.Column("message_id", CleanText(128), nullable=False),
        sa.Column("event", CleanText(128), nullable=False),
        sa.Column("ref", CleanText(512), nullable=False),
        sa.Column("body", CleanText(), nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("first_try_at", UtcTime(), nullable=True),
        sa.Column("last_try_at", UtcTime(), nullable=True),
        sa.Column("next_at", UtcTime(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", CleanText(512), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'dead')", name=op.f("ck_webhook_deliveries_state")
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_webhook_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint(
            "webhook_id", "message_id", name=op.f("uq_webhook_deliveries_webhook_id_message_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_webhook_deliveries_waiting"),
        "webhook_deliveries",
        ["webhook_id", "state", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_webhook_deliveries_created_at"),
        "webhook_deliveries",
        ["created_at"],
        unique=False,
    )
