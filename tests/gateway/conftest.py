"""Fixtures of the gateway's tests: a ledger with a small town in it."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gateway_town import build, make_ledger

from gateway.alerts.book import RuleBook
from gateway.run import read_book
from gateway.settings import AlertSettings
from ledger.engine import Engine, open_engine


@pytest.fixture(scope="session")
def town_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("town") / "town.db"
    make_ledger(f"sqlite:///{path}", build)
    return path


@pytest.fixture
def ledger_file(town_file: Path, tmp_path: Path) -> Path:
    """A fresh ledger file with the town."""
    path = tmp_path / "ledger.db"
    shutil.copy(town_file, path)
    return path


@pytest.fixture
def ledger(ledger_file: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{ledger_file}")
    yield engine
    engine.dispose()


@pytest.fixture
def town_database(request: pytest.FixtureRequest) -> str:
    """URL of a PostgreSQL ledger with the town."""
    url: str = request.getfixturevalue("postgres").create_database()
    make_ledger(url, build)
    return url


@pytest.fixture(scope="session")
def book() -> RuleBook:
    """The starter rules."""
    return read_book(AlertSettings(), Path())
