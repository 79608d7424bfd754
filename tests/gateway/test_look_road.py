"""The road of a look: ledger, gateway, broker, agent with a film as its camera, and back."""

import threading
from pathlib import Path

import cv2
import numpy as np
import paho.mqtt.client as mqtt
import pytest
from gateway_process import GatewayProcess, until
from gateway_town import CAMERA, canteen
from paho.mqtt.enums import CallbackAPIVersion
from servers import Mosquitto

from contracts.clock import utc_now
from contracts.topics import Channel, device_topic
from contracts.words import DeviceState
from edge_agent.agent import run_agent
from edge_agent.custody.access_log import read_log
from edge_agent.settings import load_edge_settings
from edge_agent.simulation.film import Act, Cook, write_film
from gateway.orders import order_of
from ledger import devices, looks, officers
from ledger.engine import Engine, reading, writing
from ledger.looks import LookRow

pytestmark = [pytest.mark.real, pytest.mark.slow]

EDGE = """
[agent]
region = "440703"
site = "canteen1"
device = "agent"
[mqtt]
host = "127.0.0.1"
port = {port}
[looks]
lasts_s = 3
[[cameras]]
device = "cam1"
source = "file:{film}"
loop = true
scene = "demo_canteen"
"""


def test_a_look_is_asked_for_seen_and_written_down_at_the_site(
    mosquitto: Mosquitto, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "film.avi", (Act(2, (Cook(True, True),)),))
    settings_file = tmp_path / "edge.toml"
    settings_file.write_text(EDGE.format(port=mosquitto.port, film=film), "utf-8")
    with writing(ledger) as conn:
        one = officers.Officer(
            id="o1", login="li", name="李国华", role=officers.Role.TOWN, region="440703"
        )
        officers.add(conn, one)
    stop = threading.Event()
    agent = threading.Thread(
        target=run_agent, args=(load_edge_settings(settings_file), settings_file, stop)
    )
    gateway = GatewayProcess(
        tmp_path / "gateway", mosquitto.port, f"sqlite:///{ledger_file}", intake='group = "looks"'
    )
    with gateway:
        agent.start()
        try:
            _look(ledger, mosquitto.port, tmp_path / "outbox.state" / "looks.jsonl")
        finally:
            stop.set()
            agent.join(10)
    assert not agent.is_alive()


def _look(ledger: Engine, port: int, log: Path) -> None:
    def row(look_id: str) -> LookRow:
        with reading(ledger) as conn:
            found = looks.get(conn, look_id)
        assert found is not None
        return found

    def over(look_id: str) -> bool:
        return row(look_id).state in ("over", "blind", "refused")

    def live() -> bool:
        with reading(ledger) as conn:
            found = devices.get(conn, CAMERA)
        return found is not None and found.state is DeviceState.ONLINE

    until(live, 60)
    with writing(ledger) as conn:
        look_id = looks.ask(conn, CAMERA, "o1", "复核预警", utc_now())
    until(lambda: over(look_id), 30)
    seen = row(look_id)
    assert (seen.state, seen.pictures >= 2) == ("over", True), seen
    with reading(ledger) as conn:
        content = looks.picture(conn, look_id)
        (message,) = order_of(conn, seen, utc_now())
    assert content is not None
    shown = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert max(shown.shape[:2]) == 640
    entries = read_log(log)
    assert entries[-1].evidence_id == look_id
    assert (entries[-1].reason, entries[-1].action) == ("复核预警", "look")
    # The same order once more, as it went over the line: nothing happens.
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    topic = device_topic(canteen("agent"), Channel.COMMANDS)
    assert message.topic == topic
    client.publish(topic, message.payload, qos=1).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()
    with writing(ledger) as conn:  # what is asked next shows that the copy was passed by
        again = looks.ask(conn, CAMERA, "o1", "再查", utc_now())
    until(lambda: over(again), 20)
    assert row(look_id).pictures == seen.pictures
    assert [one.evidence_id for one in read_log(log)].count(look_id) == 1
