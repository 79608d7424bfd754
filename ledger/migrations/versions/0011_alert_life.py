"""The life of alerts: disposal, review, deadlines, levels, cards; duty rosters and contacts."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, Json, UtcTime

revision = "0011"
down_revision = "0010"

OLD = "state IN ('firing', 'acknowledged', 'resolved', 'closed')"
STATE = "state IN ('firing', 'acknowledged', 'disposing', 'reviewed', 'resolved', 'closed')"
LEVEL = "level IN (0, 1, 2)"
DUE_KIND = "due_kind IN ('acknowledge', 'dispose', 'review')"


def upgrade() -> None:
    for column in (
        sa.Column("disposed_at", UtcTime(), nullable=True),
        sa.Column("disposed_by", CleanText(128), nullable=True),
        sa.Column("reviewed_at", UtcTime(), nullable=True),
        sa.Column("reviewed_by", CleanText(128), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("due_kind", CleanText(32), nullable=True),
        sa.Column("overdue_since", UtcTime(), nullable=True),
        sa.Column("paused_since", UtcTime(), nullable=True),
        sa.Column("paused_s", sa.Float(), nullable=False, server_default="0"),
        sa.Column("unwound", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("wound_to", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("clock", Json, nullable=False, server_default=sa.text("'{}'")),
    ):
        op.add_column("alerts", column)
    _check_alerts()
    # The clocks of what is open already begin with its next step: no deadline of before is missed.
    op.execute(
        "UPDATE alerts SET wound_to = (SELECT coalesce(max(id), 0) FROM alert_timeline "
        "WHERE alert_timeline.alert_id = alerts.alert_id)"
    )
    for name, column_name, where in (
        ("ix_alerts_due_at", "due_at", "due_at IS NOT NULL AND paused_since IS NULL"),
        ("ix_alerts_unwound", "number", "unwound"),
    ):
        op.create_index(
            name,
            "alerts",
            [column_name],
            unique=False,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_table(
        "cards",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=False),
        sa.Column("alert_id", CleanText(64), nullable=False),
        sa.Column("colour", CleanText(32), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("reason", CleanText(), nullable=False),
        sa.Column("annulled_at", UtcTime(), nullable=True),
        sa.Column("annulled_by", CleanText(128), nullable=True),
        sa.Column("annul_reason", CleanText(), nullable=False),
        sa.CheckConstraint("colour IN ('yellow', 'red')", name=op.f("ck_cards_colour")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert_id"], name=op.f("fk_cards_alert_id")),
        sa.ForeignKeyConstraint(
            ["annulled_by"], ["officers.id"], name=op.f("fk_cards_annulled_by")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishments.id"], name=op.f("fk_cards_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
        sa.UniqueConstraint("alert_id", "colour", name=op.f("uq_cards_alert_id_colour")),
    )
    op.create_index("ix_cards_establishment_id", "cards", ["establishment_id", "at"], unique=False)
    op.create_table(
        "duties",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("officer_id", CleanText(128), nullable=False),
        sa.Column("starts_at", UtcTime(), nullable=False),
        sa.Column("ends_at", UtcTime(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_duties_span")),
        sa.ForeignKeyConstraint(["officer_id"], ["officers.id"], name=op.f("fk_duties_officer_id")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_duties_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duties")),
        sa.UniqueConstraint(
            "region",
            "officer_id",
            "starts_at",
            name=op.f("uq_duties_region_officer_id_starts_at"),
        ),
    )
    op.create_index(op.f("ix_duties_officer_id"), "duties", ["officer_id"], unique=False)
    op.create_index("ix_duties_region", "duties", ["region", "ends_at"], unique=False)
    op.create_table(
        "contacts",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("officer_id", CleanText(128), nullable=False),
        sa.Column("channel", CleanText(32), nullable=False),
        sa.Column("address", CleanText(512), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officers.id"], name=op.f("fk_contacts_officer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint(
            "officer_id",
            "channel",
            "address",
            name=op.f("uq_contacts_officer_id_channel_address"),
        ),
    )


def _check_alerts() -> None:
    """Let `state` have its new words, and check the new columns."""
    checks = {"state": STATE, "level": LEVEL, "due_kind": DUE_KIND}
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_alerts_state"), "alerts", type_="check")
        for name, check in checks.items():
            op.create_check_constraint(op.f(f"ck_alerts_{name}"), "alerts", check)
        return
    # A check says nothing about what is on the disk, so SQLite lets its text be replaced: see
    # https://www.sqlite.org/lang_altertable.html. To make the table anew would mean to drop it,
    # and the timeline refers to it.
    told = ", ".join(
        f"CONSTRAINT ck_alerts_{name} CHECK ({check})" for name, check in checks.items()
    )
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) "
        "WHERE type = 'table' AND name = 'alerts'",
        (f"CONSTRAINT ck_alerts_state CHECK ({OLD})", told),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
