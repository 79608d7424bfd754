"""Stores of the time-series tests: `store` runs a test on SQLite and on a real InfluxDB."""

import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from influx_door import influx_door
from servers import Influx, VictoriaMetrics, ask

from timeseries.influx import InfluxStore
from timeseries.influx_client import InfluxClient
from timeseries.port import SeriesStore
from timeseries.sqlite import SqliteStore
from timeseries.victoria import VictoriaStore

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def database(influx: Influx) -> str:
    """A fresh database on the shared InfluxDB."""
    name = f"t{secrets.token_hex(6)}"
    ask(influx.url, f'CREATE DATABASE "{name}"')
    return name


@pytest.fixture
def influx_store(influx: Influx, database: str) -> Iterator[InfluxStore]:
    store = influx_door(api="v1", url=influx.url, database=database)
    yield store
    store.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "series.db")
    yield store
    store.close()


@pytest.fixture
def victoria_store(victoria: VictoriaMetrics) -> Iterator[VictoriaStore]:
    store = VictoriaStore(InfluxClient(victoria.url))
    yield store
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("influx", marks=pytest.mark.real)])
def store(request: pytest.FixtureRequest) -> SeriesStore:
    """An empty store."""
    made: SeriesStore = request.getfixturevalue(f"{request.param}_store")
    return made


@pytest.fixture
def influxql(influx: Influx, database: str) -> Callable[[str], str]:
    """Ask the test's database."""
    return lambda query: ask(influx.url, query, db=database, epoch="ns")
