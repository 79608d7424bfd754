"""The migrations make exactly the schema, from nothing, on both databases, once and together."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from servers import Postgres
from sqlalchemy import inspect
from sqlalchemy.engine.interfaces import ReflectedIndex

from ledger import migrate
from ledger.engine import Engine, open_engine, reading
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
