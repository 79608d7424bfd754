"""What a camera's picture is worth, one word at a time. Slow to degrade, quick to recover.

Frozen: a real picture is never twice the same to the last bit, because of the sensor's noise.
"""

from dataclasses import dataclass, field

from edge_agent.cameras.honesty.sights import Sight, Turn
from edge_agent.cameras.settings import HonestySettings


@dataclass(slots=True)
class Seeing:
    """Judges a camera's picture over time. Starts as LIVE, with the clock at `started_s`."""

    settings: HonestySettings
    started_s: float
    sight: Sight = field(default=Sight.LIVE, init=False)
    is_new: bool = field(default=False, init=False)
    """True if the newest frame differs from the one before: a repeated one must not vote again."""
    _seen_s: float = field(init=False)
    _fingerprint: int | None = field(default=None, init=False)
    _changed_s: float = field(init=False)
    _doubt: Sight = field(default=Sight.LIVE, init=False)
    _doubt_s: float = field(init=False)
    _good_s: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._seen_s = self._changed_s = self._doubt_s = self.started_s

    def frame(
        self, said: Sight, fingerprint: int, at_s: float, proven_since_s: float | None = None
    ) -> Turn | None:
        """Take in what is said of a frame; returns the change, if there is one.

        `proven_since_s`: it is said of more than this frame, and needs no more patience.
        """
        self._seen_s = at_s
        self.is_new = fingerprint != self._fingerprint
        if self.is_new:
            self._fingerprint, self._changed_s = fingerprint, at_s
        if said is Sight.LIVE and at_s - self._changed_s >= self.settings.frozen_after_s:
            said, proven_since_s = Sight.FROZEN, self._changed_s
        if said is not self._doubt:
            self._doubt, self._doubt_s = said, at_s
        if said is Sight.LIVE:
            return self._frame_is_good(at_s)
        self._good_s = None
        if said is self.sight:
            return None
        if proven_since_s is not None:
            return self._turn(said, proven_since_s)
        if at_s - self._doubt_s >= self.settings.degrade_after_s:
            return self._turn(said, self._doubt_s)
        return None

    def idle(self, at_s: float) -> Turn | None:
        """No frame has come up to now; returns the change, if there is one."""
        silent_s = at_s - self._seen_s
        if self.sight is not Sight.OFFLINE and silent_s >= self.settings.offline_after_s:
            self._good_s = None
            return self._turn(Sight.OFFLINE, self._seen_s)
        return None

    def _frame_is_good(self, at_s: float) -> Turn | None:
        if self.sight is Sight.LIVE or not self.is_new:  # the same again proves nothing
            return None
        if self._good_s is None:
            self._good_s = at_s
        if at_s - self._good_s >= self.settings.recover_after_s:
            return self._turn(Sight.LIVE, self._good_s)
        return None

    def _turn(self, now: Sight, since_s: float) -> Turn:
        turn = Turn(self.sight, now, since_s)
        self.sight = now
        return turn
