"""Indicators: proven meals, supervision samplings, frozen numbers that nobody changes."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, UtcTime

revision = "0021"
down_revision = "0020"

REFUSED = (
    ("indicator_snapshots", "DELETE"),
    ("indicator_snapshots", "UPDATE"),
    ("samplings", "DELETE"),
)
"""What the database refuses."""
SAID = "what was counted is never changed or removed"


def upgrade() -> None:
    op.add_column("establishments", sa.Column("registered_at", UtcTime(), nullable=True))
    op.create_table(
        "camera_meals",
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("ends_at", UtcTime(), nullable=False),
        sa.Column("day", CleanText(32), nullable=False),
        sa.Column("live_minutes", sa.Float(), nullable=False),
        sa.Column("due_minutes", sa.Float(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site", "device"],
            ["devices.site", "devices.device"],
            name=op.f("fk_camera_meals_site_device"),
        ),
        sa.PrimaryKeyConstraint("site", "device", "ends_at", name=op.f("pk_camera_meals")),
    )
    op.create_index("ix_camera_meals_day", "camera_meals", ["day"])
    _samplings()
    _snapshots()
    positive = sa.text("verdict = 'positive'")
    op.create_index(
        "ix_results_positive",
        "results",
        ["captured_at"],
        sqlite_where=positive,
        postgresql_where=positive,
    )
    op.create_index("ix_cases_known_at", "cases", ["known_at"])
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:
        op.execute(
            "CREATE FUNCTION numbers_are_kept() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{SAID}' "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for table, change in REFUSED:
        made = f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
        refuse = "FOR EACH ROW EXECUTE FUNCTION numbers_are_kept()"
        op.execute(made + (refuse if postgres else f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"))


def _samplings() -> None:
    op.create_table(
        "samplings",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("sampled_at", UtcTime(), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=True),
        sa.Column("sampled_from", CleanText(512), nullable=False),
        sa.Column("food", CleanText(512), nullable=False),
        sa.Column("lab", CleanText(512), nullable=False),
        sa.Column("report_number", CleanText(128), nullable=True),
        sa.Column("reported_at", UtcTime(), nullable=True),
        sa.Column("verdict", CleanText(32), nullable=False),
        sa.Column("failed_items", CleanText(512), nullable=False),
        sa.Column("disposed_at", UtcTime(), nullable=True),
        sa.Column("disposal_document", CleanText(512), nullable=False),
        sa.Column("published_at", UtcTime(), nullable=True),
        sa.Column("entered_at", UtcTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('supervision', 'evaluation', 'monitoring')", name=op.f("ck_samplings_kind")
        ),
        sa.CheckConstraint(
            "verdict IN ('pending', 'pass', 'fail')", name=op.f("ck_samplings_verdict")
        ),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_samplings_region")),
        sa.ForeignKeyConstraint(
            ["establishment_id"],
            ["establishments.id"],
            name=op.f("fk_samplings_establishment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samplings")),
        sa.UniqueConstraint("report_number", name=op.f("uq_samplings_report_number")),
    )
    op.create_index(op.f("ix_samplings_establishment_id"), "samplings", ["establishment_id"])
    op.create_index("ix_samplings_region", "samplings", ["region", "sampled_at"])
    op.create_index("ix_samplings_sampled_at", "samplings", ["sampled_at"])
    op.create_index("ix_samplings_reported_at", "samplings", ["reported_at"])


def _snapshots() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "indicator_snapshots",
        sa.Column("number", big, nullable=False),
        sa.Column("period", CleanText(32), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("indicator", CleanText(32), nullable=False),
        sa.Column("part", sa.Float(), nullable=True),
        sa.Column("whole", sa.Float(), nullable=True),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("target", sa.Float(), nullable=True),
        sa.Column("met", sa.Boolean(), nullable=True),
        sa.Column("definition", CleanText(), nullable=False),
        sa.Column("frozen_at", UtcTime(), nullable=False),
        sa.Column("previous_hash", CleanText(128), nullable=False),
        sa.Column("hash", CleanText(128), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_indicator_snapshots")),
        sa.UniqueConstraint("hash", name=op.f("uq_indicator_snapshots_hash")),
        sa.UniqueConstraint(
            "period",
            "region",
            "indicator",
            name=op.f("uq_indicator_snapshots_period_region_indicator"),
        ),
    )
    op.create_index(
        "ix_indicator_snapshots_indicator",
        "indicator_snapshots",
        ["indicator", "region", "period"],
    )
