"""A stand-in for the gateway: takes in what agents send over a real broker, and receipts it.

It remembers the bytes of every event and in which order they came, and can be told to be silent.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contracts.clock import Clock, utc_now
from contracts.envelope import decode_envelope, encode
from contracts.events import Receipt
from contracts.room import RoomBook
from contracts.sequences import RangeSet
from contracts.topics import UPLINK_CHANNELS, Channel, Identity, channel_filter, device_topic


def until(condition: Callable[[], object], limit_s: float = 20.0) -> None:
    """Wait until `condition` holds; fail after `limit_s` seconds."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.01)


class FakeCity:
    """Use as a context manager."""

    def __init__(self, port: int, region: str, site: str = "+", clock: Clock = utc_now) -> None:
        self.port, self.region, self.site, self.clock = port, region, site, clock
        self.receipting = True
        self.stores = True
        """False: what comes is only taken in."""
        self.events: dict[tuple[str, int], set[bytes]] = defaultdict(set)
        """Payloads by epoch and sequence; a set, to see whether resends are the same bytes."""
        self.order: list[tuple[str, int, str]] = []
        """(epoch, sequence, kind) in order of arrival, with repetitions."""
        self.statuses: dict[str, bytes] = {}
        self._agents: dict[tuple[str, str], Identity] = {}
        self._new: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._subscribed = threading.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"city-{region}-{site.replace('+', 'all')}",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        self._client.reconnect_delay_set(0.05, 0.2)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._thread = threading.Thread(target=self._receipt, name="fake-city")

    def __enter__(self) -> Self:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        self._client.connect("127.0.0.1", self.port, clean_start=False, properties=properties)
        self._client.loop_start()
        self._thread.start()
        assert self._subscribed.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def sequences(self, epoch: str | None = None) -> list[int]:
        """All sequence numbers taken in (of one epoch), sorted."""
        with self._lock:
            return sorted(n for e, n in self.events if epoch in (None, e))

    def kinds(self) -> list[str]:
        """Kinds in order of their first arrival."""
        with self._lock:
            return [kind for _, _, kind in dict.fromkeys(self.order)]

    def send_receipt(self, agent: Identity, receipt: Receipt) -> None:
        """Publish a receipt, true or not."""
        payload = encode(
            "receipts", agent, receipt, event_id=f"r{time.monotonic_ns()}", at=self.clock()
        )
        self._client.publish(device_topic(agent, Channel.RECEIPTS), payload, qos=1)

    def send_book(self, agent: Identity, book: RoomBook) -> None:
        """Publish a testing room's book, retained."""
        payload = encode("room", agent, book, event_id=f"book-{book.revision}", at=self.clock())
        self._client.publish(device_topic(agent, Channel.ROOM), payload, qos=1, retain=True)

    def _on_connect(self, client: Client, *_: object) -> None:
        channels = [*UPLINK_CHANNELS, Channel.STATUS]
        client.subscribe(
            [(channel_filter(channel, self.region, self.site), 1) for channel in channels]
        )

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        envelope = decode_envelope(bytes(message.payload))
        if envelope.kind == "status":
            self.statuses[envelope.source] = bytes(message.payload)
            return
        with self._lock:
            self.events[envelope.epoch, envelope.sequence].add(bytes(message.payload))
            self.order.append((envelope.epoch, envelope.sequence, envelope.kind))
            agent = envelope.identity.sibling(envelope.agent)
            self._agents[agent.source, envelope.epoch] = agent
            self._new[agent.source, envelope.epoch].add(envelope.sequence)

    def _receipt(self) -> None:
        while not self._stop.wait(0.02):
            if not self.receipting:
                continue
            with self._lock:
                new, self._new = self._new, defaultdict(set)
            for (source, epoch), sequences in new.items():
                ranges = RangeSet.of(sequences).ranges()
                receipt = Receipt(epoch, ranges) if self.stores else Receipt(epoch, [], ranges)
                self.send_receipt(self._agents[source, epoch], receipt)
