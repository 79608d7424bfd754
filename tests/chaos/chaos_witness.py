"""Watches the broker and remembers what agents were promised, to hold it against the stores.

A receipt says "stored everywhere". Whether that was so *when it was said* can only be told while
nothing is being written: an audit is made while the gateways are stopped (SIGSTOP), so that what a
receipt has promised must be in the stores without anybody's further doing.
"""

import json
import threading
from collections.abc import Iterable
from contextlib import suppress

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from servers import Influx, ask

from contracts.envelope import EnvelopeError, Event, decode
from contracts.events import Evidence, Observation, Readings, Receipt, TestResult
from contracts.topics import UPLINK_CHANNELS, Channel, channel_filter
from ledger.engine import Engine, reading
from timeseries.port import to_ns

Number = tuple[str, str, int]
"""Site, epoch, sequence: each site of the city has one agent."""
DATABASE = "chaos"


class Witness:
    """Use in a `with` statement; give the broker's own port, not a line's."""

    def __init__(self, port: int, influx: Influx, engine: Engine) -> None:
        self._influx = influx
        self._engine = engine
        self._lock = threading.Lock()
        self._facts: dict[Number, Event] = {}
        self._promised: set[Number] = set()
        self._to_audit: set[Number] = set()
        self.audited = 0
        """Promises that were held against the stores while nothing was written."""
        self.false: list[str] = []
        """Promises that were not true, in words."""
        self.alerts: dict[str, str] = {}
        """Site by id of every alert that was published and not cleared."""
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="chaos-witness", protocol=mqtt.MQTTv5
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        self._properties.SessionExpiryInterval = 3600
        self._properties.ReceiveMaximum = 65535
        self._port = port

    def __enter__(self) -> "Witness":
        self._client.connect(
            "127.0.0.1", self._port, 20, clean_start=False, properties=self._properties
        )
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        topics = [channel_filter(channel) for channel in (*UPLINK_CHANNELS, Channel.RECEIPTS)]
        client.subscribe([(topic, mqtt.SubscribeOptions(qos=1)) for topic in topics])
        client.subscribe("fs/v1/+/+/alerts/+", qos=1)

    def _on_message(self, _client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        parts = message.topic.split("/")
        if parts[-2] == "alerts":
            with self._lock:
                if message.payload:
                    self.alerts[parts[-1]] = parts[3]
                else:
                    self.alerts.pop(parts[-1], None)
            return
        with suppress(EnvelopeError):
            event = decode(bytes(message.payload))
            with self._lock:
                if isinstance(event.data, Receipt):
                    for first, last in event.data.ranges:
                        for number in range(first, last + 1):
                            self._promise((parts[3], event.data.epoch, number))
                else:
                    envelope = event.envelope
                    self._facts[parts[3], envelope.epoch, envelope.sequence] = event

    def _promise(self, one: Number) -> None:
        if one not in self._promised:
            self._promised.add(one)
            self._to_audit.add(one)

    def promised(self, prefix: str) -> int:
        """How many numbers of such sites were receipted so far."""
        with self._lock:
            return sum(site.startswith(prefix) for site, _, _ in self._promised)

    def take(self) -> tuple[int, list[str]]:
        """How much was audited since the last call, and what was false."""
        taken = self.audited, self.false
        self.audited, self.false = 0, []
        return taken

    # Audits

    def audit(self) -> int:
        """Hold every new promise against the stores; the gateways must be stopped.

        Returns how many were looked at. What was promised of a fact that the witness has not seen
        (the broker was killed with it) waits for the next audit.
        """
        with self._lock:
            chosen = {one: self._facts[one] for one in self._to_audit if one in self._facts}
            self._to_audit -= set(chosen)
        sites = {site for site, _, _ in chosen}
        taken, rows = self._in_ledger(sites)
        points = self._in_series(sites)
        for (site, epoch, number), event in chosen.items():
            name = f"{event.kind} {number} of {event.envelope.source}, epoch {epoch}"
            if not any(a <= number <= b for a, b in taken.get((site, epoch), ())):
                self.false.append(f"{name}: receipted, but not in the ledger")
            elif (row := _row_of(event)) and row not in rows:
                self.false.append(f"{name}: receipted and claimed, but its row is not there")
            missing = len([point for point in _points_of(event) if point not in points])
            if missing:
                self.false.append(
                    f"{name}: receipted, but {missing} points are not in the time series"
                )
        self.audited += len(chosen)
        return len(chosen)

    def _in_ledger(
        self, sites: set[str]
    ) -> tuple[dict[tuple[str, str], list[tuple[int, int]]], set[tuple[object, ...]]]:
        with reading(self._engine) as conn:
            taken = {
                (site, epoch): ranges
                for site, epoch, ranges in conn.exec_driver_sql(
                    "SELECT site, epoch, ranges FROM intake"
                )
                if site in sites
            }
            rows: set[tuple[object, ...]] = set()
            for query in (
                "SELECT 'tests', site, device, epoch || '-' || sequence FROM results",
                "SELECT 'observations', site, device, observation_id FROM observations",
                "SELECT 'evidence', site, device, evidence_id FROM evidence",
            ):
                rows |= {tuple(row) for row in conn.exec_driver_sql(query) if row[1] in sites}
        return taken, rows

    def _in_series(self, sites: set[str]) -> set[tuple[object, ...]]:
        found: set[tuple[object, ...]] = set()
        for measurement, field in (("readings", "value"), ("tests", "positive")):
            where = " OR ".join(f"site = '{site}'" for site in sorted(sites)) or "site = ''"
            query = f'SELECT "{field}" FROM {measurement} WHERE {where} GROUP BY site, device'
            answer = json.loads(ask(self._influx.url, query, db=DATABASE, epoch="ns"))
            for series in answer["results"][0].get("series", []):
                tags = series["tags"]
                found |= {
                    (measurement, tags["site"], tags["device"], row[0]) for row in series["values"]
                }
        return found


def _row_of(event: Event) -> tuple[object, ...] | None:
    who, data = event.envelope.identity, event.data
    if isinstance(data, TestResult):
        return ("tests", who.site, who.device, event.envelope.id)
    if isinstance(data, Observation):
        return ("observations", who.site, who.device, data.observation_id)
    if isinstance(data, Evidence):
        return ("evidence", who.site, who.device, data.evidence_id)
    return None


def _points_of(event: Event) -> Iterable[tuple[object, ...]]:
    """As docs/gateway.md says: not by the gateway's own code."""
    who, data = event.envelope.identity, event.data
    if isinstance(data, Readings):
        for one in data.readings:
            yield ("readings", who.site, who.device, to_ns(one.measured_at))
    elif isinstance(data, TestResult):
        at_ns = to_ns(data.captured_at) + event.envelope.sequence % 1000
        yield ("tests", who.site, who.device, at_ns)
