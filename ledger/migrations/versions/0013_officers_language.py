"""The language in which an officer is written to."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("officers", sa.Column("language", CleanText(32), nullable=True))
