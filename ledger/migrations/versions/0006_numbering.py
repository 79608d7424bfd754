"""What an agent says of its numbering and its backlog: what the city should have, or wait for."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import Json, UtcTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for column in (
        sa.Column("numbering", Json, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("waiting_since", UtcTime(), nullable=True),
    ):
        op.add_column("devices", column)
