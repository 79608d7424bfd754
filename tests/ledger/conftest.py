"""Fixtures of the ledger's tests: each test that takes `book` runs on SQLite and on PostgreSQL."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger import migrate
from ledger.engine import Engine, open_engine, writing
from ledger.schema import metadata

sys.path.insert(0, str(Path(__file__).parent))

from ledger_town import build


@pytest.fixture(scope="session")
def made_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "made.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def made_database(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("postgres").create_database()
    engine = open_engine(url)
    migrate.upgrade(engine)
    engine.dispose()
    return url


@pytest.fixture
def file_book(made_file: Path, tmp_path: Path) -> Iterator[Engine]:
    path = tmp_path / "ledger.db"
    shutil.copy(made_file, path)
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def server_book(made_database: str) -> Iterator[Engine]:
    engine = open_engine(made_database)
    with writing(engine) as conn:
        names = ", ".join(table.name for table in metadata.sorted_tables)
        conn.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def book(request: pytest.FixtureRequest) -> Engine:
    """An empty ledger."""
    name = "file_book" if request.param == "sqlite" else "server_book"
    engine: Engine = request.getfixturevalue(name)
    return engine


@pytest.fixture
def town(book: Engine) -> Engine:
    """A ledger with the small town of `ledger_town`."""
    with writing(book) as conn:
        build(conn)
    return book
