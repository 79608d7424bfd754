"""What an episode came to: its peak, how many people, how often, and whether it was taken back."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import UtcTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for column in (
        sa.Column("peak_at", UtcTime(), nullable=True),
        sa.Column("tracks", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("stretches", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("retracted", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("observations", column)
