"""The intake thread: a batch from the inbox into the ledger, then PUBACK, then on to the series.

While the ledger is down the batch is held and tried again; nothing is acknowledged, so that the
broker, and behind it the edge, keep the rest. Content that the ledger will not have is found by
halving the batch, and put to the dead letters.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

from contracts.clock import Clock
from gateway.alerts.book import RuleBook
from gateway.alerts.outcomes import Raise
from gateway.backoff import pauses
from gateway.broker import Inbound
from gateway.health import Health
from gateway.intake.hearing import Hearing
from gateway.intake.inbox import Inbox
from gateway.intake.repeats import Repeats
from gateway.intake.series import SeriesWriter
from gateway.intake.store import Taken, take_in
from gateway.metrics import Metrics
from gateway.registry import Devices
from gateway.settings import IntakeSettings
from gateway.unpack import Accepted, Desk, Refused, Registry
from ledger import devices as ledger_devices
from ledger.engine import Engine, LedgerDown, writing

log = logging.getLogger(__name__)

IDLE_S = 0.2
HOLD_S = 1.0
"""So long an acknowledgement is held back while the time series is crowded (its batch is in the
ledger and judged): the broker, and behind it the edge, keep so much longer what comes next …"""
HOLD_LOOK_S = 0.02
"""… and so often we look whether there is room again."""

Piece = list[Accepted | Refused]
"""Part of a batch that goes into one transaction."""


class Intake:
    """Takes batches until it is told to stop and the inbox is empty."""

    def __init__(
        self,
        inbox: Inbox,
        engine: Engine,
        devices: Devices,
        book: RuleBook,
        series: SeriesWriter,
        *,
        settings: IntakeSettings,
        acknowledge: Callable[[list[Inbound]], None],
        on_alerts: Callable[[], None],
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        self.behind_at: datetime | None = None
        """When intake last could not keep up: what it then knows of silence is worth nothing."""
        self._inbox = inbox
        self._engine = engine
        self._devices = devices
        self._book = book
        self._series = series
        self._settings = settings
        self._acknowledge = acknowledge
        self._on_alerts = on_alerts
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._hearing = Hearing()
        self._held: deque[tuple[float, list[Inbound]]] = deque()
        self._desk: Desk | None = None
        self._repeats = Repeats()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; then until the inbox is empty or the ledger fails."""
        settings = self._settings
        while True:
            wait_s = HOLD_LOOK_S if self._held else IDLE_S
            batch = self._inbox.take(settings.batch_messages, settings.batch_age_s, wait_s)
            self._let_go(everything=stop.is_set())
            self._series.tell_taken()
            if batch:
                self._metrics.messages.inc(len(batch))
                if len(batch) >= settings.batch_messages:
                    self.behind_at = self._clock()
                if not self._handle(batch, stop):
                    return
            else:
                self._mark()
                if stop.is_set():
                    return

    def _handle(self, batch: list[Inbound], stop: threading.Event) -> bool:
        """Take one batch in; False if asked to stop while the ledger is down.

        A piece is stored, and acknowledged, once: what is tried again is only what is left.
        """
        tries = pauses(self._settings.retry_most_s)
        pieces: list[Piece] = []
        unpacked = False
        while pieces or not unpacked:
            try:
                if not unpacked:
                    pieces.append(self._unpack(batch))
                    unpacked = True
                pieces[:1] = self._store(pieces[0])
            except LedgerDown as error:
                self.behind_at = self._clock()
                self._metrics.ledger_errors.inc()
                if self._health.trouble("ledger", f"ledger: {error}"):
                    log.warning("ledger down, trying on: %s", error)
                if stop.wait(next(tries)):
                    return False
        self._health.well("ledger")
        return True

    def _unpack(self, batch: list[Inbound]) -> Piece:
        desk = self._desk_of(self._devices.known())
        unpacked = [desk.unpack(message) for message in batch]
        if any(_unregistered(one) for one in unpacked) and self._devices.may_be_old():
            desk = self._desk_of(self._devices.refresh())
            unpacked = [desk.unpack(one.message) if _unregistered(one) else one for one in unpacked]
        return unpacked

    def _desk_of(self, registry: Registry) -> Desk:
        if self._desk is None or self._desk.registry is not registry:
            self._desk = Desk(registry)
        return self._desk

    def _store(self, piece: Piece) -> list[Piece]:
        """One transaction; returns what is left to do: the halves of a piece with a culprit."""
        accepted = [one for one in piece if isinstance(one, Accepted)]
        refused = [
            one for one in piece if isinstance(one, Refused) and not self._repeats.known(one)
        ]
        self._hearing.hear(accepted)
        started = time.perf_counter()
        try:
            with writing(self._engine, first=True) as conn:
                taken = take_in(conn, accepted, refused, self._book, self._clock())
        except LedgerDown:
            raise
        except Exception as error:  # noqa: BLE001 (content may hide what only a store finds)
            if len(piece) > 1:
                middle = len(piece) // 2
                return [piece[:middle], piece[middle:]]
            return self._set_aside(piece[0], error)
        self._repeats.keep(taken.refused)
        self._metrics.batch_s.observe(time.perf_counter() - started)
        self._metrics.batch_messages.observe(len(piece))
        self._after_commit(piece, accepted, taken)
        self._mark()
        return []

    def _after_commit(self, piece: Piece, accepted: list[Accepted], taken: Taken) -> None:
        if taken.news:
            self._on_alerts()
        messages = [one.message for one in piece]
        if self._series.crowded():
            self._held.append((time.monotonic() + HOLD_S, messages))
        else:
            self._acknowledge(messages)
        if taken.numbers:
            self._series.offer(accepted, taken.numbers)
        self._count(taken)

    def _let_go(self, *, everything: bool = False) -> None:
        """Acknowledge what was held back for the time series' sake, for long enough."""
        if not self._held:
            return
        everything = everything or not self._series.crowded()
        now = time.monotonic()
        while self._held and (everything or self._held[0][0] <= now):
            self._acknowledge(self._held.popleft()[1])

    def _set_aside(self, culprit: Accepted | Refused, error: Exception) -> list[Piece]:
        if isinstance(culprit, Refused):
            # Stays unacknowledged: it is at the broker, and in the log.
            self._health.trouble("dead letters", f"{culprit.message.topic}: {error}")
            log.error("dead letter of %s cannot be kept", culprit.message.topic, exc_info=error)
            return []
        log.warning("ledger refuses an event of %s: %s", culprit.message.topic, error)
        reason = f"ledger: {type(error).__name__}: {' '.join(str(error).split())[:400]}"
        return [[Refused(culprit.message, "ledger", reason, culprit.numbered)]]

    def _mark(self) -> None:
        """Write who was heard, in a transaction of its own: a batch locks devices in the order of
        its statuses, and would wait for another gateway's while that one waits for it."""
        now = self._clock()
        marks = self._hearing.due(now)
        if not marks:
            return
        try:
            with writing(self._engine) as conn:
                ledger_devices.mark_seen(conn, marks)
        except LedgerDown as error:
            log.info("last-seen times wait, the ledger is down: %s", error)
        else:
            self._hearing.written(marks)

    def _count(self, taken: Taken) -> None:
        kinds: dict[str, int] = {}
        for one in taken.fresh:
            kinds[one.event.kind] = kinds.get(one.event.kind, 0) + 1
        for kind, count in kinds.items():
            self._metrics.events.labels(kind).inc(count)
        self._metrics.duplicates.inc(taken.duplicates)
        for letter in taken.refused:
            self._metrics.dead_letters.labels(letter.kind).inc()
        if taken.outcomes:
            now = self._clock()
            waited_s = (now - min(one.message.received_at for one in taken.fresh)).total_seconds()
            for outcome in taken.outcomes:
                if isinstance(outcome, Raise):
                    self._metrics.alerts.labels(outcome.rule.id, "raised").inc()
                    self._metrics.alert_s.labels("stored").observe(waited_s)
                else:
                    rule = outcome.fingerprint.partition("|")[0]
                    self._metrics.alerts.labels(rule, "resolved").inc()


def _unregistered(one: Accepted | Refused) -> bool:
    return isinstance(one, Refused) and one.kind == "unregistered"
