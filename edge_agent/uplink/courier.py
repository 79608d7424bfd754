"""The uplink's thread: carries the outbox to the broker and removes what the city has receipted.

All decisions are the plan's; this file joins plan, outbox, connection and statuses. It sleeps on
one queue, into which the network thread and every `wake` drop what happened.
"""

import contextlib
import logging
import queue
import random
import secrets
import threading
import time
from collections.abc import Callable
from functools import partial

import msgspec

from contracts.clock import Clock
from contracts.envelope import encode
from contracts.events import Status
from contracts.looks import EXPIRY_S
from contracts.topics import Channel, Identity, device_topic
from contracts.words import DeviceState
from edge_agent.outbox.schema import epoch_and_sequence
from edge_agent.outbox.store import Outbox
from edge_agent.ports import OutboxError
from edge_agent.uplink.asides import Asides
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.clock_offset import ClockOffset
from edge_agent.uplink.connection import Connection, Letter
from edge_agent.uplink.dispatch import Dispatch
from edge_agent.uplink.mqtt import (
    Acknowledged,
    Down,
    Endpoint,
    Link,
    LinkEvent,
    Message,
    Subscribed,
    Up,
)
from edge_agent.uplink.receipts import ReceiptError, read_receipt
from edge_agent.uplink.settings import UplinkSettings
from edge_agent.uplink.state import UplinkState
from edge_agent.uplink.statuses import StatusBoard

logger = logging.getLogger(__name__)

_IDLE_S = 0.5
_LETTERS_AT_ONCE = 2000


def _jitter() -> float:
    return random.uniform(0.8, 1.2)


