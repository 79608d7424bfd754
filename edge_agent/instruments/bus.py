"""The worker of one serial line: opens it, lets its units speak in turn, opens it again."""

import logging
import threading
import time
from collections.abc import Sequence

from contracts.clock import Clock
from edge_agent.instruments.port import Line, PortError, open_line
from edge_agent.instruments.unit import Unit

logger = logging.getLogger(__name__)

BACK_OFF_FIRST_S = 0.5
BACK_OFF_LAST_S = 30.0
TICK_S = 0.2


class Bus:
    """One port with one or several units. Only one exchange is under way at a time, so a dead unit
    costs the others no more than its own reply time-out."""

    def __init__(self, port: str, units: Sequence[Unit], clock: Clock) -> None:
        self._port = port
        self._units = units
        self._clock = clock

    @property
    def name(self) -> str:
        """Device ids of the units."""
        return "+".join(unit.who.device for unit in self._units)

    def run(self, stop: threading.Event) -> None:
        """Serve the line until `stop`. Raises what the sink raises."""
        try:
            for unit in self._units:
                unit.start()
            self._keep_open(stop)
        finally:
            for unit in self._units:
                unit.stop()

    def _keep_open(self, stop: threading.Event) -> None:
        back_off_s = BACK_OFF_FIRST_S
        while not stop.is_set():
            opened_at = time.monotonic()
            reason = self._session(stop)
            if stop.is_set():
                return
            now = time.monotonic()
            if now - opened_at > 5.0:
                back_off_s = BACK_OFF_FIRST_S
            for unit in self._units:
                unit.state.lost(f"unplugged: {reason}")
                unit.tick(now)
            until = now + back_off_s
            while not stop.is_set() and time.monotonic() < until:
                stop.wait(min(TICK_S, back_off_s))
                for unit in self._units:
                    unit.tick(time.monotonic())
            back_off_s = min(back_off_s * 2, BACK_OFF_LAST_S)

    def _session(self, stop: threading.Event) -> str:
        """Open and serve; returns why the line was lost."""
        first = self._units[0]
        try:
            line = open_line(self._port, first.profile.spec.link, first.settings.baud)
        except PortError as error:
            return str(error)
        logger.info("%s: %s is open", self.name, line.name)
        try:
            self._serve(line, stop)
        except PortError as error:
            logger.warning("%s: %s", self.name, error)
            return str(error)
        finally:
            line.close()
        return "stopped"

    def _serve(self, line: Line, stop: threading.Event) -> None:
        now = time.monotonic()
        for unit in self._units:
            unit.state.opened()
            unit.do(unit.host.open(now), line, now, self._clock())
        active = self._units[0]
        while not stop.is_set():
            now = time.monotonic()
            if not active.host.busy:
                active = min(self._units, key=lambda unit: unit.host.due())
            due = active.host.due()
            if due <= now:
                line.configure(active.profile.spec.link, active.settings.baud)
                active.do(active.host.wake(now, self._clock()), line, now, self._clock())
                due = active.host.due()
            content = line.read(min(TICK_S, due - now))
            if content:
                at = self._clock()
                now = time.monotonic()
                active.do(active.host.receive(content, now, at), line, now, at)
            for unit in self._units:
                unit.tick(now)
