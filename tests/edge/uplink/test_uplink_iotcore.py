"""The uplink against the demo's embedded broker, which cuts a client off without a word."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from facts import picture, readings, result
from fake_city import FakeCity, until
from iotcore import Broker
from servers import free_port

from contracts.clock import utc_now
from contracts.events import Status
from contracts.words import DeviceState

CONFIG = """
id = 0
[router]
id = 0
max_connections = 20
max_outgoing_packet_count = 1000
max_segment_size = 20971520
max_segment_count = 10
shared_subscriptions_strategy = "roundrobin"
[v5.1]
name = "test"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = 5000
max_inflight_count = 500
"""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    number = free_port()
    path = tmp_path / f"broker-{secrets.token_hex(4)}.toml"
    path.write_text(CONFIG.format(port=number), "utf-8")
    with Broker(config_path=str(path)):
        yield number


def test_a_backlog_travels_and_fresh_events_follow(port, uplink, agent) -> None:
    uplink.put(*[readings(5, agent=agent) for _ in range(2000)])
    with FakeCity(port, agent.region, agent.site) as city:
        uplink.start(port)
        uplink.sink.report(agent, Status(DeviceState.ONLINE, utc_now()))
        uplink.drained()
        uplink.put(result(1, agent=agent))
        uplink.drained()
        assert city.sequences() == list(range(1, 2002))
        until(lambda: agent.source in city.statuses)
        assert uplink.stop() < 1.5


@pytest.mark.slow
def test_an_event_that_ends_every_connection_is_found_and_held(port, uplink, agent) -> None:
    uplink.put(*[readings(agent=agent) for _ in range(30)])
    uplink.put(picture(20_000, agent=agent))
    uplink.put(*[result(n, agent=agent) for n in range(5)])
    with FakeCity(port, agent.region, agent.site) as city:
        uplink.start(port)
        until(lambda: uplink.state.held, 60)
        until(lambda: uplink.outbox.state().backlog == 1, 60)
        uplink.put(result(9, agent=agent))
        until(lambda: 37 in city.sequences())
    assert "event 31 of epoch 1: the connection breaks" in uplink.state.held[0]
