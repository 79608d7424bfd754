"""Fixtures of the console's tests: a town in a ledger, the app over it, signed-in clients."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from ledger import migrate
from ledger.engine import Engine, open_engine
from server.app import create_app
from timeseries.port import SeriesStore
from timeseries.settings import SeriesSettings, open_store

sys.path.insert(0, str(Path(__file__).parent))

import console_town
import console_worth
from console_app import CHEAP, NOW, Clock, TestClient, settings, sign_in
from console_town import CASE


@pytest.fixture(scope="session")
def built_town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with the town's ledger and series, and its alerts' ids; made once, then copied."""
    folder = tmp_path_factory.mktemp("town")
    engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite'}")
    migrate.upgrade(engine)
    store = open_store(SeriesSettings(path="series.sqlite"), folder)
    made = console_town.build(engine, store, NOW, CHEAP)
    store.close()
    engine.dispose()
    return folder, made


@pytest.fixture(scope="session")
def built_weeks(
    built_town: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """The town with weeks of alerts and verdicts, and ids by a short name; made once."""
    folder = tmp_path_factory.mktemp("weeks") / "town"
    shutil.copytree(built_town[0], folder)
    engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite'}")
    made = console_worth.build_weeks(engine, NOW, built_town[1])
    engine.dispose()
    return folder, built_town[1] | made


@pytest.fixture
def town(built_town: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """A copy of the town for one test."""
    folder = tmp_path / "town"
    shutil.copytree(built_town[0], folder)
    return folder


@pytest.fixture
def alert_ids(built_town: tuple[Path, dict[str, str]]) -> dict[str, str]:
    return {name: one for name, one in built_town[1].items() if not name.startswith(CASE)}


@pytest.fixture
def case_ids(built_town: tuple[Path, dict[str, str]]) -> dict[str, str]:
    made = built_town[1].items()
    return {name.removeprefix(CASE): one for name, one in made if name.startswith(CASE)}


@pytest.fixture
def engine(town: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{town / 'ledger.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def series(town: Path) -> Iterator[SeriesStore]:
    store = open_store(SeriesSettings(path="series.sqlite"), town)
    yield store
    store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def app(engine: Engine, series: SeriesStore, clock: Clock) -> FastAPI:
    return create_app(settings(), engine, series, clock=clock, passwords=CHEAP)


@pytest.fixture
def stranger(app: FastAPI) -> Iterator[TestClient]:
    """A browser that is not signed in."""
    with TestClient(app, headers={"accept-language": "zh-CN"}) as client:
        yield client


@pytest.fixture
def as_officer(app: FastAPI, stranger: TestClient) -> Callable[[str], TestClient]:
    """A browser that is signed in as the officer of that login."""

    def enter(login: str) -> TestClient:
        client = TestClient(app, headers={"accept-language": "zh-CN"})
        assert sign_in(client, login) == 303
        return client

    return enter
