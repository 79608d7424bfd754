"""The pipeline's thread: follows the journal and the clock, and decides who is told of what.

Every gateway runs one. Whoever finds something to do takes the turn (the cursor's row, locked for
one transaction), does it, and commits it together with the cursor: no lease has to run out when a
gateway dies, and two of them never do the same.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from contracts.clock import Clock
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.notify import timers
from gateway.notify.policy import Policy
from gateway.notify.step import Stepped, set_aside, step
from ledger import notify_groups
from ledger.engine import Engine, LedgerDown, LedgerRefused, reading, writing

log = logging.getLogger(__name__)

REST = 2
REST_MOST_S = 0.1
"""After a look that did something, unless there is more to do, a rest of so many times what it
took: alerts that come together are decided together, and intake and publisher have the ledger and
the processor for two thirds of the time. A look that finds nothing only reads, and is followed by
none: an alert by itself waits for nobody."""
ROWS = 250
"""Most rows of the journal of one step: an alert of class 1 waits for no more than one."""


class Pipeline:
    """Decides from `run` to `stop`; `wake` makes it look at once."""

    def __init__(
        self,
        engine: Engine,
        policy: Callable[[], Policy],
        *,
        group: str,
        on_queued: Callable[[], None],
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        """`policy` is asked before every step; another object than before is a new policy."""
        self._engine = engine
        self._ask = policy
        self._policy: Policy | None = None
        self._cursor = f"{group}.pipeline"
        self._on_queued = on_queued
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._wake = threading.Event()

    def wake(self) -> None:
        """There may be something new."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; what was committed by then is decided."""
        while True:
            self._wake.clear()
            stopping = stop.is_set()  # not before: a stop between the two would wait for poll_s
            more: bool | None = False
            begun = time.monotonic()
            try:
                more = self.look_once()
            except LedgerDown as error:
                self._metrics.ledger_errors.inc()
                self._health.trouble("pipeline", f"ledger: {error}")
            else:
                self._health.well("pipeline")
            if more:
                continue
            if stopping:
                return
            spent_s = time.monotonic() - begun
            if more is None or not stop.wait(min(REST * spent_s, REST_MOST_S)):
                self._wake.wait(self._ask().settings.poll_s)

    def look_once(self) -> bool | None:
        """Do what there is to do, in one step; True if there is more, None if there was nothing.

        Raises LedgerDown.
        """
        policy, now = self._ask(), self._clock()
        if policy is not self._policy:
            self._begin(policy, now)
        with reading(self._engine) as conn:
            news, timers_due = notify_groups.anything(conn, self._cursor, now)
        if not news and not timers_due:
            return None
        more = False
        if news:
            try:
                with writing(self._engine) as conn:
                    stepped = step(conn, policy, self._cursor, now, ROWS)
            except LedgerRefused:
                self._one_by_one(policy, now)
                return True
            if stepped is not None:
                self._tell(stepped)
                more = stepped.more
        if timers_due:
            with writing(self._engine) as conn:
                timed = timers.run_timers(conn, policy.settings, self._cursor, now)
            if timed:
                self._on_queued()
        return more

    def _one_by_one(self, policy: Policy, now: datetime) -> None:
        """The ledger refuses something of a step: it stands aside alone, and all else goes on."""
        for changes, groups in ((1, 0), (0, 1)):
            try:
                with writing(self._engine) as conn:
                    stepped = step(conn, policy, self._cursor, now, changes, groups)
            except LedgerRefused as error:
                with writing(self._engine) as conn:
                    which = set_aside(conn, self._cursor, now, change=bool(changes))
                log.error("nobody is told of %s, the ledger refuses it: %s", which, error)
                self._health.trouble("messages refused", f"{which}: {error}")
            else:
                if stepped is not None:
                    self._tell(stepped)

    def _begin(self, policy: Policy, now: datetime) -> None:
        """By a new policy everything is looked at again."""
        unknown = policy.routes.unknown()
        if unknown:
            log.warning("rules name routes that are not in the settings: %s", ", ".join(unknown))
        with writing(self._engine) as conn:
            if notify_groups.turn(conn, self._cursor) is None:
                return
            timers.reset(conn, policy.settings, now)
        with writing(self._engine) as conn:
            timers.run_timers(conn, policy.settings, self._cursor, now)
        self._policy = policy

    def _tell(self, stepped: Stepped) -> None:
        if stepped.queued:
            self._on_queued()
        self._metrics.decided.labels("queued").inc(stepped.queued)
        self._metrics.decided.labels("held").inc(stepped.held)
        now = self._clock()
        for at in stepped.alerts_at:
            self._metrics.alert_s.labels("notified").observe(max(0.0, (now - at).total_seconds()))
