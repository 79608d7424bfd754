"""Looks for who and what is missing, in a thread of its own; reads the registry anew on the way.

While we are deaf (no broker, or intake behind) nothing is judged: our silence is not theirs.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from contracts.clock import Clock
from gateway.alerts.absence import AbsenceState, Findings, Key, View, look
from gateway.alerts.evaluate import RuleBook
from gateway.alerts.gaps import look_for_gaps
from gateway.alerts.judge import carry_out
from gateway.alerts.outcomes import Raise
from gateway.alerts.rules import Rule
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.registry import Devices
from ledger import devices as ledger_devices
from ledger import missing, rule_state
from ledger.devices import DeviceKind
from ledger.engine import Connection, Engine, LedgerDown, reading, writing

log = logging.getLogger(__name__)

Judge = Callable[[Mapping[Key, AbsenceState]], Findings]


class Watch:
    """Judges absence every `every_s`, and gaps every `gaps_every_s`."""

    def __init__(
        self,
        engine: Engine,
        devices: Devices,
        book: RuleBook,
        *,
        every_s: float,
        gaps_every_s: float = 30.0,
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
        self._gaps_every = timedelta(seconds=gaps_every_s)
        self._gaps_at: datetime | None = None
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
        rules = (*self._book.offlines, *self._book.silences)
        found = self._settle(rules, lambda states: look(self._book, view, states), view.at)
        if self._gaps_at is None or view.at - self._gaps_at >= self._gaps_every:
            self.look_for_gaps(view)
            self._gaps_at = view.at
        return found

    def look_for_gaps(self, view: View) -> Findings:
        """Judge what does not arrive, and what is lost. Raises LedgerDown."""
        agents = [one for one in view.devices if one.kind is DeviceKind.AGENT]
        with reading(self._engine) as conn:
            lost = missing.lost(conn, agents) if self._book.losses else []
        return self._settle(
            (*self._book.waitings, *self._book.losses),
            lambda states: look_for_gaps(self._book, view.at, agents, lost, states),
            view.at,
        )

    def _settle(self, rules: Sequence[Rule], judge: Judge, at: datetime) -> Findings:
        """Judge by the states that `rules` remember; carry out and keep what has changed."""
        with reading(self._engine) as conn:
            found = judge(self._states(conn, rules))
        if not found.states:
            return found
        with writing(self._engine) as conn:
            # Again, now that nobody else can change these states.
            locked = rule_state.get(conn, found.states)
            states = self._states(conn, rules)
            found = judge(states | {key: _read(body) for key, body in locked.items()})
            # In the order in which everyone locks devices (`ledger.statuses`).
            for agent in sorted(found.unknown, key=lambda agent: agent.site):
                ledger_devices.set_site_unknown(conn, agent, "agent offline", at)
            carry_out(conn, found.outcomes, at)
            bodies = {key: msgspec.to_builtins(state) for key, state in found.states.items()}
            rule_state.put(conn, bodies, at)
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

    def _states(self, conn: Connection, rules: Sequence[Rule]) -> dict[Key, AbsenceState]:
        return {
            (rule.id, series): _read(body)
            for rule in rules
            for series, body in rule_state.series_of(conn, rule.id).items()
        }


def _read(body: Mapping[str, object]) -> AbsenceState:
    return msgspec.convert(body, AbsenceState)
