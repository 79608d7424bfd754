"""Samples as testing rooms tell them, with their results; tasks; the books of the rooms."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from contracts.names import name_key
from ledger.columns import CleanText, UtcTime

revision = "0022"
down_revision = "0021"

_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
_PART = 5000


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _samples_anew()
    else:
        op.drop_constraint("uq_samples_site_number", "samples")
        for column in _new_columns():
            op.add_column("samples", column)
    for column in _keys():
        op.add_column("results", column)
    _fill_keys("samples", "id", "product")
    _fill_keys("results", "number", "sample_name")
    _indices()
    op.create_table(
        "sample_results",
        sa.Column("sample_id", CleanText(128), nullable=False),
        sa.Column("result_id", CleanText(128), nullable=False),
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("how", CleanText(32), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("by", CleanText(512), nullable=False),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["samples.id"], name=op.f("fk_sample_results_sample_id")
        ),
        sa.PrimaryKeyConstraint("sample_id", "result_id", name=op.f("pk_sample_results")),
    )
    op.create_index("ix_sample_results_result_id", "sample_results", ["result_id"])
    _tasks()
    op.create_table(
        "room_books",
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("agent", CleanText(64), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("digest", CleanText(128), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("published", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_room_books_site")),
        sa.PrimaryKeyConstraint("site", "agent", name=op.f("pk_room_books")),
    )


def _keys() -> list[sa.Column[Any]]:
    return [
        sa.Column(name, CleanText(512), server_default=sa.text("''"), nullable=False)
        for name in ("product_key", "lot_key", "supplier_key")
    ]


def _new_columns() -> list[sa.Column[Any]]:
    empty = sa.text("''")
    return [
        sa.Column("agent", CleanText(64), server_default=empty, nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("digest", CleanText(128), server_default=empty, nullable=False),
        sa.Column("certificate", CleanText(512), server_default=empty, nullable=False),
        sa.Column("task_id", CleanText(128), server_default=empty, nullable=False),
        sa.Column("operator", CleanText(512), server_default=empty, nullable=False),
        sa.Column("note", CleanText(), server_default=empty, nullable=False),
        sa.Column("voided", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("void_reason", CleanText(512), server_default=empty, nullable=False),
        sa.Column("received_at", UtcTime(), nullable=True),
        *_keys(),
    ]


def _samples_anew() -> None:
    """SQLite drops no constraint: the table is made anew, with its results' references kept."""
    old = "id, site, number, product, stall, lot, supplier, origin, registered_at, registered_by"
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute(f"CREATE TEMPORARY TABLE samples_kept AS SELECT {old} FROM samples")  # noqa: S608
    op.execute("DROP TABLE samples")
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
        *_new_columns(),
        sa.ForeignKeyConstraint(
            ["registered_by"], ["officers.id"], name=op.f("fk_samples_registered_by")
        ),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_samples_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samples")),
    )
    # The column names are this file's own.
    op.execute(f"INSERT INTO samples ({old}) SELECT {old} FROM samples_kept")  # noqa: S608
    op.execute("DROP TABLE samples_kept")


def _fill_keys(table: str, key: str, product: str) -> None:
    """What names are compared by, for what is stored already."""
    conn = op.get_bind()
    told = sa.table(
        table,
        *(sa.column(name) for name in (key, product, "lot", "supplier")),
        *(sa.column(name) for name in ("product_key", "lot_key", "supplier_key")),
    )
    named = sa.or_(told.c.lot != "", told.c.supplier != "", told.c[product] != "")
    found = sa.select(told.c[key], told.c[product], told.c.lot, told.c.supplier).where(named)
    change = (
        sa.update(told)
        .where(told.c[key] == sa.bindparam("of"))
        .values(
            product_key=sa.bindparam("p"),
            lot_key=sa.bindparam("l"),
            supplier_key=sa.bindparam("s"),
        )
    )  # fmt: skip
    last = None
    while True:
        part = found if last is None else found.where(told.c[key] > last)
        rows = conn.execute(part.order_by(told.c[key]).limit(_PART)).all()
        if not rows:
            return
        conn.execute(
            change,
            [
                {"of": row[0], "p": name_key(row[1]), "l": name_key(row[2]), "s": name_key(row[3])}
                for row in rows
            ],
        )
        last = rows[-1][0]


def _indices() -> None:
    def some(name: str, table: str, columns: list[str], condition: str) -> None:
        when = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=when, postgresql_where=when)

    op.create_index("ix_samples_site", "samples", ["site", "number"])
    op.create_index("ix_samples_site_registered_at", "samples", ["site", "registered_at"])
    op.create_index("ix_samples_received_at", "samples", ["received_at"])
    some("ix_samples_task_id", "samples", ["task_id"], "task_id <> ''")
    some("ix_samples_lot_key", "samples", ["lot_key", "registered_at"], "lot_key <> ''")
    some(
        "ix_samples_supplier_key", "samples", ["supplier_key", "registered_at"],
        "supplier_key <> ''",
    )  # fmt: skip
    some("ix_results_sample_id", "results", ["sample_id"], "sample_id IS NOT NULL")
    some("ix_results_lot_key", "results", ["lot_key", "captured_at"], "lot_key <> ''")
    some(
        "ix_results_supplier_key", "results", ["supplier_key", "captured_at"],
        "supplier_key <> ''",
    )  # fmt: skip


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("title", CleanText(512), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("establishment_id", CleanText(128), nullable=True),
        sa.Column("site", CleanText(64), nullable=True),
        sa.Column("officer_id", CleanText(128), nullable=True),
        sa.Column("food_group", CleanText(32), nullable=False),
        sa.Column("items", _JSON, nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("starts_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("note", CleanText(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("created_by", CleanText(128), nullable=True),
        sa.Column("withdrawn_at", UtcTime(), nullable=True),
        sa.Column("withdrawn_by", CleanText(128), server_default=sa.text("''"), nullable=False),
        sa.Column("withdraw_reason", CleanText(512), server_default=sa.text("''"), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("late", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_tasks_region")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishments.id"], name=op.f("fk_tasks_establishment_id")
        ),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_tasks_site")),
        sa.ForeignKeyConstraint(["officer_id"], ["officers.id"], name=op.f("fk_tasks_officer_id")),
        sa.ForeignKeyConstraint(["created_by"], ["officers.id"], name=op.f("fk_tasks_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index("ix_tasks_region", "tasks", ["region", "due_at", "id"])
    when = sa.text("withdrawn_at IS NULL")
    op.create_index(
        "ix_tasks_due_at", "tasks", ["due_at"], sqlite_where=when, postgresql_where=when
    )
    made = "CREATE TRIGGER tasks_no_delete BEFORE DELETE ON tasks "
    if op.get_bind().dialect.name == "postgresql":
        op.execute(made + "FOR EACH ROW EXECUTE FUNCTION cases_are_kept()")
    else:
        op.execute(made + "BEGIN SELECT RAISE(ABORT, 'a task is withdrawn, never removed'); END")
