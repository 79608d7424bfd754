"""Delivers to webhooks: at least once, in order for each object, one process of several.

Of each webhook's part of the journal messages are made, in one transaction with its place there.
What waits is posted by a few threads, no webhook by two of them at a time, and marked afterwards:
whoever goes on after a crash in between posts it again, under the same id.
"""

import logging
import random
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from contracts.clock import Clock
from contracts.hook_url import BadTarget, parse_hook_url
from contracts.words import Severity
from gateway.health import Health
from gateway.lease import Lease
from gateway.looking import look_until
from gateway.metrics import Metrics
from gateway.webhooks.pauses import pause_after
from gateway.webhooks.post import Posted, post
from gateway.webhooks.settings import WebhookSettings
from gateway.webhooks.signing import signed_headers
from gateway.webhooks.words import PAUSED_BODY, PAUSED_TITLE
from ledger import audit, journal, notifications, officers, regions, webhook_deliveries, webhooks
from ledger.engine import Connection, Engine, LedgerDown, LedgerRefused, reading, writing
from ledger.hook_events import event_of, payload, wanted
from ledger.notifications import NewNotification
from ledger.webhook_deliveries import Delivery, NewDelivery, message_id
from ledger.webhooks import Webhook

log = logging.getLogger(__name__)

ROWS = 500
BATCH = 20
"""Messages that one thread posts before others have their turn."""
PURGE_EVERY = timedelta(hours=1)
ACTOR = "gateway"
GONE = 410

Post = Callable[[str, bytes, Mapping[str, str]], Posted]


