"""Notices on MQTT: what a display hears from a real broker, and a broker that takes nothing."""

import threading

import paho.mqtt.client as mqtt
import pytest
from notify_parts import NOON, message
from paho.mqtt.enums import CallbackAPIVersion
from servers import Mosquitto, free_port

from contracts.envelope import decode
from contracts.events import Notice
from contracts.mqtt_settings import MqttSettings
from contracts.words import Severity
from gateway.broker import Outbound, publish_once
from gateway.notify.channels.channel import Retry, Sent
from gateway.notify.channels.mqtt_notices import MqttChannel
from gateway.notify.settings import MqttNoticeSettings


@pytest.mark.real
def test_a_display_hears_what_was_sent(mosquitto: Mosquitto) -> None:
    heard: list[mqtt.MQTTMessage] = []
    ready, got = threading.Event(), threading.Event()
    display = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    display.on_subscribe = lambda *_: ready.set()
    display.on_message = lambda _client, _data, one: (heard.append(one), got.set())
    display.connect("127.0.0.1", mosquitto.port)
    display.subscribe("fs/v1/440703/+/notices/+", qos=1)
    display.loop_start()
    broker = MqttSettings(port=mosquitto.port)

    def publish(messages: list[Outbound], timeout_s: float) -> bool:
        return publish_once(broker, None, None, messages, timeout_s) == ""

    try:
        assert ready.wait(10)
        channel = MqttChannel(MqttNoticeSettings(), publish, clock=lambda: NOON)
        assert channel.send(message(recipient="li", severity=Severity.AT_ONCE)) == Sent()
        assert got.wait(10)
    finally:
        display.disconnect()
        display.loop_stop()
    (one,) = heard
    event = decode(one.payload)
    assert isinstance(event.data, Notice) and not one.retain
    assert one.topic == f"fs/v1/440703/canteen1/notices/{event.data.notice_id}"
    assert (event.data.kind, event.data.severity, event.data.alerts) == ("alert", 1, ("a1",))
    assert event.data.title == "冷库温度超限：冷库 1" and event.data.recipient == "li"
    assert event.envelope.identity.source == "/440703/canteen1/gateway"


def test_the_same_message_has_the_same_id_and_no_place_is_a_dash() -> None:
    out: list[Outbound] = []

    def publish(messages: list[Outbound], _timeout_s: float) -> bool:
        out.extend(messages)
        return len(out) > 1

    channel = MqttChannel(MqttNoticeSettings(language="en"), publish, clock=lambda: NOON)
    digest = message(kind="digest", site="", alerts=())
    assert channel.send(digest) == Retry("the broker does not take it")
    assert channel.send(digest) == Sent()
    first, second = out
    assert first == second and first.topic.startswith("fs/v1/440703/-/notices/")
    assert not first.retain


def test_a_broker_that_is_away_is_told_about() -> None:
    said = publish_once(MqttSettings(port=free_port()), None, None, [Outbound("t", b"")], 0.3)
    assert "refused" in said
