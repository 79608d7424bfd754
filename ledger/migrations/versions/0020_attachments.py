"""Files of cases, which no one changes or removes; steps that wait for a second officer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from ledger.columns import CleanText, UtcTime

revision = "0020"
down_revision = "0019"

_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
REFUSED = (
    ("attachments", "DELETE"),
    ("attachments", "UPDATE"),
    ("attachment_contents", "DELETE"),
    ("attachment_contents", "UPDATE"),
    ("case_confirmations", "DELETE"),
)
"""What the database refuses."""


def upgrade() -> None:
    op.create_table(
        "attachment_contents",
        sa.Column("sha256", CleanText(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_attachment_contents")),
    )
    op.create_table(
        "attachments",
        sa.Column("id", CleanText(64), nullable=False),
        sa.Column("case_id", CleanText(64), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("sha256", CleanText(64), nullable=False),
        sa.Column("name", CleanText(512), nullable=False),
        sa.Column("media_type", CleanText(128), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("shown_sha256", CleanText(64), nullable=True),
        sa.Column("added_by", CleanText(128), nullable=False),
        sa.Column("added_at", UtcTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('photo', 'document', 'report')", name=op.f("ck_attachments_kind")
        ),
        sa.ForeignKeyConstraint(
            ["added_by"], ["officers.id"], name=op.f("fk_attachments_added_by")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_attachments_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["attachment_contents.sha256"], name=op.f("fk_attachments_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["shown_sha256"],
            ["attachment_contents.sha256"],
            name=op.f("fk_attachments_shown_sha256"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index("ix_attachments_case_id", "attachments", ["case_id", "added_at"])
    op.create_table(
        "case_confirmations",
        sa.Column("id", CleanText(64), nullable=False),
        sa.Column("case_id", CleanText(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("move", CleanText(32), nullable=False),
        sa.Column("given", _JSON, nullable=False),
        sa.Column("asked_by", CleanText(128), nullable=False),
        sa.Column("second", CleanText(128), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("answer", CleanText(32), nullable=False),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.Column("note", CleanText(), nullable=False),
        sa.CheckConstraint(
            "answer IN ('', 'confirmed', 'declined', 'withdrawn')",
            name=op.f("ck_case_confirmations_answer"),
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["officers.id"], name=op.f("fk_case_confirmations_asked_by")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_case_confirmations_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["second"], ["officers.id"], name=op.f("fk_case_confirmations_second")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_confirmations")),
    )
    op.create_index(op.f("ix_case_confirmations_case_id"), "case_confirmations", ["case_id"])
    waits = sa.text("answer = ''")
    op.create_index(
        "ix_case_confirmations_second",
        "case_confirmations",
        ["second"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
    postgres = op.get_bind().dialect.name == "postgresql"
    for table, change in REFUSED:
        made = f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
        said = "what happened to a case is never changed or removed"
        refuse = "FOR EACH ROW EXECUTE FUNCTION cases_are_kept()"
        op.execute(made + (refuse if postgres else f"BEGIN SELECT RAISE(ABORT, '{said}'); END"))
