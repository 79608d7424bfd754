"""The outbox: puts facts durably, hands them out for sending, removes what is receipted.

Each opening begins a numbering (epoch) of its own with its first fact. A number can thus never be
given twice, even if the disk forgot what it had promised or a backup was put back.
"""

import contextlib
import logging
import secrets
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec

from contracts.clock import Clock
from contracts.topics import Identity
from edge_agent.outbox import quarantine, schema
from edge_agent.outbox.encoding import Lane, Row, encode_fact
from edge_agent.outbox.lock import only_user_of
from edge_agent.outbox.removal import remove_some
from edge_agent.outbox.reserve import Reserve
from edge_agent.outbox.state import OutboxState, free_bytes, read_numbering, read_state, used_bytes
from edge_agent.outbox.thinning import thin_step
from edge_agent.ports import Fact, OutboxError

logger = logging.getLogger(__name__)

_THIN_STEPS_PER_PUT = 20


class Event(msgspec.Struct, frozen=True):
    """A stored fact, as it is sent."""

    key: int
    lane: Lane
    topic: str
    payload: bytes


class Outbox:
    """One agent's SQLite outbox. Any thread may call any method."""

    def __init__(
        self,
        path: Path,
        agent: Identity,
        clock: Clock,
        *,
        max_bytes: int = 4 << 30,
        quarantine_bytes: int = 64 << 20,
        reserve_bytes: int = 8 << 20,
        clock_offset_ms: Callable[[], int] = lambda: 0,
        overheard_kinds: frozenset[str] = frozenset(),
    ) -> None:
        """Open or create. Raises OutboxError that says why it cannot be used.

        Of `overheard_kinds` a copy is kept for another room of the agent, until `forget_overheard`.
        """
        self.path = path
        self._agent = agent
        self._clock = clock
        self._max_bytes = max_bytes
        self._readings_bytes = max_bytes // 10 * 9
        self._quarantine_bytes = quarantine_bytes
        self._clock_offset_ms = clock_offset_ms
        self._overheard_kinds = overheard_kinds
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._epoch = ""
        self._epoch_id = 0
        self._next = 1
        self._failing = ""
        self._set_aside = ""
        self._closed = False
        self._lock_file = only_user_of(path)
        self._reserve = Reserve(path, reserve_bytes)
        try:
            self._writer, self._courier = self._open()
            (self._backlog,) = self._writer.execute("SELECT COUNT(*) FROM events").fetchone()
            self._reserve.take()
        except sqlite3.Error as error:
            self._lock_file.close()
            raise OutboxError(schema.explain(error, path, max_bytes)) from None
        except BaseException:
            self._lock_file.close()
            raise

    def _open(self) -> tuple[sqlite3.Connection, sqlite3.Connection]:
        try:
            writer = schema.open_writer(self.path, self._max_bytes)
        except sqlite3.DatabaseError as error:
            if not schema.is_broken(error):
                raise
            aside = schema.set_aside(self.path, self._clock())
            self._set_aside = str(aside)
            logger.error("outbox %s is broken (%s): moved to %s", self.path, error, aside)
            writer = schema.open_writer(self.path, self._max_bytes)
        return writer, schema.open_courier(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; later calls raise OutboxError."""
        with self._read_lock, self._write_lock:
            if not self._closed:
                self._closed = True
                self._courier.close()
                self._writer.close()
                self._lock_file.close()

    # Writing

    def put(self, facts: Sequence[Fact]) -> list[int]:
        """Store the facts in order, all or none; when it returns they survive a power cut.

        Returns their keys. Raises FactRefused for a fact that can never travel, OutboxError when
        the disk cannot take them; in both cases nothing is stored.
        """
        if not facts:
            return []
        with self._writing() as writer:
            epoch, epoch_id, first = self._epoch, self._epoch_id, self._next
            if not epoch:
                epoch, first = secrets.token_hex(8), 1
            offset = self._clock_offset_ms()
            rows = [
                encode_fact(fact, self._agent, epoch, first + place, offset)
                for place, fact in enumerate(facts)
            ]
            coming = sum(len(row.payload) + 256 for row in rows)
            self._check_disk(writer, coming)
            self._make_room(writer, rows, coming)
            now = self._clock()
            writer.execute("BEGIN IMMEDIATE")
            if not self._epoch:
                epoch_id = schema.begin_epoch(writer, epoch, now)
            writer.executemany(
                "INSERT INTO events (key, lane, put_at, topic, payload) VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        schema.key_of(epoch_id, first + place),
                        int(row.lane),
                        now.timestamp(),
                        row.topic,
                        row.payload,
                    )
                    for place, row in enumerate(rows)
                ],
            )
            keys = [schema.key_of(epoch_id, first + place) for place in range(len(rows))]
            writer.executemany(
                "INSERT INTO overheard VALUES (?, ?, ?)",
                [
                    (key, row.topic, row.payload)
                    for key, row, fact in zip(keys, rows, facts, strict=True)
                    if fact.kind in self._overheard_kinds
                ],
            )
            writer.execute("COMMIT")
            self._epoch, self._epoch_id, self._next = epoch, epoch_id, first + len(rows)
            self._backlog += len(rows)
            return keys

    def quarantine(self, who: Identity, content: bytes, reason: str, at: datetime) -> None:
        """Keep bytes that could not be read, durably, with the reason. Raises OutboxError."""
        with self._writing() as writer:
            self._check_disk(writer, len(content))
            writer.execute("BEGIN IMMEDIATE")
            quarantine.shelve(writer, who, content, reason, at, self._quarantine_bytes)
            writer.execute("COMMIT")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._write_lock:
            if self._closed:
                raise OutboxError(f"outbox {self.path} is closed")
            try:
                yield self._writer
                self._failing = ""
            except sqlite3.Error as error:
                self._failing = schema.explain(error, self.path, self._max_bytes)
                raise OutboxError(self._failing) from error
            finally:
                _roll_back(self._writer)

    def _check_disk(self, writer: sqlite3.Connection, coming: int) -> None:
        """Refuse what would eat into the reserve; what fits into the file's own gaps may come."""
        if self._reserve.take() or free_bytes(writer) > 2 * coming + (1 << 20):
            return
        kept = f"the last {self._reserve.size >> 10} KiB are kept for receipts"
        self._failing = f"outbox {self.path}: the disk is full ({kept})"
        raise OutboxError(self._failing)

    def _make_room(self, writer: sqlite3.Connection, rows: Sequence[Row], coming: int) -> None:
        """Thin old readings until the bound holds with `rows`."""
        for _ in range(_THIN_STEPS_PER_PUT):
            used = used_bytes(writer) + coming
            if used <= self._readings_bytes:
                return
            writer.execute("BEGIN IMMEDIATE")
            dropped = thin_step(writer)
            writer.execute("COMMIT")
            self._backlog -= dropped
            if not dropped:
                break
            logger.warning("outbox %s is full: %d old readings thinned out", self.path, dropped)
        if all(row.lane is Lane.READING for row in rows) and used > self._readings_bytes:
            bound = f"{self._readings_bytes >> 20} of {self._max_bytes >> 20} MiB"
            self._failing = f"outbox {self.path} has reached its bound for readings ({bound})"
            raise OutboxError(self._failing)

    # Sending

    def above(self, lane: Lane, key: int, limit: int) -> list[Event]:
        """The first events of a lane after `key`, oldest first. Raises OutboxError."""
        return self._events("lane = ? AND key > ? ORDER BY key LIMIT ?", (lane, key, limit))

    def below(self, lane: Lane, key: int | None, limit: int) -> list[Event]:
        """The last events of a lane before `key` (None: of all), oldest first."""
        bound = (1 << 63) - 1 if key is None else key
        events = self._events(
            "lane = ? AND key < ? ORDER BY key DESC LIMIT ?", (lane, bound, limit)
        )
        return events[::-1]

    def load(self, keys: Sequence[int]) -> list[Event]:
        """The events of `keys` that are still here, oldest first."""
        marks = ",".join("?" * len(keys))
        return self._events(f"key IN ({marks}) ORDER BY key", keys)

    def between(self, first: int, last: int, limit: int) -> list[Event]:
        """The first events of any lane with keys `first` through `last`, oldest first."""
        return self._events("key BETWEEN ? AND ? ORDER BY key LIMIT ?", (first, last, limit))

    def _events(self, where: str, values: Sequence[int]) -> list[Event]:
        with self._reading() as courier:
            # The conditions are this class's own text; values are bound.
            query = f"SELECT key, lane, topic, payload FROM events WHERE {where}"  # noqa: S608
            rows = courier.execute(query, values).fetchall()
        return [Event(key, Lane(lane), topic, payload) for key, lane, topic, payload in rows]

    def overheard(self, limit: int) -> list[tuple[int, bytes]]:
        """The oldest copies that were kept, each with its event's key. Raises OutboxError."""
        query = "SELECT key, payload FROM overheard ORDER BY key LIMIT ?"
        with self._reading() as courier:
            return courier.execute(query, (limit,)).fetchall()

    def forget_overheard(self, keys: Sequence[int]) -> None:
        """These copies are not needed any more. Raises OutboxError."""
        with self._writing() as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.executemany("DELETE FROM overheard WHERE key = ?", [(key,) for key in keys])
            writer.execute("COMMIT")

    def still_here(self, keys: Sequence[int]) -> set[int]:
        """Which of `keys` have not been receipted yet. Raises OutboxError."""
        with self._reading() as courier:
            query = "SELECT 1 FROM events WHERE key = ?"
            return {key for key in keys if courier.execute(query, (key,)).fetchone()}

    @property
    def was_set_aside(self) -> bool:
        """True if the file was found broken and begun anew: what had been put may be gone."""
        return bool(self._set_aside)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock:
            if self._closed:
                raise OutboxError(f"outbox {self.path} is closed")
            try:
                yield self._courier
            except sqlite3.Error as error:
                raise OutboxError(schema.explain(error, self.path, self._max_bytes)) from error
            finally:
                _roll_back(self._courier)

    @property
    def own_epoch_id(self) -> int:
        """The number of this opening's epoch; 0 before its first fact."""
        return self._epoch_id

    def epoch_id(self, name: str) -> int | None:
        """The number of an epoch in this file's keys; None if it is not of this file."""
        with self._reading() as courier:
            row = courier.execute("SELECT id FROM epochs WHERE name = ?", (name,)).fetchone()
        return row and int(row[0])

    def remove(self, ranges: Sequence[tuple[int, int]]) -> int:
        """Remove receipted events, given as closed ranges of keys; returns how many were here.

        Not synced on its own: what a power cut brings back is sent again, which is harmless.
        In short transactions, so that a put never waits long for a removal.
        """
        removed = 0
        waiting = deque(ranges)
        while waiting:
            with self._reading() as courier, self._write_lock:
                try:
                    gone = remove_some(courier, waiting)
                except sqlite3.Error as error:
                    if not schema.is_full(error):
                        raise
                    _roll_back(courier)
                    self._reserve.release()
                    courier.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    gone = remove_some(courier, waiting)
                self._backlog -= gone
                removed += gone
        return removed

    # Telling

    def note(self, name: str, value: bytes) -> None:
        """Leave a note for `foodsentry edge doctor`, which reads the file beside the agent."""
        with self._reading() as courier, self._write_lock:
            courier.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def state(self) -> OutboxState:
        """The present state, in constant time. Raises OutboxError."""
        with self._write_lock:
            epoch, lowest = self._epoch, self._next if self._epoch else None
            backlog, failing = self._backlog, self._failing
        with self._reading() as courier:
            found = read_state(courier, epoch, lowest, backlog, failing, self._set_aside)
            return msgspec.structs.replace(found, numbering=read_numbering(courier))


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
