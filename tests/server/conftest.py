"""Fixtures of the console's tests: a town in a ledger, the app over it, signed-in clients."""

import re
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from ledger import migrate
from ledger.engine import Engine, open_engine
from ledger.settings import LedgerSettings
from server.app import create_app
from server.passwords import Passwords
from server.settings import LiveSettings, ServerSettings
from timeseries.port import SeriesStore
from timeseries.settings import SeriesSettings, open_store

sys.path.insert(0, str(Path(__file__).parent))

import console_town

with warnings.catch_warnings():
    # Starlette would rather have httpx2; the project is locked to httpx.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

NOW = datetime(2026, 3, 12, 2, 45, tzinfo=UTC)
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


class Clock:
    """A clock that tests turn."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


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


@pytest.fixture
def town(built_town: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """A copy of the town for one test."""
    folder = tmp_path / "town"
    shutil.copytree(built_town[0], folder)
    return folder


@pytest.fixture
def alert_ids(built_town: tuple[Path, dict[str, str]]) -> dict[str, str]:
    return built_town[1]


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


def settings(**changes: object) -> ServerSettings:
    told: dict[str, object] = {
        "ledger": LedgerSettings(url="sqlite:///ledger.sqlite"),
        "series": SeriesSettings(path="series.sqlite"),
        "public_base_url": "http://testserver",
        "live": LiveSettings(poll_s=0.02, heartbeat_s=0.3),
    }
    return ServerSettings(**(told | changes))  # type: ignore[arg-type]


@pytest.fixture
def app(engine: Engine, series: SeriesStore, clock: Clock) -> FastAPI:
    return create_app(settings(), engine, series, clock=clock, passwords=CHEAP)


def sign_in(client: TestClient, login: str, password: str = console_town.PASSWORD) -> int:
    """Go through the form as a browser does; returns the answer's status."""
    page = client.get("/signin")
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    assert form is not None
    body = {"login": login, "password": password, "form": form[1], "next": "/alerts"}
    return client.post("/signin", data=body, follow_redirects=False).status_code


def csrf_of(client: TestClient) -> str:
    token: str = client.get("/api/v1/me").json()["csrf"]
    return token


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
