"""Pictures of looks that are kept as evidence; whose key signed a look, and which token asked."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, UtcTime

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    for name, length in (("agent", 64), ("key_id", 128), ("via", 128)):
        empty = sa.text("''")
        op.add_column(
            "looks", sa.Column(name, CleanText(length), server_default=empty, nullable=False)
        )
    op.create_table(
        "kept_frames",
        sa.Column("kept_id", CleanText(128), nullable=False),
        sa.Column("look_id", CleanText(128), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("asked_by", CleanText(128), nullable=False),
        sa.Column("via", CleanText(128), server_default=sa.text("''"), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("reason", CleanText(512), nullable=False),
        sa.Column("sha256", CleanText(128), nullable=False),
        sa.Column("evidence_id", CleanText(128), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("detail", CleanText(512), server_default=sa.text("''"), nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=True),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('asked', 'sent', 'kept', 'not_kept')", name=op.f("ck_kept_frames_state")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["officers.id"], name=op.f("fk_kept_frames_asked_by")
        ),
        sa.ForeignKeyConstraint(
            ["look_id"], ["looks.look_id"], name=op.f("fk_kept_frames_look_id")
        ),
        sa.ForeignKeyConstraint(
            ["site", "device"],
            ["devices.site", "devices.device"],
            name=op.f("fk_kept_frames_site_device"),
        ),
        sa.PrimaryKeyConstraint("kept_id", name=op.f("pk_kept_frames")),
    )
    op.create_index("ix_kept_frames_look", "kept_frames", ["look_id", "asked_at"])
    unsent = sa.text("state = 'asked'")
    op.create_index(
        "ix_kept_frames_unsent",
        "kept_frames",
        ["asked_at"],
        sqlite_where=unsent,
        postgresql_where=unsent,
    )
