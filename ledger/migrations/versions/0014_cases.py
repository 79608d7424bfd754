"""Cases, their events and publications; a database in which no case can be deleted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from ledger.columns import CleanText, UtcTime

revision = "0014"
down_revision = "0013"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
KEPT = ("cases", "case_events", "case_alerts", "case_results", "case_publications")
"""Tables of which no row is ever removed."""
FIXED = ("case_events", "case_alerts", "case_results")
"""Tables of which no row is ever changed."""


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("number", _BIG, nullable=False),
        sa.Column("case_id", CleanText(64), nullable=False),
        sa.Column("case_number", CleanText(64), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("finding", CleanText(32), nullable=False),
        sa.Column("outcome", CleanText(32), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=True),
        sa.Column("title_zh", CleanText(512), nullable=False),
        sa.Column("title_en", CleanText(512), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=True),
        sa.Column("opened_at", UtcTime(), nullable=False),
        sa.Column("opened_by", CleanText(128), nullable=False),
        sa.Column("known_at", UtcTime(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("assignee", CleanText(128), nullable=False),
        sa.Column("paused_since", UtcTime(), nullable=True),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("due_clock", CleanText(32), nullable=False),
        sa.Column("due_unknown", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("rules_version", CleanText(32), nullable=False),
        sa.CheckConstraint(
            "kind IN ('produce_test', 'food_test', 'scene')", name=op.f("ck_cases_kind")
        ),
        sa.CheckConstraint(
            "finding IN ('suspect', 'established', 'cleared')", name=op.f("ck_cases_finding")
        ),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_cases_site")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishments.id"], name=op.f("fk_cases_establishment_id")
        ),
        sa.ForeignKeyConstraint(["opened_by"], ["officers.id"], name=op.f("fk_cases_opened_by")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_cases")),
        sa.UniqueConstraint("case_id", name=op.f("uq_cases_case_id")),
        sa.UniqueConstraint("case_number", name=op.f("uq_cases_case_number")),
    )
    op.create_index("ix_cases_opened_at", "cases", ["opened_at", "number"])
    op.create_index("ix_cases_region", "cases", ["region", "state", "opened_at"])
    op.create_index("ix_cases_establishment_id", "cases", ["establishment_id", "opened_at"])
    op.create_index("ix_cases_assignee", "cases", ["assignee", "state"])
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_cases_due_at", "cases", ["due_at"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "case_events",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("case_id", CleanText(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event_id", CleanText(64), nullable=False),
        sa.Column("move", CleanText(32), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("actor", CleanText(128), nullable=False),
        sa.Column("role", CleanText(32), nullable=False),
        sa.Column("counts_at", UtcTime(), nullable=False),
        sa.Column("state", CleanText(32), nullable=False),
        sa.Column("finding", CleanText(32), nullable=False),
        sa.Column("given", _JSON, nullable=False),
        sa.Column("rules_version", CleanText(32), nullable=False),
        sa.Column("digest", CleanText(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_case_events_case_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_events")),
        sa.UniqueConstraint("case_id", "seq", name=op.f("uq_case_events_case_id_seq")),
        sa.UniqueConstraint("case_id", "event_id", name=op.f("uq_case_events_case_id_event_id")),
    )
    for table, name, length, target in (
        ("case_alerts", "alert_id", 64, "alerts.alert_id"),
        ("case_results", "result_id", 32, "results.result_id"),
    ):
        op.create_table(
            table,
            sa.Column("case_id", CleanText(64), nullable=False),
            sa.Column(name, CleanText(length), nullable=False),
            sa.ForeignKeyConstraint(
                ["case_id"], ["cases.case_id"], name=op.f(f"fk_{table}_case_id")
            ),
            sa.ForeignKeyConstraint([name], [target], name=op.f(f"fk_{table}_{name}")),
            sa.PrimaryKeyConstraint("case_id", name, name=op.f(f"pk_{table}")),
        )
        op.create_index(f"ix_{table}_{name}", table, [name])
    op.create_table(
        "case_publications",
        sa.Column("case_id", CleanText(64), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=True),
        sa.Column("case_number", CleanText(64), nullable=False),
        sa.Column("title_zh", CleanText(512), nullable=False),
        sa.Column("title_en", CleanText(512), nullable=False),
        sa.Column("outcome", CleanText(32), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=True),
        sa.Column("published_at", UtcTime(), nullable=False),
        sa.Column("published_by", CleanText(128), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("ended_by_move", CleanText(32), nullable=False),
        sa.Column("reason", CleanText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.case_id"], name=op.f("fk_case_publications_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"],
            ["establishments.id"],
            name=op.f("fk_case_publications_establishment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["published_by"], ["officers.id"], name=op.f("fk_case_publications_published_by")
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_publications")),
    )
    op.create_index(
        "ix_case_publications_establishment_id",
        "case_publications",
        ["establishment_id", "published_at"],
    )
    shown = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_case_publications_expires_at",
        "case_publications",
        ["expires_at"],
        sqlite_where=shown,
        postgresql_where=shown,
    )
    op.create_table(
        "case_numbers",
        sa.Column("county", CleanText(64), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("county", "year", name=op.f("pk_case_numbers")),
    )
    _keep()


def _keep() -> None:
    """Refuse to remove a case or anything of it, and to change what happened."""
    fixed = [(table, "UPDATE") for table in FIXED]
    refused = [(table, "DELETE") for table in KEPT] + fixed
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION cases_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'what happened to a case is never changed or removed' "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        for table, change in refused:
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION cases_are_kept()"
            )
    else:
        for table, change in refused:
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} BEGIN "
                "SELECT RAISE(ABORT, 'what happened to a case is never changed or removed'); END"
            )
