"""What the preview page knows: each camera's newest look. Writing to it takes no time."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from edge_agent.cameras.rule.looking import Look
from edge_agent.cameras.shadow.witness import Glance

RATE_OVER_S = 3.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A camera as the page shows it."""

    glance: Glance
    look: Look | None
    """The newest, maybe older than the glance: while nothing moves, none is needed."""
    frames_per_s: float
    looks_per_s: float


class Board:
    """A witness that keeps the newest of each camera; only references, no copies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: dict[str, Shown] = {}
        self._counted: dict[str, tuple[float, int, int, float, float]] = {}

    def saw(self, glance: Glance) -> None:
        """Take note."""
        with self._lock:
            before = self._shown.get(glance.device)
            look = glance.outcome.look if glance.outcome else None
            if look is None and before is not None:
                look = before.look
            self._shown[glance.device] = Shown(glance, look, *self._rates(glance))

    def figures(self, device: str) -> Mapping[str, float]:
        """Nothing for the status."""
        return {}

    def devices(self) -> list[str]:
        """The cameras that have been heard of, in order of their names."""
        with self._lock:
            return sorted(self._shown)

    def shown(self, device: str) -> Shown | None:
        """The newest of a camera."""
        with self._lock:
            return self._shown.get(device)

    def _rates(self, glance: Glance) -> tuple[float, float]:
        """Frames and looks a second, over the last whole stretch."""
        known = self._counted.get(glance.device)
        if known is None or glance.frames < known[1]:
            self._counted[glance.device] = (glance.at_s, glance.frames, glance.looks, 0.0, 0.0)
            return 0.0, 0.0
        at_s, frames, looks, *rates = known
        passed_s = glance.at_s - at_s
        if passed_s >= RATE_OVER_S:
            rates = [(glance.frames - frames) / passed_s, (glance.looks - looks) / passed_s]
            self._counted[glance.device] = (
                glance.at_s, glance.frames, glance.looks, rates[0], rates[1],
            )  # fmt: skip
        return rates[0], rates[1]
