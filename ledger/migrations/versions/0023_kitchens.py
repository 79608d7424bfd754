"""Bright kitchens: looks that are asked for, and ways to a camera's newest picture."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, UtcTime

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "looks",
        sa.Column("look_id", CleanText(128), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("asked_by", CleanText(128), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("reason", CleanText(512), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("detail", CleanText(512), server_default=sa.text("''"), nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=True),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.Column("pictures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("captured_at", UtcTime(), nullable=True),
        sa.Column("sha256", CleanText(128), server_default=sa.text("''"), nullable=False),
        sa.Column("width", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("height", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("signature_state", CleanText(32), server_default="none", nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state IN ('asked', 'sent', 'live', 'over', 'blind', 'refused')",
            name=op.f("ck_looks_state"),
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["officers.id"], name=op.f("fk_looks_asked_by")),
        sa.ForeignKeyConstraint(
            ["site", "device"],
            ["devices.site", "devices.device"],
            name=op.f("fk_looks_site_device"),
        ),
        sa.PrimaryKeyConstraint("look_id", name=op.f("pk_looks")),
    )
    op.create_index("ix_looks_camera", "looks", ["site", "device", "asked_at"])
    op.create_index("ix_looks_officer", "looks", ["asked_by", "asked_at"])
    op.create_index("ix_looks_region", "looks", ["region", "asked_at"])
    unsent, is_open = sa.text("state = 'asked'"), sa.text("phase = 'open'")
    op.create_index(
        "ix_looks_unsent", "looks", ["asked_at"], sqlite_where=unsent, postgresql_where=unsent
    )
    op.create_index(
        "ix_observations_open",
        "observations",
        ["site", "device"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_evidence_newest", "evidence", ["site", "device", "captured_at"])