class Courier:
    """A worker; `wake` it when the outbox or a status has something new."""

    name = "uplink"

    def __init__(
        self,
        agent: Identity,
        endpoint: Endpoint,
        settings: UplinkSettings,
        outbox: Outbox,
        statuses: StatusBoard,
        clock: Clock,
        offset: ClockOffset,
        software: str = "",
        on_room: Callable[[bytes], None] | None = None,
        on_order: Callable[[bytes], None] | None = None,
    ) -> None:
        """`on_room` is given what the city sends to the testing room, `on_order` the orders that it
        sends; neither may block."""
        self._agent = agent
        self._endpoint = endpoint
        self._settings = settings
        self._outbox = outbox
        self._statuses = statuses
        self._clock = clock
        self._offset = offset
        self._software = software
        further = {Channel.ROOM: on_room, Channel.COMMANDS: on_order}
        self._further = {device_topic(agent, name): take for name, take in further.items() if take}
        """Who takes what comes on the topics besides that of receipts."""
        self.asides = Asides(time.monotonic, self.wake)
        """Where answers to looks are left."""
        self._aside_mid: int | None = None
        self._inbox: queue.SimpleQueue[Letter | None] = queue.SimpleQueue()
        self._connection = Connection(
            endpoint,
            device_topic(agent, Channel.RECEIPTS),
            lambda: self._offline("connection lost"),
            Backoff(0.5, settings.reconnect_max_s, _jitter),
            self._inbox,
            connect_limit_s=settings.ack_timeout_s,
            make_link=partial(Link, further=tuple(self._further)),
        )
        self._dispatch = Dispatch(outbox, settings, _jitter)
        self._round_trip_s = 0.0
        self._run_id = secrets.token_hex(4)
        self._status_number = 0
        self._farewell_mid: int | None = None
        self.state = UplinkState()
        """The newest state; replaced as a whole, so that any thread may read it."""
        self._noted = self.state

    def wake(self) -> None:
        """There is something new to send. Any thread."""
        self._inbox.put(None)

    def run(self, stop: threading.Event) -> None:
        """Carry until `stop` is set, then say good-bye; within about two seconds."""
        self._dispatch = Dispatch(self._outbox, self._settings, _jitter)
        self._tell(taken_in=0)
        try:
            while not stop.is_set():
                self._turn(time.monotonic())
            self._say_goodbye()
        finally:
            self._connection.close(time.monotonic())
            self._tell(connected=False, since=self._clock(), problem="stopped")

    def _turn(self, now: float) -> None:
        connection = self._connection
        connection.keep(now, stalled=self._dispatch.plan.stalled(now))
        due_at = connection.connect_at if connection.resting else None
        if connection.up:
            self._publish_statuses()
            self._send(now)
            self._send_aside()
            due_at = self._dispatch.plan.next_due() if self._dispatch.plan.room() else None
        wait_s = _IDLE_S if due_at is None else min(_IDLE_S, max(0.005, due_at - time.monotonic()))
        self._take_letters(wait_s)

    def _take_letters(self, wait_s: float) -> None:
        letters: list[Letter | None] = []
        with contextlib.suppress(queue.Empty):
            letters.append(self._inbox.get(timeout=wait_s))
            while len(letters) < _LETTERS_AT_ONCE:
                letters.append(self._inbox.get_nowait())
        receipts: list[Message] = []
        for letter in letters:
            if letter is None:
                self._dispatch.dry = False
                continue
            event = self._connection.read(letter, time.monotonic())
            if isinstance(event, Message):
                take = self._further.get(event.topic)
                if take is not None:
                    take(event.payload)
                else:
                    receipts.append(event)
            elif event is not None:
                self._handle(event, time.monotonic())
        if receipts:
            self._take_receipts(receipts)

    # What the broker says

    def _handle(self, event: LinkEvent, now: float) -> None:
        if isinstance(event, Acknowledged):
            self._take_acknowledgement(event)
        elif isinstance(event, Up):
            self._dispatch.dry = False
            self._dispatch.plan.connected(
                now, event.receive_maximum, session_present=event.session_present
            )
            self._statuses.again()
            self._round_trip_s = 0.0
            logger.info("uplink: connected to %s:%d", self._endpoint.host, self._endpoint.port)
            times = self.state.connections + 1
            self._tell(connected=True, since=self._clock(), problem="", connections=times)
        elif isinstance(event, Subscribed) and event.problem:
            logger.error("uplink: the broker refuses our receipts: %s", event.problem)
            self._tell(problem=f"the broker refuses our receipts: {event.problem}")
        elif isinstance(event, Down):
            self._aside_mid = None
            self._dispatch.plan.disconnected(now)
            if self.state.connected or self.state.problem != event.reason:
                pause_s = self._connection.connect_at - now
                logger.warning("uplink: %s; next try in %.1f s", event.reason, pause_s)
            self._tell(connected=False, since=self._clock(), problem=event.reason)
            self._tell_held()

    def _take_acknowledgement(self, event: Acknowledged) -> None:
        if event.mid == self._farewell_mid:
            self._farewell_mid = None
        if event.mid == self._aside_mid:
            self._aside_mid = None
        if event.problem:
            reason = f"refused by the broker: {event.problem}"
            key = self._dispatch.plan.refused(event.mid, reason, event.arrived)
            logger.error("uplink: %s %s", "status" if key is None else self._name(key), reason)
            self._tell_held()
            return
        took_s = self._dispatch.plan.acknowledged(event.mid, event.arrived, heard=event.heard)
        if took_s is not None:
            self._connection.works()
            self._round_trip_s = min(took_s, self._round_trip_s or took_s)
            if self.state.held:
                self._tell_held()
            if self.state.unheard is not self._dispatch.plan.unheard:
                self._tell(unheard=self._dispatch.plan.unheard)

    # Sending

    def _send(self, now: float) -> None:
        held = self._dispatch.send(
            now, self._connection.publish, self._connection.packet_maximum, self._send_aside
        )
        for key, reason in held:
            logger.error("uplink: %s held back: %s", self._name(key), reason)
        if held:
            self._tell_held()

    def _send_aside(self) -> None:
        """An answer to a look, if none is on its way: on a slow line an alarm waits for one."""
        if self._aside_mid is not None or self._dispatch.plan.room() <= 0:
            return
        one = self.asides.take()
        if one is None:
            return
        self._status_number += 1
        number = f"look-{self._run_id}-{self._status_number}"
        device = self._agent.device
        payload = encode("looks", one.who, one.look, event_id=number, at=one.look.at, agent=device)
        topic = device_topic(one.who, Channel.LOOKS)
        mid = self._connection.publish(topic, payload, expiry_s=EXPIRY_S)
        if mid is not None:
            self._aside_mid = mid
            self._dispatch.plan.sent_aside(mid, time.monotonic())

    def _publish_statuses(self) -> None:
        for who, status in self._statuses.take(self._dispatch.plan.room()):
            topic = device_topic(who, Channel.STATUS)
            mid = self._connection.publish(topic, self._encode(who, status), retain=True)
            if mid is not None:
                self._dispatch.plan.sent_aside(mid, time.monotonic())

    def _offline(self, detail: str) -> tuple[str, bytes]:
        status = Status(DeviceState.OFFLINE, self._clock(), detail, self._software)
        return device_topic(self._agent, Channel.STATUS), self._encode(self._agent, status)

    def _encode(self, who: Identity, status: Status) -> bytes:
        self._status_number += 1
        number = f"status-{self._run_id}-{self._status_number}"
        device = self._agent.device
        return encode("status", who, status, event_id=number, at=status.at, agent=device)

    def _say_goodbye(self) -> None:
        if not self._connection.up:
            return
        self._publish_statuses()
        topic, payload = self._offline("stopped")
        self._farewell_mid = self._connection.publish(topic, payload, retain=True)
        until = time.monotonic() + 1.0
        while self._farewell_mid and self._connection.up and time.monotonic() < until:
            self._take_letters(0.1)

    # Receipts

    def _take_receipts(self, messages: list[Message]) -> None:
        ranges: list[tuple[int, int]] = []
        for message in messages:
            try:
                receipt = read_receipt(message.payload)
            except ReceiptError as error:
                logger.warning("uplink: no receipt on %s: %s", message.topic, error)
                continue
            self._offset.add(receipt.sent_at, message.arrived, self._round_trip_s)
            ranges += self._dispatch.receipted(receipt, message.arrived)
        self._outbox.remove(ranges)
        self._dispatch.dry = False
        offset_s = self._offset.seconds()
        whole_s = None if offset_s is None else float(round(offset_s))
        taken_in = len(self._dispatch.plan.taken)
        self._tell(last_receipt_at=self._clock(), clock_offset_s=whole_s, taken_in=taken_in)

    # Telling

    def _name(self, key: int) -> str:
        epoch_id, sequence = epoch_and_sequence(key)
        return f"event {sequence} of epoch {epoch_id}"

    def _tell_held(self) -> None:
        held = [f"{self._name(key)}: {problem}" for key, problem in self._dispatch.plan.held()[:20]]
        if held != self.state.held:
            self._tell(held=held)

    def _tell(self, **changes: object) -> None:
        self.state = msgspec.structs.replace(self.state, **changes)
        if self._noted.worth_a_note(self.state):
            self._noted = self.state
            with contextlib.suppress(OutboxError):  # a note is not worth a failure
                self._outbox.note("uplink", msgspec.json.encode(self.state))
