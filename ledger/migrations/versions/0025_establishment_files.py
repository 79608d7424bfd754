"""Days of a licence; what became of an establishment; codes that were renewed."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import BigKey, CleanText, Json, UtcTime

revision = "0025"
down_revision = "0024"

_EVENTS = ("registered", "changed", "retired", "brought_back", "code_renewed")


def upgrade() -> None:
    op.add_column("establishments", sa.Column("licence_from", sa.Date(), nullable=True))
    op.add_column("establishments", sa.Column("licence_until", sa.Date(), nullable=True))
    op.create_table(
        "establishment_events",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.CheckConstraint(
            f"kind IN ({', '.join(map(repr, _EVENTS))})",
            name=op.f("ck_establishment_events_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"],
            ["establishments.id"],
            name=op.f("fk_establishment_events_establishment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_establishment_events")),
    )
    op.create_index(
        "ix_establishment_events_establishment_id",
        "establishment_events",
        ["establishment_id", "at"],
    )
    op.create_table(
        "retired_codes",
        sa.Column("code", CleanText(32), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=False),
        sa.Column("retired_at", UtcTime(), nullable=False),
        sa.Column("retired_by", CleanText(128), nullable=False),
        sa.Column("reason", CleanText(), nullable=False),
        sa.Column("good_until", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["establishment_id"],
            ["establishments.id"],
            name=op.f("fk_retired_codes_establishment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["retired_by"], ["officers.id"], name=op.f("fk_retired_codes_retired_by")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_retired_codes")),
    )
    op.create_index(
        op.f("ix_retired_codes_establishment_id"), "retired_codes", ["establishment_id"]
    )
    of_devices = sa.text("kind = 'device'")
    op.create_index(
        "ix_journal_devices",
        "journal",
        ["site", "at", "id"],
        sqlite_where=of_devices,
        postgresql_where=of_devices,
    )
