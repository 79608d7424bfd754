"""Writes points to the time series in a thread of its own, then receipts what is stored everywhere.

The queue is bounded. When the store is down or slow, batches beyond the bound are dropped here:
they are in the ledger, but not receipted, so that the edge sends them again. Neither alerts nor
acknowledgements ever wait for this thread.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable

import msgspec

from contracts.clock import Clock
from gateway.backoff import pauses
from gateway.broker import Outbound
from gateway.health import Health
from gateway.intake.points import points_of
from gateway.metrics import Metrics
from gateway.receipts import receipts
from gateway.unpack import Accepted, Numbered
from ledger import dead_letters
from ledger.engine import Engine, LedgerDown, writing
from timeseries import refusals
from timeseries.port import Point, SeriesDown, SeriesRejected, SeriesStore

log = logging.getLogger(__name__)

IDLE_S = 0.5


class SeriesJob(msgspec.Struct, frozen=True):
    """One batch that the ledger has: events to write, numbers to receipt once they are written."""

    events: list[Accepted]
    """Those that have points."""
    numbers: list[Numbered]

    @property
    def size(self) -> int:
        """Bytes as they were sent."""
        return sum(len(event.message.payload) for event in self.events)


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
        self._engine = engine
        self._publish = publish
        self._receipt_every_s = receipt_every_s
        self._retry_most_s = retry_most_s
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._queue: queue.SimpleQueue[SeriesJob] = queue.SimpleQueue()
        self._queue_bytes = queue_bytes
        self._queued = 0
        self._lock = threading.Lock()
        self._stored: list[Numbered] = []
        self._receipt_due = 0.0

    def offer(self, job: SeriesJob) -> None:
        """Queue a batch, or drop it if the queue is full. Never blocks."""
        size = job.size
        with self._lock:
            if self._queued and self._queued + size > self._queue_bytes:
                self._metrics.series_dropped.inc()
                return
            self._queued += size
        self._queue.put(job)
        self._metrics.series_queue.set(self._queue.qsize())

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`, then write what is queued, as long as the store answers."""
        while not (stop.is_set() and self._queue.empty()):
            try:
                job = self._queue.get(timeout=self._wait_s())
            except queue.Empty:
                self._receipt()
                continue
            if not self._settle(job, stop):
                break
            with self._lock:
                self._queued -= job.size
            self._metrics.series_queue.set(self._queue.qsize())
            if time.monotonic() >= self._receipt_due:
                self._receipt()
        self._receipt()

    def _wait_s(self) -> float:
        if not self._stored:
            return IDLE_S
        return max(0.0, self._receipt_due - time.monotonic()) or 0.001

    def _settle(self, job: SeriesJob, stop: threading.Event) -> bool:
        """Write one batch; False if asked to stop while the store is down."""
        points: list[Point] = []
        owners: list[Accepted] = []
        for event in job.events:
            made = points_of(event)
            points += made
            owners += [event] * len(made)
        unsafe: set[Numbered] = set()
        if points:
            try:
                if not self._write(points, stop):
                    return False
            except SeriesRejected as error:
                for _, why in error.rejected:
                    self._metrics.series_rejected.labels(refusals.why(why)).inc()
                unsafe = self._bury([(owners[index], why) for index, why in error.rejected])
            self._metrics.series_points.inc(len(points))
        self._health.well("series")
        if not self._stored:
            self._receipt_due = time.monotonic() + self._receipt_every_s
        self._stored += [one for one in job.numbers if one not in unsafe]
        return True

    def _write(self, points: list[Point], stop: threading.Event) -> bool:
        """Write, again and again; False if asked to stop while the store is down."""
        for pause_s in pauses(self._retry_most_s):
            try:
                self._store.write(points)
            except SeriesDown as error:
                self._metrics.series_errors.inc()
                if self._health.trouble("series", f"time series: {error}"):
                    log.warning("time series down, trying on: %s", error)
                if stop.wait(max(pause_s, error.retry_after_s or 0.0)):
                    return False
                continue
            break
        return True

    def _bury(self, rejected: list[tuple[Accepted, str]]) -> set[Numbered]:
        """Keep rejected points' messages as dead letters; returns numbers that may not be told."""
        reasons = {id(event): (event, why) for event, why in reversed(rejected)}
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
        return set()

    def _receipt(self) -> None:
        """Tell the agents. Without a connection it is not told: the edge sends again, and hears."""
        stored, self._stored = self._stored, []
        if stored and self._publish(receipts(stored, self._clock())):
            self._metrics.receipts.inc(len(stored))
