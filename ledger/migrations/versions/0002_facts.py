"""Samples, results, observations, evidence."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import BigKey, CleanText, Json, UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "evidence_contents",
        sa.Column("sha256", CleanText(128), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_evidence_contents")),
    )
    op.create_table(
        "samples",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("number", CleanText(128), nullable=False),
        sa.Column("product", CleanText(512), nullable=False),
        sa.Column("stall", CleanText(512), nullable=False),
        sa.Column("lot", CleanText(512), nullable=False),
        sa.Column("supplier", CleanText(512), nullable=False),
        sa.Column("origin", CleanText(512), nullable=False),
        sa.Column("registered_at", UtcTime(), nullable=False),
        sa.Column("registered_by", CleanText(128), nullable=True),
        sa.ForeignKeyConstraint(
            ["registered_by"], ["officers.id"], name=op.f("fk_samples_registered_by")
        ),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_samples_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samples")),
        sa.UniqueConstraint("site", "number", name=op.f("uq_samples_site_number")),
    )
    op.create_table(
        "evidence",
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("evidence_id", CleanText(128), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("observation_id", CleanText(512), nullable=False),
        sa.Column("media_type", CleanText(128), nullable=False),
        sa.Column("sha256", CleanText(128), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("captured_at", UtcTime(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("blurred", sa.Boolean(), nullable=False),
        sa.Column("boxes", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["evidence_contents.sha256"], name=op.f("fk_evidence_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["site", "device"],
            ["devices.site", "devices.device"],
            name=op.f("fk_evidence_site_device"),
        ),
        sa.PrimaryKeyConstraint("site", "device", "evidence_id", name=op.f("pk_evidence")),
    )
    op.create_index("ix_evidence_evidence_id", "evidence", ["evidence_id"], unique=False)
    op.create_index("ix_evidence_observation_id", "evidence", ["observation_id"], unique=False)
    op.create_index(op.f("ix_evidence_sha256"), "evidence", ["sha256"], unique=False)
    op.create_table(
        "observations",
        sa.Column("number", BigKey, nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("observation_id", CleanText(128), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=True),
        sa.Column("kind", CleanText(128), nullable=False),
        sa.Column("phase", CleanText(32), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("captured_at", UtcTime(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("reason", CleanText(512), nullable=False),
        sa.Column("zone", CleanText(512), nullable=False),
        sa.Column("zone_kind", CleanText(512), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("boxes", Json, nullable=False),
        sa.Column("models", Json, nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"],
            ["establishments.id"],
            name=op.f("fk_observations_establishment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["site", "device"],
            ["devices.site", "devices.device"],
            name=op.f("fk_observations_site_device"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_observations")),
        sa.UniqueConstraint(
            "site",
            "device",
            "observation_id",
            name=op.f("uq_observations_site_device_observation_id"),
        ),
    )
    op.create_index(
        "ix_observations_establishment",
        "observations",
        ["establishment_id", "started_at", "number"],
        unique=False,
    )
    op.create_index(
        "ix_observations_observation_id", "observations", ["observation_id"], unique=False
    )
    op.create_table(
        "results",
        sa.Column("number", BigKey, nullable=False),
        sa.Column("result_id", CleanText(32), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("agent", CleanText(64), nullable=False),
        sa.Column("epoch", CleanText(128), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("event_id", CleanText(128), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=True),
        sa.Column("sample_id", CleanText(128), nullable=True),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("captured_at", UtcTime(), nullable=False),
        sa.Column("measured_at", UtcTime(), nullable=True),
        sa.Column("measured_text", CleanText(512), nullable=False),
        sa.Column("clock_offset_s", sa.Float(), nullable=True),
        sa.Column("sample_number", CleanText(512), nullable=False),
        sa.Column("sample_name", CleanText(512), nullable=False),
        sa.Column("sample_name_cut", sa.Boolean(), nullable=False),
        sa.Column("stall", CleanText(512), nullable=False),
        sa.Column("lot", CleanText(512), nullable=False),
        sa.Column("supplier", CleanText(512), nullable=False),
        sa.Column("origin", CleanText(512), nullable=False),
        sa.Column("item", CleanText(128), nullable=False),
        sa.Column("item_code", CleanText(512), nullable=False),
        sa.Column("value_text", CleanText(512), nullable=False),
        sa.Column("value_number", sa.Float(), nullable=True),
        sa.Column("comparator", CleanText(512), nullable=False),
        sa.Column("unit", CleanText(512), nullable=False),
        sa.Column("qualitative", CleanText(512), nullable=False),
        sa.Column("verdict", CleanText(32), nullable=False),
        sa.Column("limit_text", CleanText(512), nullable=False),
        sa.Column("rule", CleanText(512), nullable=False),
        sa.Column("instrument_verdict", CleanText(512), nullable=False),
        sa.Column("operator", CleanText(512), nullable=False),
        sa.Column("flags", Json, nullable=False),
        sa.Column("record_number", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.BigInteger(), nullable=True),
        sa.Column("profile_id", CleanText(128), nullable=False),
        sa.Column("profile_version", CleanText(128), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("raw_sha256", CleanText(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishments.id"], name=op.f("fk_results_establishment_id")
        ),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_results_sample_id")),
        sa.ForeignKeyConstraint(
            ["site", "device"],
            ["devices.site", "devices.device"],
            name=op.f("fk_results_site_device"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_results")),
        sa.UniqueConstraint("result_id", name=op.f("uq_results_result_id")),
        sa.UniqueConstraint(
            "site",
            "device",
            "epoch",
            "sequence",
            name=op.f("uq_results_site_device_epoch_sequence"),
        ),
    )
    op.create_index(
        "ix_results_establishment",
        "results",
        ["establishment_id", "captured_at", "number"],
        unique=False,
    )
    op.create_index("ix_results_region", "results", ["region", "captured_at"], unique=False)
    # ### end Alembic commands ###
