"""The migrations make exactly the schema, from nothing, on both databases, once and together."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from servers import Postgres
from sqlalchemy import inspect
from sqlalchemy.engine.interfaces import ReflectedIndex

from ledger import alerts, deadlines, migrate
from ledger.engine import Engine, LedgerRefused, open_engine, reading, writing
from ledger.schema import metadata


def _differences(engine: Engine) -> list[object]:
    with reading(engine) as conn:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(conn, opts=options), metadata))


def _shape(engine: Engine) -> dict[str, object]:
    """What the comparison above does not look at: keys, checks, index conditions."""
    looked = inspect(engine)
    shape: dict[str, object] = {}
    for table in sorted(set(looked.get_table_names()) - {"alembic_version"}):
        shape[table] = {
            "key": looked.get_pk_constraint(table),
            "checks": sorted(
                (c["name"], c["sqltext"]) for c in looked.get_check_constraints(table)
            ),
            "foreign": sorted(str(key) for key in looked.get_foreign_keys(table)),
            "unique": sorted(str(key) for key in looked.get_unique_constraints(table)),
            "indexes": sorted(_index(index) for index in looked.get_indexes(table)),
        }
    return shape


def _index(index: ReflectedIndex) -> str:
    where = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return f"{index['name']} {index['column_names']} {index['unique']} {sorted(where.items())}"


def test_the_result_is_the_schema(book: Engine) -> None:
    assert _differences(book) == []
    migrate.check(book)


def test_every_constraint_is_the_schemas_on_sqlite(file_book: Engine) -> None:
    direct = open_engine("sqlite://")
    metadata.create_all(direct)
    assert _shape(file_book) == _shape(direct)
    direct.dispose()


@pytest.mark.real
def test_every_constraint_is_the_schemas_on_postgresql(
    server_book: Engine, postgres: Postgres
) -> None:
    direct = open_engine(postgres.create_database())
    metadata.create_all(direct)
    assert _shape(server_book) == _shape(direct)
    direct.dispose()


def _upgrade_together(url: str) -> None:
    failures: list[BaseException] = []

    def upgrade() -> None:
        engine = open_engine(url)
        try:
            migrate.upgrade(engine)
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    engine = open_engine(url)
    migrate.check(engine)
    engine.dispose()


def test_several_may_upgrade_at_once_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> None:
    _upgrade_together(f"sqlite:///{tmp_path_factory.mktemp('together')}/ledger.db")


@pytest.mark.real
def test_several_may_upgrade_at_once_on_postgresql(postgres: Postgres) -> None:
    _upgrade_together(postgres.create_database())


def test_an_empty_database_is_told_apart() -> None:
    engine = open_engine("sqlite://")
    with pytest.raises(migrate.LedgerOutdated, match=r"revision none.*foodsentry ledger migrate"):
        migrate.check(engine)
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def test_open_alerts_of_before_stay_as_they_were_and_may_be_disposed_of(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """SQLite's check on states is replaced in place. Clocks begin with the next step only."""
    url = f"sqlite:///{tmp_path}/old.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres").create_database()
    engine = open_engine(url)
    migrate.upgrade(engine, "0010")
    with writing(engine) as conn:
        for statement in OLD_TOWN:
            conn.exec_driver_sql(statement)
    migrate.upgrade(engine)
    with writing(engine) as conn:
        row = alerts.get(conn, "a1")
        assert row is not None and (row.state, row.level, row.due_at) == ("firing", 0, None)
        assert deadlines.waiting(conn, row.raised_at + timedelta(days=400), 10) == []
        assert alerts.acknowledge(conn, "a1", "o1", row.raised_at)
        (number,) = deadlines.waiting(conn, row.raised_at, 10)
        (taken,) = deadlines.take(conn, [number], row.raised_at)
        assert [one.kind for one in deadlines.happened(conn, [taken])["a1"]] == ["acknowledged"]
        assert alerts.dispose(conn, "a1", "o1", row.raised_at)
    with pytest.raises(LedgerRefused), writing(engine) as conn:
        conn.exec_driver_sql("UPDATE alerts SET state = 'forgotten'")
    assert _differences(engine) == []
    if kind == "sqlite":
        with reading(engine) as conn:
            assert conn.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert list(conn.exec_driver_sql("PRAGMA foreign_key_check")) == []
    engine.dispose()


OLD_TOWN = (
    "INSERT INTO regions VALUES ('r1', '镇', 'town', NULL, '')",
    "INSERT INTO sites (id, region, name, kind, self_test) "
    "VALUES ('s1', 'r1', 's', 'canteen', false)",
    "INSERT INTO officers (id, login, name, password_hash, role, region, active) "
    "VALUES ('o1', 'li', '李', '', 'town', 'r1', true)",
    "INSERT INTO alerts (number, alert_id, fingerprint, rule, rule_version, severity, state, "
    "title_zh, title_en, summary_zh, summary_en, region, site, device, raised_at, changed_at, "
    "close_note, count, last_event_at, facts, evidence) VALUES (7, 'a1', 'f1', 'r', '1', 1, "
    "'firing', '', '', '', '', 'r1', 's1', 'd', '2026-03-02 01:00:00', '2026-03-02 01:00:00', '', "
    "1, '2026-03-02 01:00:00', '{}', '[]')",
    "INSERT INTO alert_timeline (alert_id, at, kind, actor, note, body) "
    "VALUES ('a1', '2026-03-02 01:00:00', 'raised', '', '', '{}')",
)
