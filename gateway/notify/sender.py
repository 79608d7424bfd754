"""Sends what is due: takes rows under a lease, hands them to the channels' workers, settles them.

One thread speaks with the ledger; the workers only send. What a way brought is kept with the row,
so that whoever goes on after a crash knows which ways are spent. A crash between a service's yes
and our mark sends again, with the same dedupe key: at least once at the channels' edge.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from contracts.clock import Clock
from gateway.backoff import pauses
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.notify.channels.channel import Outcome, Retry, Sent
from gateway.notify.channels.opening import Opened
from gateway.notify.delivery import (
    Patience,
    Step,
    Way,
    after,
    first_sent,
    next_step,
    troubles,
    width,
)
from gateway.notify.messages import Ways, alerts_of, message_for, ways_of, ways_to
from gateway.notify.settings import NotifySettings
from gateway.notify.undelivered import tell_next_level
from gateway.notify.workers import FULL, Job, Worker
from ledger import notification_tries, notifications
from ledger.alert_types import AlertRow
from ledger.engine import Connection, Engine, LedgerDown, LedgerRefused, reading, writing
from ledger.notification_tries import Try
from ledger.notifications import NotificationRow
from ledger.officers import Officer

log = logging.getLogger(__name__)

IN_HAND_MOST = 400
"""Rows that are taken and not settled yet: what bounds the sender's memory."""
TAKEN_AT_ONCE = 100
MARGIN_S = 5.0
"""What settling may take, before a lease ends."""
SAY_AGAIN = timedelta(hours=1)
GIVEN_BACK = timedelta(seconds=1)
"""After what time a message comes again that found no room in its channel's queue."""
DRAIN_S = 8.0
PAUSE_MOST_S = 10.0


class _Answer(msgspec.Struct, frozen=True):
    """What one way brought, and when; no outcome if it was not tried."""

    delivery: "_Delivery"
    way: Way
    outcome: Outcome | None
    at: datetime


class _Delivery:
    """A row in hand."""

    def __init__(self, row: NotificationRow, found: Ways, about: tuple[AlertRow, ...]) -> None:
        self.row = row
        self.ways = found.ways
        self.reason = found.reason
        self.language = found.language
        self.about = about
        self.known: dict[str, Try] = {}
        self.wave: tuple[Way, ...] = ()
        self.answers: list[_Answer] = []
        self.in_hand = True

    def ready(self) -> bool:
        """Whether one way has brought success, or every way of the wave something."""
        sent = any(isinstance(one.outcome, Sent) for one in self.answers)
        return sent or len(self.answers) == len(self.wave)


