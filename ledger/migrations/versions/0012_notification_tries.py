"""How each way to a notification's recipient went."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, UtcTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "notification_tries",
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("contact", CleanText(128), nullable=False),
        sa.Column("channel", CleanText(128), nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=True),
        sa.Column("reason", CleanText(512), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'failed')", name=op.f("ck_notification_tries_state")
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_notification_tries_notification_id"),
        ),
        sa.PrimaryKeyConstraint("notification_id", "contact", name=op.f("pk_notification_tries")),
    )
