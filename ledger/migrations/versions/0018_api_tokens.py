"""Tokens by which other city systems ask."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, Json, UtcTime

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("token_hash", CleanText(128), nullable=False),
        sa.Column("shown", CleanText(32), nullable=False),
        sa.Column("name", CleanText(512), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("officer_id", CleanText(128), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("last_used_at", UtcTime, nullable=True),
        sa.Column("revoked_at", UtcTime, nullable=True),
        sa.Column("revoked_by", CleanText(128), nullable=True),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officers.id"], name=op.f("fk_api_tokens_officer_id")
        ),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_api_tokens_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_officer_id"), "api_tokens", ["officer_id"])
