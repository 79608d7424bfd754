"""From a quick test's bytes to a duty officer: a real gateway, broker and receiver; killed once."""

from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from gateway_process import GatewayProcess, SendingAgent, until
from gateway_town import READER, REGION, market, result
from notify_parts import Receiver, Reply
from paho.mqtt.enums import CallbackAPIVersion
from servers import Mosquitto

from contracts.clock import utc_now
from contracts.envelope import decode
from contracts.events import Notice
from ledger import alert_life, alerts, contacts, notifications, officers
from ledger.engine import Engine, reading, writing
from ledger.notifications import NotificationRow
from ledger.officers import Officer, Role

pytestmark = [pytest.mark.real, pytest.mark.slow]

NOTIFY = """
[notify]
console_url = "https://console.example"
retry_first_s = 0.3
poll_s = 0.2
[[notify.webhook]]
name = "duty"
url = "{url}/{{address}}"
[[notify.routes]]
name = "wall"
channels = ["mqtt"]
classes = [1, 2, 3]
"""


def test_a_positive_result_reaches_the_officer_on_duty_once(
    ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    with writing(ledger) as conn:
        li = Officer(id="li", login="li", name="李", role=Role.TOWN, region=REGION)
        officers.add(conn, li)
        contacts.put(conn, contacts.Contact("li", "duty", "town-1"))

    def rows() -> list[NotificationRow]:
        with reading(ledger) as conn:
            return list(notifications.list(conn, limit=100))

    notices: list[Notice] = []

    def hear(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        data = decode(message.payload).data
        assert isinstance(data, Notice)
        notices.append(data)

    display = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    display.on_message = hear
    with Mosquitto(tmp_path / "broker") as broker, Receiver() as receiver:
        receiver.replies = [Reply(503), Reply(204)]
        display.connect("127.0.0.1", broker.port)
        display.subscribe("fs/v1/+/+/notices/+", qos=1)
        display.loop_start()
        gateway = GatewayProcess(tmp_path / "gw", broker.port, f"sqlite:///{ledger_file}")
        with gateway.settings.open("a", encoding="utf-8") as file:
            file.write(NOTIFY.format(url=receiver.url))
        with gateway, SendingAgent(broker.port, market("agent")) as agent:
            until(gateway.well)
            agent.put(READER, result())
            until(lambda: len(receiver.requests) == 2 and notices)
            until(lambda: {row.state for row in rows()} == {"sent"})
            with writing(ledger) as conn:
                (alert,) = alerts.list_in(conn, None)
                alert_life.acknowledge(conn, alert.alert_id, "li", utc_now())
            gateway.kill()
            gateway.start()
            until(gateway.well)
            agent.put(READER, result())
            until(lambda: len(receiver.requests) == 3)
            until(lambda: {row.state for row in rows()} == {"sent"} and len(rows()) >= 4)
        display.disconnect()
        display.loop_stop()
        assert "Traceback" not in gateway.log.read_text("utf-8")
    refused, taken, other = receiver.requests
    assert refused.headers["idempotency-key"] == taken.headers["idempotency-key"]
    assert {one.path for one in receiver.requests} == {"/town-1"}
    told = [request.json["alerts"][0] for request in (taken, other)]
    assert told[0]["labels"]["alertname"] == "pesticide_positive"
    assert told[0]["labels"]["severity"] == "critical"
    assert told[0]["fingerprint"] == alert.alert_id != told[1]["fingerprint"]
    assert told[0]["generatorURL"] == f"https://console.example/alerts/{alert.alert_id}"
    assert [one.alerts for one in notices] == [(one["fingerprint"],) for one in told]
    assert len({one.dedupe for one in rows()}) == len(rows()) == 4
