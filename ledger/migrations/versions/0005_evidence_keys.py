"""Pictures have a role and a signature; agents' keys are booked."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, UtcTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for column in (
        sa.Column("role", CleanText(32), nullable=False, server_default="best"),
        sa.Column("agent", CleanText(64), nullable=False, server_default=sa.text("''")),
        sa.Column("original_sha256", CleanText(128), nullable=False, server_default=sa.text("''")),
        sa.Column("signature_state", CleanText(32), nullable=False, server_default="none"),
        sa.Column("key_id", CleanText(128), nullable=False, server_default=sa.text("''")),
        sa.Column("key_epoch", UtcTime(), nullable=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
    ):
        op.add_column("evidence", column)
    op.create_table(
        "evidence_keys",
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("agent", CleanText(64), nullable=False),
        sa.Column("key_id", CleanText(128), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("key_epoch", UtcTime(), nullable=True),
        sa.Column("standing", CleanText(32), nullable=False),
        sa.Column("booked", CleanText(32), nullable=False),
        sa.Column("booked_at", UtcTime(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("changed_by", CleanText(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["site", "agent"],
            ["devices.site", "devices.device"],
            name=op.f("fk_evidence_keys_site_agent"),
        ),
        sa.PrimaryKeyConstraint("site", "agent", "key_id", name=op.f("pk_evidence_keys")),
    )
