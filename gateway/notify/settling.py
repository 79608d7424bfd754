"""Writes down how messages went: each way's outcome, the row's state, and who is told instead."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from gateway.metrics import Metrics
from gateway.notify.channels.opening import Opened
from gateway.notify.delivery import (
    Patience,
    Step,
    after,
    first_sent,
    next_step,
    troubles,
    width,
)
from gateway.notify.in_hand import Answer, Delivery
from gateway.notify.messages import ways_to
from gateway.notify.settings import NotifySettings
from gateway.notify.undelivered import tell_next_level
from ledger import notifications
from ledger.engine import Connection
from ledger.notification_tries import Try
from ledger.notifications import NotificationRow
from ledger.officers import Officer

log = logging.getLogger(__name__)

MARGIN_S = 5.0
"""What settling may take, before a lease ends."""
GIVEN_BACK = timedelta(seconds=1)
"""After what time a message comes again that found no room in its channel's queue."""
SAY_AGAIN = timedelta(hours=1)


class Settling:
    """What outcomes mean for rows of one sender; keeps nothing but what it has logged."""

    def __init__(
        self,
        channels: Mapping[str, Opened],
        settings: NotifySettings,
        name: str,
        metrics: Metrics,
    ) -> None:
        self._channels = channels
        self._at_once = settings.at_once
        self._patience = Patience(settings.retry_first_s, settings.retry_most_s)
        slowest_s = max((one.timeout_s for one in channels.values()), default=0.0)
        self._reserve = timedelta(seconds=slowest_s + MARGIN_S)
        self._name = name
        self._metrics = metrics
        self._said: dict[str, datetime] = {}

    def step(self, one: Delivery, known: Mapping[str, Try], now: datetime) -> Step:
        """What follows for it, by what is known."""
        wide = width(one.row.severity, one.row.kind, self._at_once)
        return next_step(one.ways, known, wide, now)

    def begin_before(self, row: NotificationRow, now: datetime) -> datetime:
        """The last moment at which a slow channel is still done before the lease ends."""
        return (row.lease_until or now) - self._reserve

    def judged(self, answers: Sequence[Answer]) -> list[Try]:
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

    def conclude(
        self,
        conn: Connection,
        one: Delivery,
        tried: Sequence[Try],
        now: datetime,
        *,
        stopping: bool,
    ) -> bool:
        """Bring the row to where it stands now; True if it goes on at once under the same lease.

        `tried`: what its answers meant, which is written down.
        """
        known = one.known | {new.contact: new for new in tried}
        row, told = one.row, troubles(one.ways, known)
        way = first_sent(one.ways, known)
        if way is not None:
            sent_at = known[way.contact].at
            if not notifications.sent(conn, row.id, self._name, sent_at, way.channel, told):
                log.warning("notification %d was sent, but is not ours any more", row.id)
            return False
        step = self.step(one, known, now)
        if step.over:
            reason = told or one.reason or "no way is left"
            if notifications.failed(conn, row.id, self._name, now, reason):
                self._tell_above(conn, row, reason, now)
            return False
        stands = notifications.get(conn, row.id)
        over = stopping or stands is None or bool(stands.stop)
        had_room = all(answer.outcome is not None for answer in one.answers)
        if step.now and had_room and not over and now < self.begin_before(row, now):
            return True
        due_at = now if step.now else step.next_at or now
        if step.now and not stopping:
            due_at += GIVEN_BACK
        notifications.retry_at(conn, row.id, self._name, now, due_at, told)
        return False

    def count(self, answers: Sequence[Answer], tried: Sequence[Try]) -> None:
        """Tell the figures."""
        rows = {one.delivery.row.id: one.delivery.row for one in answers}
        for new in tried:
            outcome = {"sent": "sent", "failed": "failed", "waiting": "retried"}[new.state]
            self._metrics.notifications.labels(new.channel, outcome).inc()
            if new.state == "sent":
                row = rows[new.notification_id]
                waited_s = max(0.0, (new.at - row.created_at).total_seconds())
                self._metrics.notify_s.labels(new.channel, str(int(row.severity))).observe(waited_s)

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
        return bool(ways_to(conn, [officer], self._channels)[officer.id].ways)
