"""Freezes every indicator's number when a month is over, by one of several gateways.

In a thread of its own; a month that was missed while nobody ran is frozen as soon as somebody does.
Freezing again changes nothing.
"""

import logging
import threading
from pathlib import Path

from contracts.clock import Clock
from contracts.indicators import FOLDER
from contracts.settings import SettingsError
from gateway.health import Health
from gateway.lease import Lease
from gateway.looking import look_every
from gateway.metrics import Metrics
from gateway.settings import AlertSettings
from ledger import indicator_snapshots
from ledger.engine import Engine, reading, writing
from ledger.indicator_data import CALENDARS, TERMS, IndicatorData, read_data

log = logging.getLogger(__name__)

EVERY_S = 60.0
PART = "indicators"


class Freezing:
    """Works from `run` to `stop`; of several gateways, whoever holds the lease freezes."""

    def __init__(
        self,
        engine: Engine,
        data: IndicatorData,
        *,
        name: str,
        metrics: Metrics,
        health: Health,
        clock: Clock,
        every_s: float = EVERY_S,
    ) -> None:
        self._engine = engine
        self._data = data
        self._lease = Lease(engine, PART, name, clock)
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._every_s = every_s

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; the first look comes after a while."""
        look_every(
            stop,
            self.freeze_once,
            every_s=self._every_s,
            part=PART,
            metrics=self._metrics,
            health=self._health,
        )

    def freeze_once(self) -> int:
        """Freeze what is due; returns how many numbers. Raises LedgerDown."""
        now = self._clock()
        with reading(self._engine) as conn:
            due = indicator_snapshots.due(conn, now)
        made = 0
        if due and self._lease.hold():
            for period in due:
                with writing(self._engine) as conn:
                    count = indicator_snapshots.freeze(
                        conn, self._data.indicators, self._data.basis, period, now
                    )
                if count:
                    log.info("%s is frozen: %d numbers", period.name, count)
                made += count
            self._lease.give_back()
        self._health.well(PART)
        return made


def read_freezing(settings: AlertSettings, base: Path) -> IndicatorData:
    """Definitions, calendars and terms as the settings name them. Raises SettingsError."""
    folder = base / settings.indicators if settings.indicators else FOLDER
    calendars = base / settings.calendars if settings.calendars else CALENDARS
    terms = (base / settings.limits).parent / TERMS.name if settings.limits else TERMS
    if not calendars.exists():
        raise SettingsError(f"alerts.calendars: {calendars} does not exist")
    return read_data(folder, calendars, terms if terms.exists() else TERMS)