class Sender:
    """Sends from `run` to `stop`; `wake` makes it look at once."""

    def __init__(
        self,
        engine: Engine,
        channels: Mapping[str, Opened],
        settings: NotifySettings,
        *,
        routes: Mapping[str, Sequence[str]],
        prepare: Callable[[], None] | None = None,
        name: str,
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        """`routes`: channels by the route's name. `prepare` is called once the ledger is there."""
        self._engine = engine
        self._channels = channels
        self._settings = settings
        self._routes = routes
        self._prepare = prepare
        self._name = name
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._patience = Patience(settings.retry_first_s, settings.retry_most_s)
        self._slowest_s = max((one.timeout_s for one in channels.values()), default=0.0)
        self._in_hand: dict[int, _Delivery] = {}
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._done: list[_Delivery] = []
        self._late: list[_Answer] = []
        """What came after its delivery was settled: the second of two ways, an old lease's."""
        self._wake = threading.Event()
        self._stopping = False
        self._said: dict[str, datetime] = {}
        """What was logged of recipients that cannot be reached, to say it once an hour."""
        self._workers: dict[str, Worker] = {}

    def wake(self) -> None:
        """There may be something due."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; what is being sent then is waited for, the rest is given back."""
        if not self._settings.enabled:
            stop.wait()
            return
        pause = pauses(PAUSE_MOST_S)
        while not stop.is_set():
            wait_s = self._settings.poll_s
            try:
                self.look_once()
                self._health.well("notify")
                pause = pauses(PAUSE_MOST_S)
            except LedgerDown as error:
                self._metrics.ledger_errors.inc()
                self._health.trouble("notify", f"ledger: {error}")
                wait_s = next(pause)
            self._wake.wait(wait_s)
            self._wake.clear()
        self.end()

    def start(self) -> None:
        """Start a thread for each channel, if they do not run."""
        if not self._workers:
            self._stopping = False
            self._workers = {
                name: Worker(one.channel, one.queue, self._clock)
                for name, one in self._channels.items()
            }

    def look_once(self) -> int:
        """Settle what was answered, take what is due; returns how many rows. Raises LedgerDown."""
        self.start()
        if self._prepare is not None:
            self._prepare()
            self._prepare = None
        self._gather()
        self._settle()
        free = max((one.free for one in self._workers.values()), default=TAKEN_AT_ONCE)
        room = min(TAKEN_AT_ONCE, IN_HAND_MOST - len(self._in_hand), free)
        if room <= 0 or not self._something_due():
            return 0
        now = self._clock()
        with writing(self._engine) as conn:
            rows = notifications.take_due(conn, self._name, room, now, self._settings.lease_s)
            known = notification_tries.of(conn, [row.id for row in rows])
            taken = [self._read(conn, row) for row in rows]
        for one in taken:
            self._let_go(one.row.id)  # if its lease ran out in our own hands
            self._in_hand[one.row.id] = one
            one.known = dict(known[one.row.id])
            self._go_on(one)
        self._gather()
        self._settle()
        if len(rows) == room:
            self._wake.set()
        return len(rows)

    def end(self) -> None:
        """Wait for what is being sent, and give back what is not."""
        self._stopping = True
        for worker in self._workers.values():
            worker.ask_to_stop()
        end_s = time.monotonic() + DRAIN_S
        slow = [
            name
            for name, worker in self._workers.items()
            if not worker.ended(max(0.0, end_s - time.monotonic()))
        ]
        if slow:
            log.warning("still sending, comes again from its lease: %s", ", ".join(slow))
        self._workers = {}
        self._gather()
        try:
            self._settle()
        except LedgerDown as error:
            log.warning("what was sent is not noted, and may be sent again: %s", error)

    def _something_due(self) -> bool:
        with reading(self._engine) as conn:
            return notifications.is_due(conn, self._clock())

    def _read(self, conn: Connection, row: NotificationRow) -> _Delivery:
        found = ways_of(conn, row, self._channels, self._routes)
        return _Delivery(row, found, alerts_of(conn, row))

    def _step(self, one: _Delivery) -> Step:
        wide = width(one.row.severity, one.row.kind, self._settings.at_once)
        return next_step(one.ways, one.known, wide, self._clock())

    def _go_on(self, one: _Delivery) -> None:
        """Send by the ways that are due; without any it is done with, for now."""
        one.answers = []
        one.wave = () if first_sent(one.ways, one.known) else self._step(one).now
        if not one.wave:
            self._done.append(one)
            return
        begin_before = self._begin_before(one.row)
        for way in one.wave:
            opened = self._channels[way.channel]
            language = one.language or opened.language
            message = message_for(one.row, way, one.about, language, self._settings.console_url)
            answer = partial(self._answer, one, way)
            worker = self._workers[way.channel]
            if not worker.offer(Job(message, begin_before, answer)):
                answer(None if worker.alive(self._clock()) else Retry(FULL))

    def _begin_before(self, row: NotificationRow) -> datetime:
        """The last moment at which a slow channel is still done before the lease ends."""
        ends_at = row.lease_until or self._clock()
        return ends_at - timedelta(seconds=self._slowest_s + MARGIN_S)

    def _answer(self, one: _Delivery, way: Way, outcome: Outcome | None) -> None:
        """Called by the workers."""
        self._answers.put(_Answer(one, way, outcome, self._clock()))
        self._wake.set()

    def _let_go(self, number: int) -> None:
        one = self._in_hand.pop(number, None)
        if one is not None:
            one.in_hand = False

    def _gather(self) -> None:
        """Take the answers over; deliveries that are ready by them are to be settled."""
        while not self._answers.empty():
            answer = self._answers.get()
            one = answer.delivery
            if not one.in_hand or one in self._done:
                self._late.append(answer)
                continue
            one.answers.append(answer)
            if one.ready():
                self._done.append(one)

    def _settle(self) -> None:
        """Write down how it went, in one transaction; then go on with those that go on."""
        most = TAKEN_AT_ONCE
        while self._done or self._late:
            done = self._done[:most]
            late = self._late[: most - len(done)]
            try:
                self._settle_these(done, late)
            except LedgerRefused as error:
                if len(done) + len(late) > 1:
                    most = 1  # find the one that is refused
                    continue
                log.error("how a notification went cannot be kept: %s", error)
                for one in done:
                    self._let_go(one.row.id)
            # What went on at once is behind those, if it has nothing to send.
            del self._done[: len(done)], self._late[: len(late)]

    def _settle_these(self, done: Sequence[_Delivery], late: Sequence[_Answer]) -> None:
        now = self._clock()
        tried = {one.row.id: self._judged(one.answers) for one in done}
        afterwards = self._judged(late)
        onward: list[_Delivery] = []
        with writing(self._engine) as conn:
            notification_tries.put(conn, afterwards)
            for one in done:
                notification_tries.put(conn, tried[one.row.id])
                known = one.known | {new.contact: new for new in tried[one.row.id]}
                if self._conclude(conn, one, known, now):
                    onward.append(one)
        self._count(late, afterwards)
        for one in done:
            one.known |= {new.contact: new for new in tried[one.row.id]}
            self._count(one.answers, tried[one.row.id])
            if one not in onward:
                self._let_go(one.row.id)
        for one in onward:
            self._go_on(one)

    def _judged(self, answers: Sequence[_Answer]) -> list[Try]:
        """What these answers mean for their ways."""
        return [
            after(
                one.way,
                one.delivery.row.id,
                one.delivery.known.get(one.way.contact),
                one.outcome,
                most_tries=self._channels[one.way.channel].tries,
                patience=self._patience,
                now=one.at,
            )
            for one in answers
            if one.outcome is not None
        ]

    def _conclude(
        self, conn: Connection, one: _Delivery, known: Mapping[str, Try], now: datetime
    ) -> bool:
        """Bring the row to where it stands now; True if it goes on at once under the same lease."""
        row, mine = one.row, self._name
        way = first_sent(one.ways, known)
        if way is not None:
            sent_at = known[way.contact].at
            told = troubles(one.ways, known)
            if not notifications.sent(conn, row.id, mine, sent_at, way.channel, told):
                log.warning("notification %d was sent, but is not ours any more", row.id)
            return False
        wide = width(row.severity, row.kind, self._settings.at_once)
        step = next_step(one.ways, known, wide, now)
        if step.over:
            reason = troubles(one.ways, known) or one.reason or "no way is left"
            if notifications.failed(conn, row.id, mine, now, reason):
                self._tell_above(conn, row, reason, now)
            return False
        stands = notifications.get(conn, row.id)
        stopped = stands is None or stands.stop or self._stopping
        tried = all(answer.outcome is not None for answer in one.answers)
        if step.now and tried and not stopped and now < self._begin_before(row):
            return True
        due_at = now if step.now else step.next_at or now
        if step.now and not self._stopping:
            due_at += GIVEN_BACK
        notifications.retry_at(conn, row.id, mine, now, due_at, troubles(one.ways, known))
        return False

    def _tell_above(
        self, conn: Connection, row: NotificationRow, reason: str, now: datetime
    ) -> None:
        """The next level hears of it, unless only an end was missed."""
        self._metrics.undelivered.inc()
        told: tuple[str, ...] = ()
        if row.kind != "resolved":
            told = tell_next_level(conn, row, reason, now, partial(self._reachable, conn))
        whom = f"{row.recipient or row.route}: {reason}"
        if now - self._said.get(whom, now - 2 * SAY_AGAIN) > SAY_AGAIN:
            self._said = {key: at for key, at in self._said.items() if now - at <= SAY_AGAIN}
            self._said[whom] = now
            log.warning(
                "notification %d reached nobody (%s); told instead: %s",
                row.id,
                whom,
                ", ".join(told) or "nobody",
            )

    def _reachable(self, conn: Connection, officer: Officer) -> bool:
        return bool(ways_to(conn, officer, self._channels).ways)

    def _count(self, answers: Sequence[_Answer], tried: Sequence[Try]) -> None:
        rows = {one.delivery.row.id: one.delivery.row for one in answers}
        for name, worker in self._workers.items():
            self._metrics.notify_queue.labels(name).set(worker.waiting)
            self._metrics.notify_up.labels(name).set(worker.up)
        for new in tried:
            outcome = {"sent": "sent", "failed": "failed", "waiting": "retried"}[new.state]
            self._metrics.notifications.labels(new.channel, outcome).inc()
            if new.state == "sent":
                row = rows[new.notification_id]
                waited_s = max(0.0, (new.at - row.created_at).total_seconds())
                self._metrics.notify_s.labels(new.channel, str(int(row.severity))).observe(waited_s)
