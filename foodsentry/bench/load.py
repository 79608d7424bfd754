"""A city for benchmarks: its register, its messages, and who takes receipts and alerts.

A site has an agent and five probes, two of which (cold store, freezer) have a rule of the starter
rules that judges every reading of theirs.
"""

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from contracts.envelope import decode, encode
from contracts.events import (
    Alert,
    ProfileRef,
    RawFrame,
    Reading,
    Readings,
    Receipt,
    Sample,
    TestResult,
    Value,
)
from contracts.sequences import RangeSet
from contracts.topics import ALERTS, PREFIX, Channel, Identity, channel_filter, device_topic
from contracts.words import Verdict
from foodsentry.bench.mqtt import Wire
from gateway.packets import Publication
from ledger import devices, regions, sites
from ledger.devices import DeviceKind
from ledger.engine import Engine, writing
from ledger.migrate import upgrade

REGION = "440700"
EPOCH = "00000000be9c4000"
PROBES = {"coldstore1": 3.5, "freezer1": -19.5, "kitchen1": 24.5, "dryer1": 61.5, "door1": 18.5}
"""The probes of a site, and what they measure."""
READER = "reader1"
STEP = timedelta(milliseconds=100)
"""Between two readings of a probe."""


def agents(sites: int) -> list[Identity]:
    """One agent a site."""
    return [Identity(REGION, f"site-{number:04d}", "agent") for number in range(sites)]


def register(engine: Engine, who: list[Identity], at: datetime) -> None:
    """Make the schema and write every site with its devices into the ledger."""
    upgrade(engine)
    kinds = {"agent": DeviceKind.AGENT, READER: DeviceKind.PESTICIDE_READER}
    kinds |= dict.fromkeys(PROBES, DeviceKind.PROBE)
    with writing(engine) as conn:
        regions.add(conn, regions.Region(REGION, "江门市", "Jiangmen"))
        for agent in who:
            sites.add(conn, sites.Site(agent.site, REGION, agent.site, sites.SiteKind.TESTING_ROOM))
            for name, kind in kinds.items():
                device = devices.Device(REGION, agent.site, name, kind, name, registered_at=at)
                devices.add(conn, device)


class Message(NamedTuple):
    """One numbered event, ready to be sent."""

    agent: Identity
    number: int
    topic: str
    payload: bytes


def messages(
    who: list[Identity], each: int, readings: int, begun: datetime, first: int = 1
) -> Iterator[Message]:
    """`each` messages of every agent in turn, with so many readings (of five fields) in each.

    No two readings of a probe have the same time: `first` counts on over calls.
    """
    names = list(PROBES)
    for number in range(first, first + each):
        name = names[number % len(names)]
        start = begun + (number // len(names)) * readings * STEP
        rows = [
            Reading("temperature", PROBES[name] + number % 7 / 10, "Cel", start + index * STEP)
            for index in range(readings)
        ]
        for agent in who:
            yield _message(agent, agent.sibling(name), number, Readings(rows), start)


def bad_test(agent: Identity, number: int, at: datetime) -> Message:
    """A test result that raises an alert; its time of capture is the alert's `raised_at`."""
    raw = b"bench %d" % number
    found = TestResult(
        sample=Sample(number=str(number), name="菜心", stall="A12"),
        item="农药残留",
        item_code="pesticide_inhibition",
        value=Value(text="87.5", number=87.5, unit="%"),
        verdict=Verdict.POSITIVE,
        captured_at=at,
        profile=ProfileRef("bench", "1"),
        raw=RawFrame(raw, hashlib.sha256(raw).hexdigest()),
    )
    return _message(agent, agent.sibling(READER), number, found, at)


def publish(port: int, load: Sequence[Message]) -> None:
    """Publish a load, and wait until the broker has all of it."""
    wire = Wire(port, "bench-publisher", lambda _: None)
    wire.publish((one.topic, one.payload) for one in load)
    wire.settle()
    wire.close()


def _message(
    agent: Identity, who: Identity, number: int, data: Readings | TestResult, at: datetime
) -> Message:
    channel = Channel.READINGS if isinstance(data, Readings) else Channel.TESTS
    payload = encode(
        channel.value,
        who,
        data,
        event_id=f"{EPOCH}-{number}",
        at=at,
        agent=agent.device,
        epoch=EPOCH,
        sequence=number,
    )
    if channel is Channel.READINGS:  # the fifth field, which our agents leave out when it is good
        payload = payload.replace(b'"unit":"Cel",', b'"unit":"Cel","quality":"good",')
    return Message(agent, number, device_topic(who, channel), payload)


class Listener:
    """Gathers receipts and alerts, with the time at which each alert came first."""

    def __init__(self, port: int) -> None:
        self.alerts: dict[str, tuple[datetime, float]] = {}
        """By alert id: `raised_at`, and seconds from then to its first message."""
        self.receipted = 0
        """Messages receipted so far, each counted once."""
        self.receipted_at = time.monotonic()
        """When that last grew."""
        self._lock = threading.Lock()
        self._received: dict[Identity, RangeSet] = {}
        self._wire = Wire(port, "bench-listener", self._heard)
        self._wire.subscribe(channel_filter(Channel.RECEIPTS), f"{PREFIX}/+/+/{ALERTS}/+")

    def _heard(self, publications: list[Publication]) -> None:
        now = datetime.now(UTC)
        for _, payload, _, _, _ in publications:
            if not payload:
                continue
            event = decode(payload)
            if isinstance(event.data, Receipt):
                self._receipt(event.envelope.identity, event.data)
            elif isinstance(event.data, Alert):
                raised_at = event.data.raised_at
                late_s = (now - raised_at).total_seconds()
                self.alerts.setdefault(event.data.alert_id, (raised_at, late_s))

    def _receipt(self, agent: Identity, told: Receipt) -> None:
        with self._lock:
            held = self._received.setdefault(agent, RangeSet())
            before = len(held)
            for first, last in told.ranges:
                held.add_range(first, last)
            self.receipted += len(held) - before
        self.receipted_at = time.monotonic()

    def unreceipted(self, load: list[Message]) -> list[Message]:
        """What an agent would send again."""
        nothing = RangeSet()
        with self._lock:
            return [one for one in load if one.number not in self._received.get(one.agent, nothing)]

    def close(self) -> None:
        """Leave the broker."""
        self._wire.close()
