"""Stalls with name and usual supplier, that are closed and never removed; what became of them."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import BigKey, CleanText, Json, UtcTime

revision = "0026"
down_revision = "0025"

_EVENTS = ("registered", "changed", "retired", "brought_back")
_KEPT = ("stalls", "stall_events")


def upgrade() -> None:
    empty = sa.text("''")
    for name in ("name", "supplier"):
        column: sa.Column[str] = sa.Column(
            name, CleanText(512), server_default=empty, nullable=False
        )
        op.add_column("stalls", column)
    op.add_column("stalls", sa.Column("retired_at", UtcTime(), nullable=True))
    op.create_table(
        "stall_events",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("stall_id", CleanText(128), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("kind", CleanText(32), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.CheckConstraint(
            f"kind IN ({', '.join(map(repr, _EVENTS))})", name=op.f("ck_stall_events_kind")
        ),
        sa.ForeignKeyConstraint(["stall_id"], ["stalls.id"], name=op.f("fk_stall_events_stall_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stall_events")),
    )
    op.create_index("ix_stall_events_stall_id", "stall_events", ["stall_id", "id"])
    for table in _KEPT:
        made = f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
        if op.get_bind().dialect.name == "postgresql":
            op.execute(made + "FOR EACH ROW EXECUTE FUNCTION cases_are_kept()")
        else:
            op.execute(made + "BEGIN SELECT RAISE(ABORT, 'a stall is closed, never removed'); END")
