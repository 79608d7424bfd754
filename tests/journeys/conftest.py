"""The town that journeys walk through."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from journey_town import ACL, BARE, DRESSED, Town, passwords
from servers import Influx, Mosquitto, Postgres, ask, free_port

from contracts.clock import utc_now
from edge_agent.simulation.film import Act, write_film
from foodsentry.demo.files import (
    CONFIGS,
    FILES,
    Layout,
    Ports,
    Stores,
    users,
    write_settings,
)
from foodsentry.demo.processes import Processes
from foodsentry.demo.seed import seed
from foodsentry.demo.stage import Stage
from ledger.engine import open_engine


def walk(folder: Path, ledger_url: str = "", stores: Stores = FILES) -> Iterator[Town]:
    """The town with nothing running but the broker and the instruments' lines."""
    layout = Layout(folder / "town", Ports(free_port(), free_port(), free_port()))
    layout.folder.mkdir()
    words = users()
    write_settings(layout, words, group="gateway", stores=stores)
    engine = open_engine(ledger_url or layout.ledger_url)
    seed(engine, CONFIGS / "regions" / "jiangmen.toml", utc_now())
    film = (Act(4, (DRESSED,)), Act(14, (BARE,)), Act(8, (DRESSED,)))
    write_film(layout.film, film)
    config = f"allow_anonymous false\nacl_file {ACL}\nmessage_size_limit 1100000\n"
    config += f"password_file {passwords(folder, words)}\nmax_inflight_messages 0\n"
    with ExitStack() as opened:
        opened.callback(engine.dispose)
        broker = opened.enter_context(Mosquitto(folder / "broker", config, port=layout.ports.mqtt))
        processes = opened.enter_context(Processes(layout.folder))
        stage = opened.enter_context(Stage(layout))
        yield Town(layout, broker, processes, stage, engine)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """The town on the demo's own stores, two files."""
    yield from walk(tmp_path)


@pytest.fixture
def city(tmp_path: Path, postgres: Postgres, influx: Influx) -> Iterator[Town]:
    """The town on what a city uses: PostgreSQL and InfluxDB."""
    url = postgres.create_database()
    ask(influx.url, f'CREATE DATABASE "{tmp_path.name}"')
    series = {"api": "v1", "url": influx.url, "database": tmp_path.name}
    yield from walk(tmp_path, url, {"ledger": {"url": url}, "series": series})
