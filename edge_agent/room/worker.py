"""The room's worker: results out of the outbox to the desk, samples from the desk into the outbox.

Each step may be cut off anywhere and is taken again: a result that was heard twice is one result, a
revision that was put twice is one revision.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from contracts.clock import Clock
from contracts.envelope import EnvelopeError, decode
from contracts.events import TestResult
from contracts.fact_ids import fact_id
from contracts.room import RoomBook
from contracts.topics import Channel, Identity, TopicError
from edge_agent.ports import Fact, OutboxError
from edge_agent.room.desk import Desk
from edge_agent.room.kept import Told

_log = logging.getLogger(__name__)

LOOK_S = 1.0
_AT_ONCE = 200
_DAY_S = 86_400.0


class Holding(Protocol):
    """What the room needs of the outbox."""

    @property
    def was_set_aside(self) -> bool:
        """True if it was found broken and begun anew."""

    def put(self, facts: list[Fact]) -> list[int]:
        """Store facts; returns their keys."""

    def overheard(self, limit: int) -> list[tuple[int, bytes]]:
        """Copies of results, oldest first."""

    def forget_overheard(self, keys: list[int]) -> None:
        """These are not needed any more."""

    def still_here(self, keys: list[int]) -> set[int]:
        """Which of the keys are not receipted yet."""


class Exchange:
    """The steps between desk and outbox. For one thread, but for `take_room_message`."""

    def __init__(self, desk: Desk, outbox: Holding, agent: Identity, clock: Clock) -> None:
        self._desk, self._outbox, self._agent, self._clock = desk, outbox, agent, clock
        self._messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._checked_outbox = False
        self._forget_at = 0.0

    def take_room_message(self, payload: bytes) -> None:
        """What came on the agent's `room` topic. Any thread; never blocks."""
        self._messages.put(payload)

    def sweep(self) -> bool:
        """Do all that is to be done now; True if anything was put. Raises OutboxError."""
        self._take_books()
        while self._take_results():
            pass
        put = self._send()
        self._tidy()
        return put

    def _take_books(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                payload = self._messages.get_nowait()
                try:
                    book = decode(payload).data
                except EnvelopeError as error:
                    _log.warning("room: no book: %s", error)
                    continue
                if isinstance(book, RoomBook):
                    self._desk.take_book(book)

    def _take_results(self) -> bool:
        copies = self._outbox.overheard(_AT_ONCE)
        for _, payload in copies:
            told = _told(payload)
            if told is not None:
                self._desk.hear(told)
        if copies:
            self._outbox.forget_overheard([key for key, _ in copies])
        return len(copies) == _AT_ONCE

    def _send(self) -> bool:
        store = self._desk.store
        if not self._checked_outbox:
            if self._outbox.was_set_aside:
                with store.writing():
                    store.send_all_again()
            self._checked_outbox = True
        with store.reading():
            unsent = store.unsent()
        there = [one for one in unsent if one.put_revision == one.revision]
        waiting = self._outbox.still_here([one.put_key for one in there])
        arrived = [one for one in there if one.put_key not in waiting]
        if arrived:
            with store.writing():
                for one in arrived:
                    store.in_city(one.sample_id, one.put_revision)
            self._desk.changed()
        due = [one.sample_id for one in unsent if one.put_revision < one.revision]
        for start in range(0, len(due), _AT_ONCE):
            with store.reading():
                kept = [store.sample(one) for one in due[start : start + _AT_ONCE]]
            part = [one.record for one in kept if one is not None]
            now = self._clock()
            keys = self._outbox.put(
                [Fact(self._agent, Channel.SAMPLES.value, one, now) for one in part]
            )
            with store.writing():
                for record, key in zip(part, keys, strict=True):
                    store.sent(record.sample_id, record.revision, key)
        return bool(due)

    def _tidy(self) -> None:
        now = self._clock().timestamp()
        if now < self._forget_at:
            return
        self._forget_at = now + _DAY_S
        with self._desk.store.writing():
            self._desk.store.forget(now - self._desk.settings.keep_days * _DAY_S)


def _told(payload: bytes) -> Told | None:
    try:
        event = decode(payload)
        envelope = event.envelope
        if not isinstance(event.data, TestResult):
            return None
        who = envelope.identity
        name = fact_id(who, envelope.epoch, envelope.sequence)
        return Told(name, who.device, event.data)
    except (EnvelopeError, TopicError, msgspec.MsgspecError):
        _log.warning("room: a copy of a result cannot be read", exc_info=True)
        return None


class PageServing(Protocol):
    """The room's page while the worker runs."""

    def start(self) -> None:
        """Listen."""

    def stop(self) -> None:
        """Listen no more."""


class RoomWorker:
    """Serves the page and keeps desk and outbox in step, until it is told to stop."""

    name = "room"

    def __init__(
        self, exchange: Exchange, page: PageServing, wake_uplink: Callable[[], None]
    ) -> None:
        self._exchange, self._page, self._wake_uplink = exchange, page, wake_uplink
        self._news = threading.Event()
        self.ready = threading.Event()
        self.trouble = ""
        """Why desk and outbox are out of step; empty if they are not."""

    def wake(self) -> None:
        """There may be something to do. Any thread."""
        self._news.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Raises SettingsError if the address cannot be had."""
        self._page.start()
        self.ready.set()
        try:
            while not stop.is_set():
                self._news.wait(LOOK_S)
                self._news.clear()
                if stop.is_set():
                    break
                self._sweep()
        finally:
            self.ready.clear()
            self._page.stop()

    def _sweep(self) -> None:
        try:
            if self._exchange.sweep():
                self._wake_uplink()
            self.trouble = ""
        except OutboxError as error:
            if self.trouble != str(error):
                _log.error("room: %s", error)
            self.trouble = str(error)
            time.sleep(0.2)
