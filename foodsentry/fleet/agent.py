"""A virtual agent: the edge's dispatch, plan, connection and health, woken by one asyncio loop.

What `edge_agent.uplink.courier` does in a thread of its own, for one among thousands. All decisions
are the plan's; what differs is the outbox (in memory) and who waits.
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from contracts.clock import Clock
from contracts.envelope import encode
from contracts.events import Status
from contracts.topics import Channel, Identity, device_topic
from contracts.words import DeviceState
from edge_agent.health import agent_status
from edge_agent.ports import Fact
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.clock_offset import ClockOffset
from edge_agent.uplink.connection import Connection, Letter
from edge_agent.uplink.dispatch import Dispatch
from edge_agent.uplink.mqtt import Acknowledged, Down, Endpoint, LinkEvent, Message, Up
from edge_agent.uplink.receipts import ReceiptError, read_receipt
from edge_agent.uplink.settings import UplinkSettings
from edge_agent.uplink.state import UplinkState
from foodsentry.fleet.outbox import MemoryOutbox
from foodsentry.fleet.wire import FleetLink

SOFTWARE = "foodsentry fleet"
MEMORY_BYTES = 64 << 20
"""Told as the outbox's bound; nothing here grows so far."""


FleetLinkMaker = Callable[
    [Endpoint, tuple[str, bytes] | None, str, Callable[[LinkEvent], None]], FleetLink
]
"""Prepares a link that asyncio drives."""


class Counts(msgspec.Struct):
    """What happened to one agent; `sent - put` is what was sent again."""

    put: int = 0
    sent: int = 0
    receipted: int = 0
    connections: int = 0
    cuts: int = 0
    restarts: int = 0
    refused: int = 0
    unreadable_receipts: int = 0


