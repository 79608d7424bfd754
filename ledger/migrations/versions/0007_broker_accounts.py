"""Accounts at the broker and their certificates."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, UtcTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "broker_accounts",
        sa.Column("name", CleanText(512), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("agent", CleanText(64), nullable=False),
        sa.Column("salt", CleanText(32), nullable=False),
        sa.Column("password_hash", CleanText(512), nullable=False),
        sa.Column("issued_at", UtcTime(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("changed_by", CleanText(128), nullable=False),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.Column("reason", CleanText(512), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_broker_accounts")),
    )
    op.create_table(
        "broker_certificates",
        sa.Column("serial", CleanText(128), nullable=False),
        sa.Column("account", CleanText(512), nullable=False),
        sa.Column("not_before", UtcTime(), nullable=False),
        sa.Column("not_after", UtcTime(), nullable=False),
        sa.Column("issued_at", UtcTime(), nullable=False),
        sa.Column("issued_by", CleanText(128), nullable=False),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"],
            ["broker_accounts.name"],
            name=op.f("fk_broker_certificates_account"),
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_broker_certificates")),
    )
    op.create_index(
        op.f("ix_broker_certificates_account"), "broker_certificates", ["account"], unique=False
    )
