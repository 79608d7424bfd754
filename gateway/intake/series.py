"""Writes to the time series in a thread of its own, then receipts what is stored everywhere.

The queue is bounded. While a living store is slower than what comes, `crowded` asks intake to hold
its acknowledgements back for a moment, which slows the broker down. What comes beyond the bound all
the same, because the store is down or far too slow, is dropped here: it is in the ledger, but not
receipted, so that the edge sends it again. While the store is down, and for what is dropped, the
edge is told that it is taken in: it goes on sending what is new. Alerts never wait for this thread.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from contracts.clock import Clock
from contracts.envelope import decode
from contracts.topics import Identity
from gateway.backoff import pauses
from gateway.broker import Inbound, Outbound
from gateway.health import Health
from gateway.intake.points import has_points, lines_of, points_of
from gateway.intake.repeats import Memory
from gateway.metrics import Metrics
from gateway.receipts import Round
from gateway.unpack import Accepted, Numbered
from ledger import dead_letters
from ledger.engine import Engine, LedgerDown, writing
from ledger.intake import Key
from timeseries import refusals
from timeseries.port import LineStore, Point, SeriesDown, SeriesRejected, SeriesStore

log = logging.getLogger(__name__)

IDLE_S = 0.5
MESSAGE_BYTES = 500
"""What a message takes here besides its payload and its lines."""


class Told(msgspec.Struct, frozen=True):
    """An event that has points, without what was read from its payload: that takes much room."""

    message: Inbound
    who: Identity
    numbered: Numbered | None


class SeriesJob(msgspec.Struct, frozen=True):
    """One batch that the ledger has: what to write, and numbers to receipt once it is written."""

    events: Sequence[Told]
    lines: bytes
    """The points of the events as line protocol; empty where the store wants points."""
    numbers: Mapping[Key, Sequence[int]]
    size: int
    """Bytes of the events as they were sent, and MESSAGE_BYTES for each."""


class SeriesWriter:
    """The bounded queue, the thread's work, and the receipts that follow."""

    def __init__(
        self,
        store: SeriesStore,
        engine: Engine,
        *,
        publish: Callable[[list[Outbound]], bool],
        queue_bytes: int,
        receipt_every_s: float,
        retry_most_s: float,
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        self._store = store
        self._lines = store if isinstance(store, LineStore) else None
        self._engine = engine
        self._retry_most_s = retry_most_s
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._queue: queue.SimpleQueue[SeriesJob] = queue.SimpleQueue()
        self._queue_bytes = queue_bytes
        self._queued = 0
        self._down = False
        self._lock = threading.Lock()
        self._unwritten: deque[Mapping[Key, Sequence[int]]] = deque()
        """The numbers of each job that is queued or being written, in order."""
        self._stored = Round(publish, receipt_every_s, clock, metrics.receipts.inc)
        self._taken = Round(publish, receipt_every_s, clock, metrics.taken_in.inc, taken=True)
        self._buried = Memory()
        """Numbers of the last events that were put to the dead letters."""

    def offer(self, accepted: Sequence[Accepted], numbers: Mapping[Key, Sequence[int]]) -> None:
        """Queue a batch, or drop it if the queue is full. Never blocks."""
        events = [one for one in accepted if has_points(one)]
        size = sum([len(one.message.payload) + MESSAGE_BYTES for one in events])
        with self._lock:
            if self._queued and self._queued + size > self._queue_bytes:
                self._metrics.series_dropped.inc()
                self._taken.gather(numbers)
                return
            self._queued += size
            self._unwritten.append(numbers)
            if self._down:
                self._taken.gather(numbers)
        self._queue.put(self._job(events, numbers, size))
        self._metrics.series_queue.set(self._queue.qsize())

    def crowded(self) -> bool:
        """Whether what comes should come more slowly. Never while the store is down."""
        return not self._down and self._queued > self._queue_bytes // 2

    def tell_taken(self) -> None:
        """Tell the agents what is only taken in, if it is time. Call it often, from any thread that
        does not wait for the store."""
        self._taken.tell_if_due()

    def _job(
        self, events: Sequence[Accepted], numbers: Mapping[Key, Sequence[int]], size: int
    ) -> SeriesJob:
        lines: list[str] = []
        if self._lines:
            for event in events:
                made = lines_of(event.who, event.event)
                if made is None:  # the store shall say what is wrong
                    lines = []
                    break
                lines += made
        told = [Told(one.message, one.who, one.numbered) for one in events]
        return SeriesJob(told, "\n".join(lines).encode(), numbers, size)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`, then write what is queued, as long as the store answers."""
        while not (stop.is_set() and self._queue.empty()):
            try:
                job = self._queue.get(timeout=self._wait_s())
            except queue.Empty:
                self._stored.tell()
                continue
            try:
                settled = self._settle(job, stop)
            finally:
                with self._lock:
                    self._queued -= job.size
                    self._unwritten.popleft()
            if not settled:
                break
            self._metrics.series_queue.set(self._queue.qsize())
            self._stored.tell_if_due()
        self._stored.tell()

    def _wait_s(self) -> float:
        due_s = self._stored.due_s()
        return IDLE_S if due_s is None else max(0.001, due_s)

    def _settle(self, job: SeriesJob, stop: threading.Event) -> bool:
        """Write one batch; False if asked to stop while the store is down."""
        unsafe: set[Numbered] = set()
        if job.events:
            refused: list[tuple[Told, str]] = []
            if not self._keep_trying(lambda: refused.extend(self._write(job)), stop):
                return False
            if refused:
                unsafe = self._bury(refused)
        self._health.well("series")
        numbers = job.numbers
        if unsafe:
            numbers = {
                key: [one for one in told if Numbered(*key, one) not in unsafe]
                for key, told in numbers.items()
            }
        self._stored.gather(numbers)
        return True

    def _write(self, job: SeriesJob) -> list[tuple[Told, str]]:
        """Write; returns events that the store refuses, and why. Raises SeriesDown."""
        if job.lines and self._lines and self._lines.write_lines(job.lines):
            self._metrics.series_points.inc(job.lines.count(b"\n") + 1)
            return []
        points: list[Point] = []
        owners: list[Told] = []
        for event in job.events:
            made = points_of(event.who, decode(event.message.payload))
            points += made
            owners += [event] * len(made)
        refused: list[tuple[Told, str]] = []
        try:
            self._store.write(points)
        except SeriesRejected as error:
            for _, why in error.rejected:
                self._metrics.series_rejected.labels(refusals.why(why)).inc()
            refused = [(owners[index], why) for index, why in error.rejected]
        self._metrics.series_points.inc(len(points))
        return refused

    def _keep_trying(self, write: Callable[[], None], stop: threading.Event) -> bool:
        """Write, again and again; False if asked to stop while the store is down."""
        for pause_s in pauses(self._retry_most_s):
            try:
                write()
            except SeriesDown as error:
                self._fall()
                self._metrics.series_errors.inc()
                if self._health.trouble("series", f"time series: {error}"):
                    log.warning("time series down, trying on: %s", error)
                if stop.wait(max(pause_s, error.retry_after_s or 0.0)):
                    return False
                continue
            break
        self._down = False
        return True

    def _fall(self) -> None:
        """The store is down: what waits for it is taken in, and so is what comes."""
        with self._lock:
            if self._down:
                return
            self._down = True
            for numbers in self._unwritten:
                self._taken.gather(numbers)

    def _bury(self, rejected: list[tuple[Told, str]]) -> set[Numbered]:
        """Keep rejected points' messages as dead letters; returns numbers that may not be told."""
        reasons = {
            event.numbered or id(event): (event, why)
            for event, why in reversed(rejected)
            # What the edge sends again, because its receipt is late, is kept already.
            if event.numbered not in self._buried
        }
        try:
            with writing(self._engine) as conn:
                for event, why in reasons.values():
                    message = event.message
                    reason = f"time series: {why}"
                    dead_letters.add(conn, message.topic, message.payload, reason, self._clock())
        except LedgerDown as error:
            log.warning("rejected points are not receipted, the ledger is down: %s", error)
            return {event.numbered for event, _ in reasons.values() if event.numbered}
        self._metrics.dead_letters.labels("series").inc(len(reasons))
        self._buried.keep(event.numbered for event, _ in reasons.values() if event.numbered)
        return set()
