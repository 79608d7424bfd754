"""Browsers that take web push."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, UtcTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("officer_id", CleanText(128), nullable=False),
        sa.Column("endpoint", CleanText(), nullable=False),
        sa.Column("p256dh", CleanText(128), nullable=False),
        sa.Column("auth", CleanText(128), nullable=False),
        sa.Column("server_key", CleanText(128), nullable=False),
        sa.Column("browser", CleanText(512), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("used_at", UtcTime(), nullable=True),
        sa.Column("failed_at", UtcTime(), nullable=True),
        sa.Column("failure", CleanText(512), nullable=False),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officers.id"], name=op.f("fk_push_subscriptions_officer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscriptions")),
    )
    op.create_index(
        op.f("ix_push_subscriptions_officer_id"), "push_subscriptions", ["officer_id"], unique=False
    )
