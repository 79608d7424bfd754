"""Samples, results, observations, evidence."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import BigKey, Json, UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "evidence_contents",
        sa.Column("sha256", sa.String(length=128), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_evidence_contents")),
    )
    op.create_table(
        "samples",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=128), nullable=False),
        sa.Column("product", sa.String(length=512), nullable=False),
        sa.Column("stall", sa.String(length=512), nullable=False),
        sa.Column("lot", sa.String(length=512), nullable=False),
        sa.Column("supplier", sa.String(length=512), nullable=False),
        sa.Column("origin", sa.String(length=512), nullable=False),
        sa.Column("registered_at", UtcTime(), nullable=False),
        sa.Column("registered_by", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(
            ["registered_by"], ["officers.id"], name=op.f("fk_samples_registered_by")
        ),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_samples_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samples")),
        sa.UniqueConstraint("site", "number", name=op.f("uq_samples_site_number")),
    )
    op.create_table(
        "evidence",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("evidence_id", sa.String(length=128), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("observation_id", sa.String(length=512), nullable=False),
        sa.Column("media_type", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=128), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
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
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("observation_id", sa.String(length=128), nullable=False),
        sa.Column("establishment_id", sa.String(length=128), nullable=True),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("phase", sa.String(length=32), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("captured_at", UtcTime(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("zone", sa.String(length=512), nullable=False),
        sa.Column("zone_kind", sa.String(length=512), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
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
        sa.Column("result_id", sa.String(length=32), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=128), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("establishment_id", sa.String(length=128), nullable=True),
        sa.Column("sample_id", sa.String(length=128), nullable=True),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("captured_at", UtcTime(), nullable=False),
        sa.Column("measured_at", UtcTime(), nullable=True),
        sa.Column("measured_text", sa.String(length=512), nullable=False),
        sa.Column("clock_offset_s", sa.Float(), nullable=True),
        sa.Column("sample_number", sa.String(length=512), nullable=False),
        sa.Column("sample_name", sa.String(length=512), nullable=False),
        sa.Column("sample_name_cut", sa.Boolean(), nullable=False),
        sa.Column("stall", sa.String(length=512), nullable=False),
        sa.Column("lot", sa.String(length=512), nullable=False),
        sa.Column("supplier", sa.String(length=512), nullable=False),
        sa.Column("origin", sa.String(length=512), nullable=False),
        sa.Column("item", sa.String(length=128), nullable=False),
        sa.Column("item_code", sa.String(length=512), nullable=False),
        sa.Column("value_text", sa.String(length=512), nullable=False),
        sa.Column("value_number", sa.Float(), nullable=True),
        sa.Column("comparator", sa.String(length=512), nullable=False),
        sa.Column("unit", sa.String(length=512), nullable=False),
        sa.Column("qualitative", sa.String(length=512), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("limit_text", sa.String(length=512), nullable=False),
        sa.Column("rule", sa.String(length=512), nullable=False),
        sa.Column("instrument_verdict", sa.String(length=512), nullable=False),
        sa.Column("operator", sa.String(length=512), nullable=False),
        sa.Column("flags", Json, nullable=False),
        sa.Column("record_number", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.Integer(), nullable=True),
        sa.Column("profile_id", sa.String(length=128), nullable=False),
        sa.Column("profile_version", sa.String(length=128), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("raw_sha256", sa.String(length=128), nullable=False),
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
