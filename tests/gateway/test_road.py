"""Tests of a gateway process on real brokers: stored, receipted, alerted, retained, closed."""

import signal
from collections.abc import Iterator
from pathlib import Path

import alert_steps
import paho.mqtt.client as mqtt
import pytest
from gateway_process import GatewayProcess, SendingAgent, until
from gateway_town import CAMERA, COLD, READER, canteen, market, observation, readings, result
from iotcore import Broker as IotCore
from paho.mqtt.enums import CallbackAPIVersion
from servers import Mosquitto, free_port

from contracts.clock import utc_now
from contracts.envelope import decode, encode
from contracts.events import Alert, Status
from contracts.topics import Channel, Identity, device_topic
from contracts.words import AlertState, DeviceState, Phase, Verdict
from gateway.run import CONFIGS
from ledger import alerts, dead_letters, devices, officers, results
from ledger.engine import Engine, writing
from timeseries.settings import SeriesSettings, open_store

pytestmark = [pytest.mark.real, pytest.mark.slow]

IOTCORE = """
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "v5-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1100000
max_inflight_count = 1000
dynamic_filters = true
"""


@pytest.fixture(params=["mosquitto", "iotcore"])
def broker_port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """A broker of this test's own."""
    if request.param == "mosquitto":
        config = "allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n"
        with Mosquitto(tmp_path / "mosquitto", config) as server:
            yield server.port
    else:
        port = free_port()
        config_file = tmp_path / "iotcore.toml"
        config_file.write_text(IOTCORE.format(port=port), "utf-8")
        with IotCore(config_path=str(config_file)):
            yield port


