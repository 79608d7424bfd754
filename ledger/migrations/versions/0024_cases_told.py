"""Cases: reopened, when people are reminded, who was told; a webhook's old secret."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, UtcTime

revision = "0024"
down_revision = "0023"

OLD = "kind IN ('alert', 'resolved', 'escalated', 'digest', 'notice')"
KIND = "kind IN ('alert', 'resolved', 'escalated', 'digest', 'notice', 'case')"


def upgrade() -> None:
    op.add_column("cases", sa.Column("reopened", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("cases", sa.Column("reopened_at", UtcTime(), nullable=True))
    op.add_column("cases", sa.Column("remind_at", UtcTime(), nullable=True))
    op.execute("UPDATE cases SET remind_at = due_at")
    waits = sa.text("remind_at IS NOT NULL")
    op.create_index(
        "ix_cases_remind_at", "cases", ["remind_at"], sqlite_where=waits, postgresql_where=waits
    )
    op.create_table(
        "case_tellings",
        sa.Column("case_id", CleanText(64), nullable=False),
        sa.Column("what", CleanText(128), nullable=False),
        sa.Column("recipient", CleanText(128), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_case_tellings_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["recipient"], ["officers.id"], name=op.f("fk_case_tellings_recipient")
        ),
        sa.PrimaryKeyConstraint("case_id", "what", "recipient", name=op.f("pk_case_tellings")),
    )
    op.add_column("webhooks", sa.Column("old_secret", CleanText(512), nullable=True))
    op.add_column("webhooks", sa.Column("old_secret_until", UtcTime(), nullable=True))
    _check_kinds()


def _check_kinds() -> None:
    """Let notifications be about cases. On SQLite a check's text is replaced, as 0011 does it."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_notifications_kind"), "notifications", type_="check")
        op.create_check_constraint(op.f("ck_notifications_kind"), "notifications", KIND)
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) "
        "WHERE type = 'table' AND name = 'notifications'",
        (f"CONSTRAINT ck_notifications_kind CHECK ({OLD})",
         f"CONSTRAINT ck_notifications_kind CHECK ({KIND})"),
    )  # fmt: skip
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
