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
from functools import partial
from itertools import chain

from contracts.clock import Clock
from gateway.health import Health
from gateway.looking import look_until
from gateway.metrics import Metrics
from gateway.notify.channels.channel import Outcome, Retry
from gateway.notify.channels.opening import Opened
from gateway.notify.delivery import Way, first_sent
from gateway.notify.in_hand import Answer, Delivery
from gateway.notify.messages import alerts_of, message_for, ways_of
from gateway.notify.settings import NotifySettings
from gateway.notify.settling import Settling
from gateway.notify.workers import FULL, Job, Worker
from ledger import notification_tries, notifications
from ledger.engine import Engine, LedgerDown, LedgerRefused, reading, writing

log = logging.getLogger(__name__)

IN_HAND_MOST = 400
"""Rows that are taken and not settled yet: what bounds the sender's memory."""
TAKEN_AT_ONCE = 100
DRAIN_S = 8.0


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
        self._settling = Settling(channels, settings, name, metrics)
        self._in_hand: dict[int, Delivery] = {}
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._done: list[Delivery] = []
        self._late: list[Answer] = []
        """What came after its delivery was settled: the second of two ways, an old lease's."""
        self._wake = threading.Event()
        self._stopping = False
        self._workers: dict[str, Worker] = {}

    def wake(self) -> None:
        """There may be something due."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; what is being sent then is waited for, the rest is given back."""
        if not self._settings.enabled:
            stop.wait()
            return
        look_until(
            stop,
            self.look_once,
            part="notify",
            wake=self._wake,
            poll_s=self._settings.poll_s,
            metrics=self._metrics,
            health=self._health,
        )
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
            ways = ways_of(conn, rows, self._channels, self._routes)
            about = alerts_of(conn, rows)
        taken = [Delivery(*one) for one in zip(rows, ways, about, strict=True)]
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

    def _go_on(self, one: Delivery) -> None:
        """Send by the ways that are due; without any it is done with, for now."""
        now = self._clock()
        sent = first_sent(one.ways, one.known) is not None
        one.answers = []
        one.wave = () if sent else self._settling.step(one, one.known, now).now
        if not one.wave:
            self._done.append(one)
            return
        begin_before = self._settling.begin_before(one.row, now)
        for way in one.wave:
            opened = self._channels[way.channel]
            language = one.language or opened.language
            message = message_for(one.row, way, one.about, language, self._settings.console_url)
            answer = partial(self._answer, one, way)
            worker = self._workers[way.channel]
            if not worker.offer(Job(message, begin_before, answer)):
                answer(None if worker.alive(now) else Retry(FULL))

    def _answer(self, one: Delivery, way: Way, outcome: Outcome | None) -> None:
        """Called by the workers."""
        self._answers.put(Answer(one, way, outcome, self._clock()))
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

    def _settle_these(self, done: Sequence[Delivery], late: Sequence[Answer]) -> None:
        now, settling = self._clock(), self._settling
        tried = [settling.judged(one.answers) for one in done]
        afterwards = settling.judged(late)
        with writing(self._engine) as conn:
            notification_tries.put(conn, [*afterwards, *chain.from_iterable(tried)])
            goes_on = [
                settling.conclude(conn, one, new, now, stopping=self._stopping)
                for one, new in zip(done, tried, strict=True)
            ]
        settling.count(late, afterwards)
        for one, new, onward in zip(done, tried, goes_on, strict=True):
            settling.count(one.answers, new)
            one.known |= {way.contact: way for way in new}
            if onward:
                self._go_on(one)
            else:
                self._let_go(one.row.id)
        for name, worker in self._workers.items():
            self._metrics.notify_queue.labels(name).set(worker.waiting)
            self._metrics.notify_up.labels(name).set(worker.up)
