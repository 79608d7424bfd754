"""Regions, establishments, sites, stalls, devices, officers, sessions."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import BigKey, CleanText, Json, UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "login_failures",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("login", CleanText(128), nullable=False),
        sa.Column("address", CleanText(128), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failures")),
    )
    op.create_index("ix_login_failures_address", "login_failures", ["address", "at"], unique=False)
    op.create_index(op.f("ix_login_failures_at"), "login_failures", ["at"], unique=False)
    op.create_index("ix_login_failures_login", "login_failures", ["login", "at"], unique=False)
    op.create_table(
        "regions",
        sa.Column("code", CleanText(64), nullable=False),
        sa.Column("name_zh", CleanText(512), nullable=False),
        sa.Column("name_en", CleanText(512), nullable=False),
        sa.Column("parent", CleanText(64), nullable=True),
        sa.Column("source", CleanText(512), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["regions.code"], name=op.f("fk_regions_parent")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_regions")),
    )
    op.create_index(op.f("ix_regions_parent"), "regions", ["parent"], unique=False)
    op.create_table(
        "establishments",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("name", CleanText(512), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("credit_code", CleanText(32), nullable=True),
        sa.Column("licence_number", CleanText(32), nullable=True),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("address", CleanText(512), nullable=False),
        sa.Column("officer_id", CleanText(128), nullable=True),
        sa.Column("public_code", CleanText(32), nullable=False),
        sa.Column("risk_grade", CleanText(32), nullable=False),
        sa.CheckConstraint(
            "kind IN ('market', 'canteen', 'van', 'supermarket')",
            name=op.f("ck_establishments_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["region"], ["regions.code"], name=op.f("fk_establishments_region")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_establishments")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_establishments_credit_code")),
        sa.UniqueConstraint("licence_number", name=op.f("uq_establishments_licence_number")),
        sa.UniqueConstraint("public_code", name=op.f("uq_establishments_public_code")),
    )
    op.create_index(
        op.f("ix_establishments_officer_id"), "establishments", ["officer_id"], unique=False
    )
    op.create_index(op.f("ix_establishments_region"), "establishments", ["region"], unique=False)
    op.create_table(
        "officers",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("login", CleanText(128), nullable=False),
        sa.Column("name", CleanText(512), nullable=False),
        sa.Column("password_hash", CleanText(), nullable=False),
        sa.Column("role", CleanText(32), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "role IN ('city', 'county', 'town', 'operator', 'auditor', 'admin')",
            name=op.f("ck_officers_role"),
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishments.id"], name=op.f("fk_officers_establishment_id")
        ),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_officers_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officers")),
        sa.UniqueConstraint("login", name=op.f("uq_officers_login")),
    )
    op.create_index(
        op.f("ix_officers_establishment_id"), "officers", ["establishment_id"], unique=False
    )
    op.create_index(op.f("ix_officers_region"), "officers", ["region"], unique=False)
    op.create_table(
        "sites",
        sa.Column("id", CleanText(64), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=True),
        sa.Column("name", CleanText(512), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("self_test", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('testing_room', 'quick_test_van', 'canteen')", name=op.f("ck_sites_kind")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishments.id"], name=op.f("fk_sites_establishment_id")
        ),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_sites_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("region", "id", name=op.f("uq_sites_region_id")),
    )
    op.create_index(op.f("ix_sites_establishment_id"), "sites", ["establishment_id"], unique=False)
    op.create_index(op.f("ix_sites_region"), "sites", ["region"], unique=False)
    op.create_table(
        "devices",
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("name", CleanText(512), nullable=False),
        sa.Column("model", CleanText(512), nullable=False),
        sa.Column("registered_at", UtcTime(), nullable=False),
        sa.Column("silent_after_s", sa.Float(), nullable=True),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("state_detail", CleanText(512), nullable=False),
        sa.Column("state_at", UtcTime(), nullable=True),
        sa.Column("status_received_at", UtcTime(), nullable=True),
        sa.Column("last_seen_at", UtcTime(), nullable=True),
        sa.Column("software", CleanText(512), nullable=False),
        sa.Column("epoch", CleanText(512), nullable=False),
        sa.Column("lowest_unreceipted", sa.BigInteger(), nullable=True),
        sa.Column("oldest_unsent_age_s", sa.Float(), nullable=False),
        sa.Column("backlog", sa.BigInteger(), nullable=False),
        sa.Column("outbox_bytes", sa.BigInteger(), nullable=False),
        sa.Column("thinned", sa.BigInteger(), nullable=False),
        sa.Column("discarded_bytes", sa.BigInteger(), nullable=False),
        sa.Column("clock_offset_s", sa.Float(), nullable=True),
        sa.Column("figures", Json, nullable=False),
        sa.CheckConstraint(
            "kind IN ('agent', 'pesticide_reader', 'analyzer', 'probe', 'camera')",
            name=op.f("ck_devices_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["region", "site"],
            ["sites.region", "sites.id"],
            name=op.f("fk_devices_region_site"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("site", "device", name=op.f("pk_devices")),
    )
    op.create_index("ix_devices_region", "devices", ["region"], unique=False)
    op.create_index(
        "ix_devices_watched", "devices", ["silent_after_s", "last_seen_at"], unique=False
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", CleanText(128), nullable=False),
        sa.Column("officer_id", CleanText(128), nullable=False),
        sa.Column("csrf", CleanText(128), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("last_seen_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officers.id"], name=op.f("fk_sessions_officer_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_officer_id"), "sessions", ["officer_id"], unique=False)
    op.create_table(
        "stalls",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("label", CleanText(512), nullable=False),
        sa.Column("keeper", CleanText(512), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_stalls_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stalls")),
        sa.UniqueConstraint("site", "label", name=op.f("uq_stalls_site_label")),
    )
    # ### end Alembic commands ###
