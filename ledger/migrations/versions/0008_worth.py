"""Officers' verdicts on alerts, and the proposals that follow from them."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import BigKey, CleanText, Json, UtcTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "alert_verdicts",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("alert_id", CleanText(64), nullable=False),
        sa.Column("officer_id", CleanText(128), nullable=False),
        sa.Column("verdict", CleanText(32), nullable=False),
        sa.Column("cause", CleanText(32), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("note", CleanText(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("superseded_at", UtcTime(), nullable=True),
        sa.CheckConstraint(
            "verdict IN ('true', 'false', 'unsure')", name=op.f("ck_alert_verdicts_verdict")
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert_id"], name=op.f("fk_alert_verdicts_alert_id")
        ),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officers.id"], name=op.f("fk_alert_verdicts_officer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_verdicts")),
    )
    op.create_index("ix_alert_verdicts_alert_id", "alert_verdicts", ["alert_id", "id"])
    standing = sa.text("superseded_at IS NULL")
    op.create_index(
        "uq_alert_verdicts_standing",
        "alert_verdicts",
        ["alert_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.create_table(
        "suppression_proposals",
        sa.Column("id", CleanText(64), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("scope", CleanText(128), nullable=False),
        sa.Column("rule", CleanText(128), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("zone", CleanText(128), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=True),
        sa.Column("figures", Json, nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("proposed_at", UtcTime(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=True),
        sa.Column("decided_by", CleanText(128), nullable=True),
        sa.Column("note", CleanText(), nullable=False),
        sa.Column("until", UtcTime(), nullable=True),
        sa.Column("made", CleanText(128), nullable=False),
        sa.CheckConstraint(
            "kind IN ('silence', 'digest')", name=op.f("ck_suppression_proposals_kind")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'declined', 'withdrawn')",
            name=op.f("ck_suppression_proposals_state"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["officers.id"], name=op.f("fk_suppression_proposals_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"],
            ["establishments.id"],
            name=op.f("fk_suppression_proposals_establishment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression_proposals")),
    )
    opened = sa.text("state = 'open'")
    op.create_index(
        "uq_suppression_proposals_open_scope",
        "suppression_proposals",
        ["kind", "scope"],
        unique=True,
        sqlite_where=opened,
        postgresql_where=opened,
    )
    op.create_index(
        "ix_suppression_proposals_region",
        "suppression_proposals",
        ["region", "state", "proposed_at"],
    )