class VirtualAgent:
    """All methods run in the loop's thread; `now` is the loop's time in seconds."""

    def __init__(
        self,
        who: Identity,
        endpoint: Endpoint,
        settings: UplinkSettings,
        loop: asyncio.AbstractEventLoop,
        make_link: FleetLinkMaker,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self.who = who
        self.counts = Counts()
        self.outbox = MemoryOutbox(who, clock)
        self._settings = settings
        self._loop = loop
        self._new_link = make_link
        self._link: FleetLink | None = None
        self._clock = clock
        self._jitter: Callable[[], float] = lambda: chance.uniform(0.8, 1.2)
        self._offset = ClockOffset(clock, loop.time)
        self._uplink = UplinkState()
        self._letters: list[Letter] = []
        self._turn_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._run_id, self._status_number = secrets.token_hex(4), 0
        self._status: Status | None = None
        self._round_trip_s = 0.0
        self._closing = False
        self._connection = Connection(
            endpoint,
            device_topic(who, Channel.RECEIPTS),
            lambda: self._offline("connection lost"),
            Backoff(0.5, settings.reconnect_max_s, self._jitter),
            self,
            connect_limit_s=settings.ack_timeout_s,
            make_link=self._make_link,
        )
        self._dispatch = Dispatch(self.outbox, settings, self._jitter)

    def _make_link(
        self,
        endpoint: Endpoint,
        will: tuple[str, bytes] | None,
        subscription: str,
        emit: Callable[[LinkEvent], None],
    ) -> FleetLink:
        self._link = self._new_link(endpoint, will, subscription, emit)
        return self._link

    # What the world does to it

    def tell(self, facts: Sequence[Fact]) -> None:
        """Put facts into the outbox, and send them when it is their turn."""
        self.outbox.put(facts, round((self._offset.seconds() or 0.0) * 1000))
        self.counts.put += len(facts)
        self._dispatch.dry = False
        self.wake()

    def cut(self, seconds: float) -> None:
        """The network is away for so long."""
        self.counts.cuts += 1
        self._break(seconds)

    def restart(self) -> None:
        """As after a crash: books forgotten, a new epoch; the outbox stays."""
        self.counts.restarts += 1
        self.outbox.restart()
        self._break(0.2)
        self._dispatch = Dispatch(self.outbox, self._settings, self._jitter)

    def _break(self, seconds: float) -> None:
        if self._link is not None:
            self._link.abandon()
        now = self._loop.time()
        self._connection.close(now)
        self._dispatch.plan.disconnected(now)
        self._connection.connect_at = now + seconds
        self.wake()

    def look(self) -> None:
        """Call it about once a second: keep-alive, dead connections, what is due."""
        if self._link is not None:
            self._link.misc()
        self.wake()

    def report_health(self) -> None:
        """Tell the agent's state, as every few seconds."""
        self._status = self._health()
        self.wake()

    def leave(self) -> None:
        """Say good-bye: the last status, then an end in good order."""
        self._closing = True
        if self._connection.up:
            self._publish_status(self._health())
            topic, payload = self._offline("stopped")
            self._connection.publish(topic, payload, retain=True)
        self._connection.close(self._loop.time())

    @property
    def done(self) -> bool:
        """Whether everything is receipted."""
        return not len(self.outbox)

    @property
    def connected(self) -> bool:
        """Whether the broker is reached."""
        return self._connection.up

    # Turns

    def put(self, letter: Letter) -> None:
        """A link drops what happened."""
        self._letters.append(letter)
        self.wake()

    def wake(self) -> None:
        """Take a turn soon."""
        if not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_due = False
        if self._closing:
            return
        letters, self._letters = self._letters, []
        for letter in letters:
            event = self._connection.read(letter, self._loop.time())
            if event is not None:
                self._handle(event, self._loop.time())
        now, connection, plan = self._loop.time(), self._connection, self._dispatch.plan
        connection.keep(now, stalled=plan.stalled(now))
        due_at = connection.connect_at if connection.resting else None
        if connection.up:
            if self._status is not None and plan.room():
                status, self._status = self._status, None
                self._publish_status(status)
            self._dispatch.send(now, self._publish, connection.packet_maximum)
            due_at = plan.next_due() if plan.room() else None
        self._sleep_until(due_at)

    def _sleep_until(self, due_at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due_at is not None:
            self._timer = self._loop.call_at(max(due_at, self._loop.time() + 0.005), self.wake)

    def _publish(self, topic: str, payload: bytes) -> int | None:
        mid = self._connection.publish(topic, payload)
        self.counts.sent += mid is not None
        return mid

    def _handle(self, event: LinkEvent, now: float) -> None:
        plan = self._dispatch.plan
        if isinstance(event, Acknowledged):
            if event.problem:
                plan.refused(event.mid, f"refused by the broker: {event.problem}", now)
                self.counts.refused += 1
                return
            took_s = plan.acknowledged(event.mid, now, heard=event.heard)
            if took_s is not None:
                self._connection.works()
                self._round_trip_s = min(took_s, self._round_trip_s or took_s)
                if self._uplink.unheard is not plan.unheard:
                    self._uplink = msgspec.structs.replace(self._uplink, unheard=plan.unheard)
        elif isinstance(event, Message):
            self._take_receipt(event)
        elif isinstance(event, Up):
            self._dispatch.dry = False
            plan.connected(now, event.receive_maximum, session_present=event.session_present)
            self._round_trip_s = 0.0
            self.counts.connections += 1
            self._uplink = msgspec.structs.replace(
                self._uplink, connected=True, problem="", connections=self.counts.connections
            )
            self._status = self._health()
        elif isinstance(event, Down):
            plan.disconnected(now)
            self._uplink = msgspec.structs.replace(
                self._uplink, connected=False, problem=event.reason
            )

    def _take_receipt(self, message: Message) -> None:
        try:
            receipt = read_receipt(message.payload)
        except ReceiptError:
            self.counts.unreadable_receipts += 1
            return
        now, before = self._loop.time(), len(self.outbox)
        self._offset.add(receipt.sent_at, now, self._round_trip_s)
        self.outbox.remove(self._dispatch.receipted(receipt, now))
        self.counts.receipted += before - len(self.outbox)
        taken_in = len(self._dispatch.plan.taken)
        if taken_in != self._uplink.taken_in:
            self._uplink = msgspec.structs.replace(self._uplink, taken_in=taken_in)
        self._dispatch.dry = False

    # Statuses

    def _health(self) -> Status:
        return agent_status(
            self._clock(),
            self.outbox.state(),
            self._uplink,
            [],
            max_bytes=MEMORY_BYTES,
            clock_offset_s=self._offset.seconds(),
            software=SOFTWARE,
        )

    def _publish_status(self, status: Status) -> None:
        topic = device_topic(self.who, Channel.STATUS)
        mid = self._connection.publish(topic, self._encode(status), retain=True)
        if mid is not None:
            self._dispatch.plan.sent_aside(mid, self._loop.time())

    def _offline(self, detail: str) -> tuple[str, bytes]:
        status = Status(DeviceState.OFFLINE, self._clock(), detail, SOFTWARE)
        return device_topic(self.who, Channel.STATUS), self._encode(status)

    def _encode(self, status: Status) -> bytes:
        self._status_number += 1
        number = f"status-{self._run_id}-{self._status_number}"
        at: datetime = status.at
        return encode("status", self.who, status, event_id=number, at=at, agent=self.who.device)
