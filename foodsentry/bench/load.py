"""A city of agents for benchmarks: their register, their messages, and who takes receipts."""

import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contracts.envelope import decode, encode
from contracts.events import Reading, Readings, Receipt
from contracts.sequences import RangeSet
from contracts.topics import Channel, Identity, channel_filter, device_topic
from ledger import devices, regions, sites
from ledger.engine import Engine, writing
from ledger.migrate import upgrade

REGION = "440700"
EPOCH = "bench"
_METRICS = ("temperature", "humidity", "dew_point", "supply_voltage", "door_open_share")


def agents(count: int) -> list[Identity]:
    """The agents; each speaks for one probe at its site."""
    return [Identity(REGION, f"site-{number:04d}", "agent") for number in range(count)]


def register(engine: Engine, who: list[Identity], at: datetime) -> None:
    """Make the schema and write every agent and probe into the ledger."""
    upgrade(engine)
    with writing(engine) as conn:
        regions.add(conn, regions.Region(REGION, "江门市", "Jiangmen"))
        for agent in who:
            sites.add(conn, sites.Site(agent.site, REGION, agent.site, sites.SiteKind.TESTING_ROOM))
            for device, kind in (("agent", "agent"), ("probe", "probe")):
                devices.add(
                    conn,
                    devices.Device(
                        region=REGION,
                        site=agent.site,
                        device=device,
                        kind=devices.DeviceKind(kind),
                        name=device,
                        registered_at=at,
                    ),
                )


class Message(NamedTuple):
    """One numbered event, ready to be sent."""

    agent: Identity
    number: int
    topic: str
    payload: bytes


def messages(who: list[Identity], each: int, readings: int) -> Iterator[Message]:
    """`each` messages of every agent in turn, with so many readings in each."""
    begun = datetime.now(UTC) - timedelta(hours=1)
    for number in range(1, each + 1):
        for agent in who:
            probe = agent.sibling("probe")
            rows = [
                Reading(
                    _METRICS[index % len(_METRICS)],
                    3.5 + number % 7,
                    "Cel",
                    begun + timedelta(milliseconds=number * 1000 + index // len(_METRICS)),
                )
                for index in range(readings)
            ]
            payload = encode(
                "readings",
                probe,
                Readings(rows),
                event_id=f"{EPOCH}-{number}",
                at=begun,
                agent=agent.device,
                epoch=EPOCH,
                sequence=number,
            )
            yield Message(agent, number, device_topic(probe, Channel.READINGS), payload)


class Receiver:
    """Publishes, and gathers every agent's receipts."""

    def __init__(self, port: int) -> None:
        self._received: dict[Identity, RangeSet] = {}
        self._lock = threading.Lock()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id="bench", protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.max_inflight_messages_set(2000)
        self._client.on_message = self._on_message
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = 65535
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_connect = lambda client, *_: client.subscribe(
            channel_filter(Channel.RECEIPTS), 1
        )
        self._client.connect("127.0.0.1", port, properties=properties)
        self._client.loop_start()
        if not subscribed.wait(10):
            raise OSError(f"broker on port {port} did not take the subscription")

    def _on_message(self, _client: Client, _user: object, message: MQTTMessage) -> None:
        event = decode(bytes(message.payload))
        if isinstance(event.data, Receipt):
            with self._lock:
                held = self._received.setdefault(event.envelope.identity, RangeSet())
                for first, last in event.data.ranges:
                    held.add_range(first, last)

    def publish_all(self, load: Iterable[Message]) -> int:
        """Publish with QoS 1, wait until the broker has it all; returns how many there were."""
        sent = [self._client.publish(one.topic, one.payload, qos=1) for one in load]
        if sent:
            sent[-1].wait_for_publish(300)
        return len(sent)

    def unreceipted(self, load: Iterable[Message]) -> list[Message]:
        """What an agent would send again."""
        nothing = RangeSet()
        with self._lock:
            return [
                message
                for message in load
                if message.number not in self._received.get(message.agent, nothing)
            ]

    def receipted(self) -> int:
        """Messages receipted so far, over all agents."""
        with self._lock:
            return sum(len(held) for held in self._received.values())

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()
