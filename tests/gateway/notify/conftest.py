"""Fixtures of the pipeline's tests."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gateway_town import make_ledger
from telling_town import Town, build

from ledger.engine import Engine, open_engine


@pytest.fixture(scope="session")
def telling_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("telling") / "town.db"
    make_ledger(f"sqlite:///{path}", build)
    return path


@pytest.fixture
def telling_ledger(telling_file: Path, tmp_path: Path) -> Iterator[Engine]:
    """A fresh ledger with the town of `telling_town`."""
    path = tmp_path / "telling.db"
    shutil.copy(telling_file, path)
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def town(telling_ledger: Engine) -> Town:
    return Town(telling_ledger)
