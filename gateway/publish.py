"""Keeps every open alert's state retained on MQTT, and clears it when the alert is closed.

It follows the ledger's journal from a cursor that moves only after the broker has acknowledged: a
crash between commit and publication publishes again, and the same state again is harmless. What is
published is the alert as it stands, not as the journal's row saw it. Of several gateways one
publishes, under a lease in the ledger that another takes over when it runs out.
"""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.clock import Clock
from contracts.envelope import encode
from contracts.events import Alert
from contracts.topics import Identity, alert_topic
from contracts.words import OPEN_STATES, AlertState
from gateway.alerts.wording import cut
from gateway.broker import Broker, Outbound
from gateway.health import Health
from gateway.lease import Lease
from gateway.metrics import Metrics
from ledger import alerts, cursors, evidence, journal
from ledger.alerts import AlertRow
from ledger.engine import Connection, Engine, LedgerDown, reading, writing

log = logging.getLogger(__name__)

TICK_S = 0.2
PUBLISH_LIMIT_S = 5.0
ROWS = 500
KEEP_EVERY = timedelta(seconds=10)
"""The cursor is kept at most so often: under load its transaction waits for intake's, and the next
alert behind it. What is published again after a crash is the same state once more."""


class Publisher:
    """Publishes from `run` to `stop`; `wake` makes it look at once."""

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        *,
        name: str,
        group: str,
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._broker = broker
        self._cursor_name = f"{group}.alerts"
        self._lease = Lease(engine, f"{group}.publisher", name, clock)
        self._held = False
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._wake = threading.Event()
        self._cursor: int | None = None
        self._kept = 0
        self._unkept = False
        """Whether alerts were published since the cursor was kept."""
        self._keep_at: datetime | None = None
        self._session: int | None = None

    def wake(self) -> None:
        """There may be something new."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; what was committed by then is published, if the broker answers."""
        while True:
            stopping = stop.is_set()
            self._wake.clear()
            try:
                more = self.publish_once()
            except LedgerDown as error:
                more = False
                self._metrics.ledger_errors.inc()
                self._health.trouble("publisher", f"ledger: {error}")
            if stopping:
                break
            if not more:
                self._wake.wait(TICK_S)
        self._lease.end(self._keep_last)

    def publish_once(self) -> bool:
        """One look at the journal; True if there is more to do now. Raises LedgerDown."""
        if self._broker.trouble:
            return False
        if not self._hold_lease():
            self._health.well("publisher")  # another publishes: what we could not is not ours now
            return False
        if self._session != self._broker.new_sessions:
            session = self._broker.new_sessions
            if not self._publish_open():
                return False
            self._session = session
        with reading(self._engine) as conn:
            if self._cursor is None:
                self._cursor = self._kept = cursors.get(conn, self._cursor_name)
            rows = journal.after(conn, self._cursor, ROWS)
            changed = {row.ref: row.at for row in rows if _changes_state(row.kind)}
            messages = _messages(conn, list(changed))
        if messages and not self._publish(messages):
            return False
        if rows:
            self._cursor = rows[-1].id
        now = self._clock()
        self._unkept = self._unkept or bool(messages)
        far = (self._cursor or 0) - self._kept >= ROWS
        if far or (self._unkept and (self._keep_at is None or now >= self._keep_at)):
            self._keep_cursor()
            self._unkept, self._keep_at = False, now + KEEP_EVERY
        for at in changed.values():
            self._metrics.alert_s.labels("published").observe(max(0.0, (now - at).total_seconds()))
        self._health.well("publisher")
        return len(rows) == ROWS

    def _publish_open(self) -> bool:
        """A broker that has lost its memory gets every open alert again."""
        before: str | None = None
        while True:
            with reading(self._engine) as conn:
                page = alerts.list_in(conn, None, OPEN_STATES, ROWS, before)
                messages = [_message(conn, row) for row in page]
            if not page:
                return True
            if not self._publish(messages):
                return False
            before = page[-1].alert_id

    def _publish(self, messages: list[Outbound]) -> bool:
        """Whether the broker has them; said in /healthz if not."""
        taken = self._broker.publish_and_wait(messages, PUBLISH_LIMIT_S)
        if not taken:
            self._health.trouble("publisher", "the broker does not take alerts")
        return taken

    def _keep_cursor(self) -> None:
        position = self._cursor or 0
        with writing(self._engine) as conn:
            cursors.set(conn, self._cursor_name, position)
        self._kept = position

    def _hold_lease(self) -> bool:
        """Whether it is ours to publish. Raises LedgerDown."""
        held = self._lease.hold()
        if not held or not self._held:
            self._cursor = None  # another may have moved it on
        self._held = held
        return held

    def _keep_last(self, conn: Connection) -> None:
        if self._cursor:
            cursors.set(conn, self._cursor_name, self._cursor)


def _changes_state(kind: str) -> bool:
    return kind.startswith("alert.") and kind != journal.ALERT_DUE


def _messages(conn: Connection, alert_ids: Sequence[str]) -> list[Outbound]:
    rows = (alerts.get(conn, alert_id) for alert_id in alert_ids)
    return [_message(conn, row) for row in rows if row is not None]


def _message(conn: Connection, row: AlertRow) -> Outbound:
    """An alert's retained state; an empty payload, which clears it, once it is closed."""
    topic = alert_topic(row.region, row.site, row.alert_id)
    if row.state is AlertState.CLOSED:
        return Outbound(topic, b"", retain=True)
    pictures = list(row.evidence)
    if row.observation_id:
        found = evidence.for_observation(conn, row.observation_id, row.site)
        pictures += [one.evidence_id for one in found if one.evidence_id not in pictures]
    state = Alert(
        alert_id=row.alert_id,
        rule=row.rule,
        rule_version=row.rule_version,
        severity=row.severity,
        state=row.state,
        title_zh=row.title_zh,
        title_en=row.title_en,
        region=row.region,
        site=row.site,
        device=row.device,
        raised_at=row.raised_at,
        changed_at=row.changed_at,
        summary=cut(row.summary_zh),
        acknowledged_by=row.acknowledged_by or "",
        evidence=tuple(pictures),
    )
    who = Identity(row.region, row.site, row.device)
    event_id = f"{row.alert_id}-{row.state}-{row.count}"
    return Outbound(
        topic, encode("alerts", who, state, event_id=event_id, at=row.changed_at), retain=True
    )
