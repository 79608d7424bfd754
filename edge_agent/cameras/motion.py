"""The motion gate: is a frame worth a look? Compares it with the last one that was looked at."""

from dataclasses import dataclass, field

import numpy as np

from edge_agent.cameras.pictures import Grey

GREY_STEP = 14
"""A pixel has changed if its grey level differs by more (noise and compression stay below)."""

CHANGED_SHARE = 0.002
"""Of the 320x180 pixels: about 115, a head of 11x11."""


def changed_share(before: Grey, after: Grey) -> float:
    """Share of the pixels that changed."""
    steps = np.maximum(before, after) - np.minimum(before, after)
    return float(np.count_nonzero(steps > GREY_STEP)) / steps.size


@dataclass(slots=True)
class MotionGate:
    """Opens for frames that moved, for a while after them, and now and then anyway."""

    looks_per_s: float
    look_every_s: float
    linger_s: float = 3.0
    """So long after the last motion, or somebody in view, a still room is looked at oftener."""
    settled_every_s: float = 0.6
    """So often meanwhile: a frame like the last one that showed nobody tells little new."""

    _last: Grey | None = field(default=None, init=False)
    _looked_s: float = field(default=float("-inf"), init=False)
    _stirred_s: float = field(default=float("-inf"), init=False)

    def quiet(self, at_s: float) -> bool:
        """True if nothing has moved, and nobody was in view, for a while."""
        return at_s - self._stirred_s > self.linger_s

    def opens(self, small: Grey, seen_s: float, somebody: bool) -> bool:
        """True if the frame of 320x180 grey levels should be analysed now."""
        # A tenth of leeway: frames come on a grid of their own.
        if seen_s - self._looked_s < 0.9 / self.looks_per_s:
            return False
        moved = self._last is None or changed_share(self._last, small) >= CHANGED_SHARE
        if moved or somebody:
            self._stirred_s = seen_s
        elif seen_s - self._looked_s < self._pause_s(seen_s):
            return False
        self._last, self._looked_s = small, seen_s
        return True

    def _pause_s(self, seen_s: float) -> float:
        """Between looks at a still room in which nobody is followed."""
        if self.quiet(seen_s):
            return self.look_every_s
        return 0.9 * min(self.settled_every_s, self.look_every_s)
