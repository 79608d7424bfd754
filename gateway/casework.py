"""Books for cases what time alone brings, and has people told of what waits for them or is due.

In a thread of its own, every few seconds. The public page goes by a publication's
own last moment, and a deadline is late at its own, whether or not anybody has booked it.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from contracts.casework_clocks import Casework
from contracts.casework_file import FOLDER, read_casework
from contracts.clock import Clock
from contracts.settings import SettingsError
from contracts.workdays import Calendar
from gateway import case_messages
from gateway.health import Health
from gateway.looking import look_every
from gateway.metrics import Metrics
from gateway.notify.pipeline_settings import PipelineSettings
from gateway.settings import AlertSettings
from ledger import case_tellings, cases, cursors
from ledger.engine import Engine, reading, writing

log = logging.getLogger(__name__)

EVERY_S = 15.0
"""What happens to cases in the meantime is told together."""
AT_ONCE = 50
"""Cases in one transaction."""
PART = "casework"


class CaseBooking:
    """Works from `run` to `stop`; of several gateways, whoever locks a case books it, once."""

    def __init__(
        self,
        engine: Engine,
        work: Casework,
        *,
        metrics: Metrics,
        health: Health,
        clock: Clock,
        group: str = "",
        settings: Callable[[], PipelineSettings] = PipelineSettings,
        on_queued: Callable[[], None] = lambda: None,
        every_s: float = EVERY_S,
    ) -> None:
        """`settings` are asked before each look; `group` names the place in the journal."""
        self._engine = engine
        self._work = work
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._group = group
        self._settings = settings
        self._on_queued = on_queued
        self._every_s = every_s

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`."""
        look_every(
            stop,
            self._look_once,
            every_s=self._every_s,
            part=PART,
            metrics=self._metrics,
            health=self._health,
            at_once=True,
        )

    def _look_once(self) -> bool:
        booked = self.book_once()
        return self.tell_once() or booked

    def book_once(self) -> bool:
        """Book what is over by now; True if there may be more. Raises LedgerDown."""
        now = self._clock()
        with reading(self._engine) as conn:
            unknown = cases.unknown_count(conn)
            waiting = unknown or cases.waiting_to_expire(conn, now, 1)
        if not waiting:
            self._health.well(PART)
            return False
        with writing(self._engine) as conn:
            over = cases.expire_due(conn, self._work, now, AT_ONCE)
            told = cases.rewind_unknown(conn, self._work, now, AT_ONCE)
            unknown = cases.unknown_count(conn)
        for case_id in over:
            log.info("case %s: its publication is over", case_id)
        if unknown:
            self._health.trouble(
                PART, f"{unknown} cases have a deadline beyond the last working calendar"
            )
        else:
            self._health.well(PART)
        return bool(told) or len(over) == AT_ONCE

    def tell_once(self) -> bool:
        """Have people told of what is new and due by now; True if there may be more.

        Raises LedgerDown.
        """
        now = self._clock()
        with reading(self._engine) as conn:
            position = cursors.get(conn, f"{self._group}.{case_messages.CURSOR}")
            if not case_tellings.anything(conn, position, now):
                return False
        with writing(self._engine) as conn:
            found = case_messages.look(conn, self._work, self._settings(), self._group, now)
        if found is None:
            return False
        made, more = found
        if made:
            self._on_queued()
        return more


def read_work(settings: AlertSettings, base: Path) -> Casework:
    """Casework's data and calendars as the settings name them. Raises SettingsError."""
    casework = base / settings.casework if settings.casework else FOLDER
    calendars = base / settings.calendars if settings.calendars else FOLDER.parent / "calendars"
    for key, path in (("casework", casework), ("calendars", calendars)):
        if not path.exists():
            raise SettingsError(f"alerts.{key}: {path} does not exist")
    return Casework(read_casework(casework), Calendar.read(calendars))
