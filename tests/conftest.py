"""Fixtures shared by all tests: real servers, one of each for a test run."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from servers import Influx, Mosquitto, Postgres, VictoriaMetrics

settings.register_profile("quick", max_examples=25)

SLOW_FILES = {
    "test_access.py",
    "test_camera.py",
    "test_decode_exactly.py",
    "test_fetched_lines.py",
    "test_instrument_commands.py",
    "test_instrument_lines.py",
    "test_killed_agent.py",
    "test_market_lines.py",
    "test_network_lines.py",
    "test_oracles.py",
    "test_rfc2217_lines.py",
}
"""Files whose tests wait for lines, processes or many requests: left out of the quick loop."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in SLOW_FILES:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A shared anonymous broker: use topics and client ids of your own, and never kill it."""
    config = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
    with Mosquitto(tmp_path_factory.mktemp("mosquitto"), config) as server:
        yield server


@pytest.fixture(scope="session")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """A shared InfluxDB 1.x: make a database of your own."""
    with Influx(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture(scope="session")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    """A shared VictoriaMetrics."""
    with VictoriaMetrics(tmp_path_factory.mktemp("victoria")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A shared PostgreSQL: `create_database()` gives an empty one."""
    with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server