class Deliverer:
    """Delivers from `run` to `stop`; `wake` makes it look at once."""

    def __init__(
        self,
        engine: Engine,
        settings: WebhookSettings,
        *,
        name: str,
        group: str,
        metrics: Metrics,
        health: Health,
        clock: Clock,
        tls: ssl.SSLContext | None = None,
        jitter: Callable[[], float] = random.random,
        send: Post | None = None,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._lease = Lease(engine, f"{group}.webhooks", name, clock)
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._jitter = jitter
        self._send = send or self._posted(tls)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._under_way: dict[str, Future[None]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._purge_at: datetime | None = None

    def wake(self) -> None:
        """There may be something new."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; what is being posted then is waited for."""
        if not self._settings.enabled:
            stop.wait()
            return
        look_until(
            stop,
            self.look_once,
            part="webhooks",
            wake=self._wake,
            poll_s=self._settings.poll_s,
            metrics=self._metrics,
            health=self._health,
        )
        self.end()

    def look_once(self) -> int:
        """Make messages of what is new and begin to post what is due; returns how many webhooks
        are being posted to. Raises LedgerDown.
        """
        self._stopping.clear()
        if not self._lease.hold():
            return 0
        now = self._clock()
        self._let_makers_go(now)
        with reading(self._engine) as conn:
            hooks = webhooks.active(conn)
        for hook in hooks:
            while self._fan_out(hook.id, now):
                pass
        for hook in hooks:
            if hook.next_at is None or hook.next_at <= now:
                self._begin(hook)
        self._purge(now)
        return len(self._under_way)

    def end(self) -> None:
        """Wait for what is being posted, and let another go on."""
        self._stopping.set()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        self._under_way.clear()
        self._lease.end()

    def settled(self) -> None:
        """Wait until nothing is being posted."""
        for future in list(self._under_way.values()):
            future.result()

    def _posted(self, tls: ssl.SSLContext | None) -> Post:
        settings = self._settings

        def send(url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
            return post(
                url,
                body,
                headers,
                timeout_s=settings.timeout_s,
                networks=settings.allow_networks,
                tls=tls,
            )

        return send

    def _let_makers_go(self, now: datetime) -> None:
        """A webhook whose maker may make none any more is told nothing."""
        with reading(self._engine) as conn:
            orphans = webhooks.with_maker_gone(conn)
        for webhook_id in orphans:
            with writing(self._engine) as conn:
                if webhooks.pause(conn, webhook_id, "maker", now):
                    _audit(conn, webhook_id, "maker", now)

    def _fan_out(self, webhook_id: str, now: datetime) -> bool:
        """Make messages of the next rows of the journal; True if there are more."""
        with reading(self._engine) as conn:
            hook = webhooks.get(conn, webhook_id)
            if hook is None or hook.state != "active":
                return False
            rows = journal.after(conn, hook.position, ROWS)
            room = self._settings.waiting_most - (
                webhook_deliveries.waiting(conn, webhook_id) if rows else 0
            )
            seen = _sight(conn, hook) if rows else frozenset()
        if not rows or room <= 0:
            return False
        new: list[NewDelivery] = []
        position = hook.position
        for row in rows:
            event = event_of(row.kind)
            if event is not None and row.region in seen and wanted(event, hook.events):
                if len(new) >= room:
                    break
                key = message_id(hook.id, row.id)
                new.append(NewDelivery(key, event, row.ref, payload(event, row)))
            position = row.id
        with writing(self._engine) as conn:
            webhook_deliveries.enqueue(conn, hook.id, new, now)
            webhooks.move_on(conn, hook.id, position)
        return len(rows) == ROWS and len(new) < room

    def _begin(self, hook: Webhook) -> None:
        under_way = self._under_way.get(hook.id)
        if under_way is not None:
            if not under_way.done():
                return
            del self._under_way[hook.id]
            under_way.result()  # a defect goes to the supervisor
        with reading(self._engine) as conn:
            found = webhook_deliveries.due(conn, hook.id, self._clock(), BATCH)
        if not found:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._settings.at_once, "webhook")
        self._under_way[hook.id] = self._pool.submit(self._deliver, hook, found)

    def _deliver(self, hook: Webhook, found: list[Delivery]) -> None:
        failures = hook.failures
        try:
            for one in found:
                if self._stopping.is_set() or not self._lease.hold() or not self._still(hook):
                    return
                posted = self._try(hook, one)
                if not self._settle(hook, one, posted, failures):
                    return
                failures = 0
        except LedgerDown as error:
            # Not marked: it is posted again, under the same id.
            self._health.trouble("webhooks", f"ledger: {error}")
        except LedgerRefused as error:
            log.error("webhook %s: how a message fared cannot be kept: %s", hook.id, error)
        finally:
            self._wake.set()

    def _still(self, hook: Webhook) -> bool:
        with reading(self._engine) as conn:
            now = webhooks.get(conn, hook.id)
        return now is not None and now.state == "active"

    def _try(self, hook: Webhook, one: Delivery) -> Posted:
        body = one.body.encode()
        headers = {"Content-Type": "application/json", "User-Agent": "FoodSentry-Webhooks/1"}
        now = self._clock()
        headers |= signed_headers(hook.secrets_at(now), one.message_id, now, body)
        posted = self._send(hook.url, body, headers)
        self._metrics.webhook_posts.labels("sent" if posted.ok else "failed").inc()
        return posted

    def _settle(self, hook: Webhook, one: Delivery, posted: Posted, failures: int) -> bool:
        """Mark how it went; True if the next may be posted."""
        now = self._clock()
        if posted.ok:
            with writing(self._engine) as conn:
                webhook_deliveries.settle(
                    conn, one, "sent", now, status=posted.status, answer=posted.said
                )
                if failures:
                    webhooks.note_try(conn, hook.id, failures=0, next_at=None)
            return True
        wait = pause_after(
            failures + 1 if posted.receiver_down else one.tries + 1,
            self._jitter(),
            posted.retry_after_s,
        )
        begun = one.first_try_at or now
        dead = now - begun >= timedelta(days=self._settings.dead_after_days)
        with writing(self._engine) as conn:
            webhook_deliveries.settle(
                conn,
                one,
                "dead" if dead else "waiting",
                now,
                status=posted.status,
                answer=posted.said,
                next_at=None if dead else now + wait,
            )
            if posted.receiver_down:
                webhooks.note_try(conn, hook.id, failures=failures + 1, next_at=now + wait)
            elif failures:
                webhooks.note_try(conn, hook.id, failures=0, next_at=None)
            if dead or posted.status == GONE:
                self._give_up(conn, hook, posted, now)
        return not posted.receiver_down and not dead and posted.status != GONE

    def _give_up(self, conn: Connection, hook: Webhook, posted: Posted, now: datetime) -> None:
        """Pause it and tell its maker, once."""
        reason: webhooks.Reason = "gone" if posted.status == GONE else "failing"
        if not webhooks.pause(conn, hook.id, reason, now):
            return
        _audit(conn, hook.id, reason, now)
        why = posted.said or str(posted.status)
        values = {
            "name": hook.name,
            "host": _host(hook.url),
            "days": self._settings.dead_after_days,
            "why": f"{posted.status} {why}" if posted.status else why,
        }
        notice = NewNotification(
            dedupe=f"webhook:{hook.id}:{now:%Y%m%d%H%M%S}",
            kind="notice",
            severity=Severity.GUIDANCE,
            recipient=hook.officer_id,
            title_zh=PAUSED_TITLE["zh"].format(**values),
            title_en=PAUSED_TITLE["en"].format(**values),
            body_zh=PAUSED_BODY["zh"].format(**values),
            body_en=PAUSED_BODY["en"].format(**values),
            region=hook.region,
        )
        notifications.enqueue(conn, [notice], now)

    def _purge(self, now: datetime) -> None:
        if self._purge_at is not None and now < self._purge_at:
            return
        self._purge_at = now + PURGE_EVERY
        with writing(self._engine) as conn:
            webhook_deliveries.purge(conn, now - timedelta(days=self._settings.keep_days))


def _sight(conn: Connection, hook: Webhook) -> frozenset[str]:
    """The regions that it is told of: its own, as far as its maker sees them."""
    maker = officers.get(conn, hook.officer_id)
    if maker is None:
        return frozenset()
    return frozenset(regions.subtree(conn, hook.region)) & frozenset(
        regions.subtree(conn, maker.region)
    )


def _audit(conn: Connection, webhook_id: str, reason: str, at: datetime) -> None:
    audit.append(conn, ACTOR, "webhook_paused", f"webhook/{webhook_id}", {"reason": reason}, at)


def _host(url: str) -> str:
    try:
        return parse_hook_url(url, ("0.0.0.0/0", "::/0")).authority
    except BadTarget:
        return "?"
