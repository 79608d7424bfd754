"""The town that journeys walk through."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from journey_town import ACL, BARE, DRESSED, Town, passwords
from servers import Mosquitto, free_port

from contracts.clock import utc_now
from edge_agent.simulation.film import Act, write_film
from foodsentry.demo.files import CONFIGS, Layout, Ports, users, write_settings
from foodsentry.demo.processes import Processes
from foodsentry.demo.seed import seed
from foodsentry.demo.stage import Stage
from ledger.engine import open_engine


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """The town with nothing running but the broker and the instruments' lines."""
    layout = Layout(tmp_path / "town", Ports(free_port(), free_port(), free_port()))
    layout.folder.mkdir()
    words = users()
    write_settings(layout, words, group="gateway")
    engine = open_engine(layout.ledger_url)
    seed(engine, CONFIGS / "regions" / "jiangmen.toml", utc_now())
    film = (Act(4, (DRESSED,)), Act(14, (BARE,)), Act(8, (DRESSED,)))
    write_film(layout.film, film)
    config = f"allow_anonymous false\nacl_file {ACL}\nmessage_size_limit 1100000\n"
    config += f"password_file {passwords(tmp_path, words)}\nmax_inflight_messages 0\n"
    with ExitStack() as opened:
        opened.callback(engine.dispose)
        broker = opened.enter_context(
            Mosquitto(tmp_path / "broker", config, port=layout.ports.mqtt)
        )
        processes = opened.enter_context(Processes(layout.folder))
        stage = opened.enter_context(Stage(layout))
        yield Town(layout, broker, processes, stage, engine)
