"""The role of grid officers, one-time links, where sessions are used, where audited things lie."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, UtcTime

revision = "0015"
down_revision = "0014"

OLD = "role IN ('city', 'county', 'town', 'operator', 'auditor', 'admin')"
NEW = "role IN ('city', 'county', 'town', 'grid', 'operator', 'auditor', 'admin')"


def upgrade() -> None:
    op.add_column(
        "officers",
        sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    _check_role()
    columns: tuple[sa.Column[str], ...] = (
        sa.Column("address", CleanText(128), nullable=True),
        sa.Column("browser", CleanText(512), nullable=True),
        sa.Column("way", CleanText(32), nullable=False, server_default="password"),
    )
    for column in columns:
        op.add_column("sessions", column)
    op.create_table(
        "password_links",
        sa.Column("token_hash", CleanText(128), nullable=False),
        sa.Column("officer_id", CleanText(128), nullable=False),
        sa.Column("made_by", CleanText(128), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by"], ["officers.id"], name=op.f("fk_password_links_made_by")
        ),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officers.id"], name=op.f("fk_password_links_officer_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_password_links")),
    )
    op.create_index(
        op.f("ix_password_links_officer_id"), "password_links", ["officer_id"], unique=False
    )
    op.create_table(
        "sign_in_requests",
        sa.Column("state_hash", CleanText(128), nullable=False),
        sa.Column("nonce", CleanText(128), nullable=False),
        sa.Column("verifier", CleanText(128), nullable=False),
        sa.Column("target", CleanText(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_sign_in_requests")),
    )
    op.create_index(
        op.f("ix_sign_in_requests_expires_at"), "sign_in_requests", ["expires_at"], unique=False
    )
    op.add_column("audit", sa.Column("region", CleanText(64), nullable=True))
    op.create_index("ix_audit_region", "audit", ["region", "id"], unique=False)
    op.create_index("ix_audit_actor", "audit", ["actor", "id"], unique=False)
    op.create_index("ix_audit_action", "audit", ["action", "id"], unique=False)


def _check_role() -> None:
    """Let `role` have its new word; on SQLite in place, see the migration of alerts' life."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_officers_role"), "officers", type_="check")
        op.create_check_constraint(op.f("ck_officers_role"), "officers", NEW)
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) "
        "WHERE type = 'table' AND name = 'officers'",
        (OLD, NEW),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
