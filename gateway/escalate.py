"""Keeps the deadlines of alerts: looks after them every few seconds, in a thread of its own."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from contracts.clock import Clock
from contracts.settings import SettingsError
from contracts.workdays import Calendar
from gateway.deadlines.keeper import Keeper, Kept
from gateway.deadlines.policy import read_policies
from gateway.health import Health
from gateway.looking import look_every
from gateway.metrics import Metrics
from gateway.settings import AlertSettings
from ledger.engine import Engine

log = logging.getLogger(__name__)

CONFIGS = Path(__file__).resolve().parents[1] / "firmware_configs"
PART = "deadlines"
REST = 2
"""After each transaction a rest of so many times what it took: clocks run for minutes, alerts for
none."""


class Escalation:
    """Works from `run` to `stop`.

    Several gateways may do this at once: whoever locks an alert first winds its clock.
    """

    def __init__(
        self,
        keeper: Keeper,
        *,
        every_s: float,
        on_alerts: Callable[[], None],
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        self._keeper = keeper
        self._every_s = every_s
        self._on_alerts = on_alerts
        self._metrics = metrics
        self._health = health
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`."""
        look_every(
            stop,
            lambda: self.look_once(lambda spent_s: stop.wait(REST * spent_s)).more,
            every_s=self._every_s,
            part=PART,
            metrics=self._metrics,
            health=self._health,
        )

    def look_once(self, rest: Callable[[float], object] = lambda _: None) -> Kept:
        """Look after every deadline once; `rest` follows each transaction. Raises LedgerDown."""
        kept = self._keeper.look(self._clock(), rest)
        for alert_id, miss in kept.missed:
            self._metrics.missed.labels(miss.kind.value, str(miss.level)).inc()
            log.info("alert %s: %s missed, level %d", alert_id, miss.kind, miss.level)
        for card in kept.cards:
            self._metrics.cards.labels(card.colour.value).inc()
            log.info("%s card for %s", card.colour, card.establishment_id)
        if kept.missed:
            self._on_alerts()
        if not kept.stuck:
            self._health.well(PART)
        elif self._health.trouble(PART, "; ".join(kept.stuck)):
            log.error("some alerts have no deadline: %s", "; ".join(kept.stuck))
        return kept


def read_keeper(settings: AlertSettings, base: Path, engine: Engine) -> Keeper:
    """A keeper by policies and calendars as the settings name them. Raises SettingsError."""
    policies = base / settings.escalation if settings.escalation else CONFIGS / "escalation"
    calendars = base / settings.calendars if settings.calendars else CONFIGS / "calendars"
    if not calendars.exists():
        raise SettingsError(f"alerts.calendars: {calendars} does not exist")
    return Keeper(engine, read_policies(policies), Calendar.read(calendars))