class Console:
    """Sees every retained alert, as a subscriber would."""

    def __init__(self, port: int) -> None:
        self.seen: dict[str, Alert | None] = {}
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("fs/v1/+/+/alerts/+", qos=1)
        self.client.loop_start()

    def _on_message(self, _client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        data = decode(bytes(message.payload)).data if message.payload else None
        assert data is None or isinstance(data, Alert)
        self.seen[message.topic.rpartition("/")[2]] = data

    def states(self) -> list[tuple[str, str]]:
        return sorted((one.rule, one.state.value) for one in self.seen.values() if one)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_the_road_through_a_gateway(
    broker_port: int, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "gateway"
    console = Console(broker_port)
    with (
        GatewayProcess(folder, broker_port, f"sqlite:///{ledger_file}") as gateway,
        SendingAgent(broker_port, market("agent")) as market_agent,
        SendingAgent(broker_port, canteen("agent")) as canteen_agent,
    ):
        until(gateway.well)
        market_agent.put(READER, result())
        market_agent.put(READER, result(Verdict.PASS, "12.00"))
        canteen_agent.put(COLD, readings(*((after_s, 9.5) for after_s in range(0, 601, 60))))
        canteen_agent.put(CAMERA, observation())
        until(lambda: not market_agent.unreceipted and not canteen_agent.unreceipted)
        firing = [
            ("cold_store_warm", "firing"),
            ("no_hat", "firing"),
            ("pesticide_positive", "firing"),
        ]
        until(lambda: console.states() == firing)
        canteen_agent.put(CAMERA, observation(phase=Phase.CLOSED))
        until(lambda: ("no_hat", "resolved") in console.states())
        with writing(ledger) as conn:
            officer = officers.Officer(
                login="li", name="李", password_hash="x", role="county", region="440703"
            )
            officers.add(conn, officer)
            for row in alerts.list_in(conn, None):
                if row.rule == "pesticide_positive":
                    alerts.acknowledge(conn, row.alert_id, officer.id, utc_now())
                if row.rule == "no_hat":
                    alert_steps.close(conn, row.alert_id, officer.id, utc_now())
        after = [("cold_store_warm", "firing"), ("pesticide_positive", "acknowledged")]
        until(lambda: console.states() == after)
        late = Console(broker_port)
        until(lambda: late.states() == after)
        late.close()
        assert gateway.metric("receipted_events_total") >= 5
        assert gateway.well()
        gateway.signal(signal.SIGTERM)
        assert gateway.process is not None and gateway.process.wait(15) == 0
    console.close()
    assert "Traceback" not in gateway.log.read_text("utf-8")
    store = open_store(SeriesSettings(path="series.db"), folder)
    newest = store.latest("readings", "value", {"device": COLD.device})
    assert newest is not None and newest.value == 9.5
    store.close()


def test_forged_and_unreadable_messages_move_aside(
    broker_port: int, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", broker_port)
    client.loop_start()
    with (
        GatewayProcess(tmp_path / "gateway", broker_port, f"sqlite:///{ledger_file}") as gateway,
        SendingAgent(broker_port, market("agent")) as agent,
    ):
        until(gateway.well)
        client.publish("fs/v1/440703/market1/reader1/tests", b"{", qos=1)
        client.publish("fs/v1/440703/market1/reader1/tests", b"x" * 1_000_001, qos=1)
        agent.put(market("reader9"), result())
        agent.put(READER, result())
        until(lambda: not agent.unreceipted)

        def reasons() -> list[str]:
            with writing(ledger) as conn:
                return [letter.reason for letter in dead_letters.list(conn)]

        until(lambda: len(reasons()) == 3)
        text = "\n".join(reasons())
        assert "not JSON" in text and "exceeds" in text and "reader9 is not registered" in text
        with writing(ledger) as conn:
            assert len(results.list_in(conn, ["440703"])) == 1
            assert [row.state for row in alerts.list_in(conn, None)] == [AlertState.FIRING]
    client.disconnect()
    client.loop_stop()


def test_last_will_makes_one_alert_for_the_site(
    broker_port: int, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    """The will is retained with an old time; the gateway may even come later than it."""
    agent, cold = canteen("agent"), COLD
    folder = tmp_path / "gateway"
    folder.mkdir()
    (folder / "rules").mkdir()
    for file in (CONFIGS / "rules").glob("*.toml"):
        quick = file.read_text("utf-8").replace("for_s = 20\n", "for_s = 0.5\n")
        (folder / "rules" / file.name).write_text(quick, "utf-8")

    def payload(who: Identity, state: DeviceState) -> bytes:
        now = utc_now()
        data = Status(state=state, at=now, epoch="e1")
        return encode("status", who, data, event_id=f"s{now.timestamp()}", at=now)

    def connect() -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, "canteen", protocol=mqtt.MQTTv5)
        will_topic = device_topic(agent, Channel.STATUS)
        client.will_set(will_topic, payload(agent, DeviceState.OFFLINE), qos=1, retain=True)
        client.connect("127.0.0.1", broker_port)
        client.loop_start()
        for who in (agent, cold):
            topic = device_topic(who, Channel.STATUS)
            client.publish(topic, payload(who, DeviceState.ONLINE), qos=1, retain=True)
        return client

    def state(who: Identity) -> DeviceState:
        with writing(ledger) as conn:
            found = devices.get(conn, who)
        assert found is not None
        return found.state

    client = connect()
    console = Console(broker_port)
    gateway = GatewayProcess(
        folder,
        broker_port,
        f"sqlite:///{ledger_file}",
        alerts='watch_every_s = 0.2\nrules = "rules"',
    )
    with gateway:
        until(lambda: state(agent) is state(cold) is DeviceState.ONLINE)
        sock = client.socket()
        assert sock is not None
        sock.close()  # type: ignore[union-attr]
        client.loop_stop()
        until(lambda: console.states() == [("agent_offline", "firing")])
        until(lambda: state(cold) is DeviceState.UNKNOWN)
        gateway.kill()
        gateway.start()
        until(gateway.well)
        client = connect()
        until(lambda: console.states() == [("agent_offline", "resolved")])
        until(lambda: state(agent) is state(cold) is DeviceState.ONLINE)
    client.disconnect()
    client.loop_stop()
    console.close()
    with writing(ledger) as conn:
        assert [row.count for row in alerts.list_in(conn, None)] == [1]
