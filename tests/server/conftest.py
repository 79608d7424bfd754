"""Fixtures of the console's tests: a town in a ledger, the app over it, signed-in clients."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from servers import Postgres

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


@pytest.fixture(scope="session")
def built_city(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, dict[str, str]]:
    """The same town in a PostgreSQL: its URL, the folder with its series, its ids."""
    folder, url = tmp_path_factory.mktemp("city"), postgres.create_database()
    engine = open_engine(url)
    migrate.upgrade(engine)
    store = open_store(SeriesSettings(path="series.sqlite"), folder)
    made = console_town.build(engine, store, NOW, CHEAP)
    store.close()
    engine.dispose()
    return url, folder, made


@pytest.fixture
def database() -> str:
    """What the town's ledger lies in; a module that runs on both has one with params of its own."""
    return "sqlite"


@pytest.fixture
def town(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the town for one test: its series, and on SQLite its ledger."""
    folder = tmp_path / "town"
    where = "built_town" if database == "sqlite" else "built_city"
    shutil.copytree(request.getfixturevalue(where)[-2], folder)
    return folder


@pytest.fixture
def ids(database: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """What the town's alerts and cases are called."""
    where = "built_town" if database == "sqlite" else "built_city"
    made: dict[str, str] = request.getfixturevalue(where)[-1]
    return made


@pytest.fixture
def alert_ids(ids: dict[str, str]) -> dict[str, str]:
    return {name: one for name, one in ids.items() if not name.startswith(CASE)}


@pytest.fixture
def case_ids(ids: dict[str, str]) -> dict[str, str]:
    made = ids.items()
    return {name.removeprefix(CASE): one for name, one in made if name.startswith(CASE)}


@pytest.fixture
def engine(database: str, town: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    url = f"sqlite:///{town / 'ledger.sqlite'}"
    if database != "sqlite":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create_database(request.getfixturevalue("built_city")[0])
    engine = open_engine(url)
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
