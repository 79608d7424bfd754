"""Rooms' books that are to be cleared at the broker: their site moved, or is a room no more."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "room_books_gone",
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("agent", CleanText(64), nullable=False),
        sa.PrimaryKeyConstraint("region", "site", "agent", name=op.f("pk_room_books_gone")),
    )
