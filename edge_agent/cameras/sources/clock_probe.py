"""Asks a camera for its clock now and then, in its own thread: a hanging one stalls nothing."""

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

ClockProbe = Callable[[], float]
"""Seconds that the camera's clock is ahead. Blocks; raises what it likes without an answer."""

RETRY_S = 60.0


class Prober:
    """Probes every `every_s` seconds; the newest answer waits to be taken."""

    def __init__(self, device: str, probe: ClockProbe, every_s: float) -> None:
        self._device, self._probe, self._every_s = device, probe, every_s
        self.failures = 0
        """So many probes have brought no answer."""
        self.trouble = ""
        """Why the last one brought none; empty if it did, and before it."""
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._offset_s: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"clock-{device}", daemon=True)

    def start(self) -> None:
        """Begin to probe, at once."""
        self._thread.start()

    def take(self) -> float | None:
        """The answer that came since the last call, if one did."""
        with self._lock:
            offset_s, self._offset_s = self._offset_s, None
            return offset_s

    def figures(self) -> dict[str, float]:
        """Numbers for the camera's status."""
        return {"clock_probes_failed": float(self.failures)}

    def close(self) -> None:
        """Stop probing. A probe that hangs is left to its own time limit."""
        self._stop.set()
        self._thread.join(0.2)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                offset_s = self._probe()
            except Exception as error:  # noqa: BLE001  # supervised: a dead thread would be silent
                if not self.trouble:
                    _log.warning("camera %s: its clock is not told: %s", self._device, error)
                self.failures += 1
                self.trouble = str(error) or type(error).__name__
                self._stop.wait(min(RETRY_S, self._every_s))
                continue
            self.trouble = ""
            with self._lock:
                self._offset_s = offset_s
            self._stop.wait(self._every_s)
