"""Is the camera's clock right? What it writes into its pictures is evidence only if it is."""

from dataclasses import dataclass, field

from edge_agent.cameras.honesty.latch import Latch, Sign
from edge_agent.cameras.honesty.sights import Sight, Turn

PROBES_TO_DEGRADE = 2
"""In a row beyond the limit; one alone may be a slow answer."""
_BACK = 0.5
"""The clock is right again at this share of the limit: one on the limit does not flicker."""


@dataclass(slots=True)
class ClockWatch:
    """Judges the offsets of a camera's clock."""

    limit_s: float
    """0 switches the check off."""
    offset_s: float | None = field(default=None, init=False)
    """Camera minus edge, as last probed."""
    _latch: Latch = field(default_factory=lambda: Latch(Sight.CLOCK_WRONG), init=False)
    _wrong: int = field(default=0, init=False)
    _since_s: float = field(default=0.0, init=False)

    @property
    def is_wrong(self) -> bool:
        """True while the clock counts as wrong."""
        return self._latch.holds

    def probed(self, offset_s: float, at_s: float) -> Turn | None:
        """Take in that the camera's clock is `offset_s` seconds ahead (negative: behind)."""
        self.offset_s = offset_s
        if self.limit_s <= 0:
            return None
        if abs(offset_s) <= self.limit_s:
            self._wrong = 0
            if abs(offset_s) <= _BACK * self.limit_s:
                return self._latch.take(Sign(False, at_s))
            return None
        if self._wrong == 0:
            self._since_s = at_s
        self._wrong += 1
        if self._wrong < PROBES_TO_DEGRADE:
            return None
        return self._latch.take(Sign(True, self._since_s, offset_s))
