"""Looks for who is missing, in a thread of its own, and reads the registry anew on the way.

While we are deaf (no broker, or intake behind) nothing is judged: our silence is not theirs.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from contracts.clock import Clock
from gateway.alerts.absence import AbsenceState, Findings, Key, View, look
from gateway.alerts.evaluate import RuleBook
from gateway.alerts.judge import carry_out
from gateway.alerts.outcomes import Raise
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.registry import Devices
from ledger import devices as ledger_devices
from ledger import rule_state
from ledger.engine import Connection, Engine, LedgerDown, reading, writing

log = logging.getLogger(__name__)


class Watch:
    """Judges absence every `every_s`."""

    def __init__(
        self,
        engine: Engine,
        devices: Devices,
        book: RuleBook,
        *,
        every_s: float,
        listening_since: Callable[[], datetime | None],
        on_alerts: Callable[[], None],
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._devices = devices
        self._book = book
        self._every_s = every_s
        self._listening_since = listening_since
        self._on_alerts = on_alerts
        self._metrics = metrics
        self._health = health
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`."""
        while not stop.wait(self._every_s):
            try:
                self.look_once()
            except LedgerDown as error:
                self._metrics.ledger_errors.inc()
                self._health.trouble("watch", f"ledger: {error}")
            else:
                self._health.well("watch")

    def look_once(self) -> Findings | None:
        """Judge once; None while we are deaf. Raises LedgerDown."""
        known = self._devices.refresh()
        listening_since = self._listening_since()
        if listening_since is None:
            return None
        view = View(self._clock(), listening_since, list(known.values()))
        with reading(self._engine) as conn:
            found = look(self._book, view, self._states(conn))
        if not found.states:
            return found
        with writing(self._engine) as conn:
            # Again, now that nobody else can change these states.
            locked = rule_state.get(conn, found.states)
            states = self._states(conn) | {key: _read(body) for key, body in locked.items()}
            found = look(self._book, view, states)
            for agent in found.unknown:
                ledger_devices.set_site_unknown(conn, agent, "agent offline", view.at)
            carry_out(conn, found.outcomes, view.at)
            bodies = {key: msgspec.to_builtins(state) for key, state in found.states.items()}
            rule_state.put(conn, bodies, view.at)
        self._tell(found)
        return found

    def _tell(self, found: Findings) -> None:
        if found.outcomes:
            self._on_alerts()
        for outcome in found.outcomes:
            change = "raised" if isinstance(outcome, Raise) else "resolved"
            rule = outcome.fingerprint.partition("|")[0]
            self._metrics.alerts.labels(rule, change).inc()
            log.info("%s %s", outcome.fingerprint, change)

    def _states(self, conn: Connection) -> dict[Key, AbsenceState]:
        rules = (*self._book.offlines, *self._book.silences)
        return {
            (rule.id, series): _read(body)
            for rule in rules
            for series, body in rule_state.series_of(conn, rule.id).items()
        }


def _read(body: Mapping[str, object]) -> AbsenceState:
    return msgspec.convert(body, AbsenceState)
