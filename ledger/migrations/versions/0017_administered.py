"""What is out of use says since when; files that wait for a decision; which rules are loaded."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, Json, UtcTime

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    for table in ("regions", "establishments", "sites", "devices"):
        op.add_column(table, sa.Column("retired_at", UtcTime(), nullable=True))
    op.create_table(
        "sheet_uploads",
        sa.Column("officer_id", CleanText(128), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("token", CleanText(128), nullable=False),
        sa.Column("name", CleanText(512), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officers.id"], name=op.f("fk_sheet_uploads_officer_id")
        ),
        sa.PrimaryKeyConstraint("officer_id", "kind", name=op.f("pk_sheet_uploads")),
    )
    op.create_table(
        "loaded_rules",
        sa.Column("gateway", CleanText(128), nullable=False),
        sa.Column("loaded_at", UtcTime(), nullable=False),
        sa.Column("files", Json, nullable=False),
        sa.Column("rules", Json, nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_loaded_rules")),
    )
