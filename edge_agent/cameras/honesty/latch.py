"""A state that stands beside others: begins when proven, is held while nobody can tell."""

from dataclasses import dataclass, field

from edge_agent.cameras.honesty.sights import Sight, Turn


@dataclass(frozen=True, slots=True)
class Sign:
    """What a part of the watch says of its state."""

    holds: bool | None
    """None: it cannot be told now."""
    since_s: float
    figure: float = 0.0
    """See `Turn.figure`."""


@dataclass(slots=True)
class Latch:
    """Whether `sight` holds; a state that cannot be told stays what it was."""

    sight: Sight
    holds: bool = field(default=False, init=False)

    def take(self, sign: Sign) -> Turn | None:
        """Take in a sign; returns the change, if there is one."""
        if sign.holds is None or sign.holds is self.holds:
            return None
        self.holds = sign.holds
        if self.holds:
            return Turn(Sight.LIVE, self.sight, sign.since_s, sign.figure)
        return Turn(self.sight, Sight.LIVE, sign.since_s)


@dataclass(slots=True)
class Streak:
    """Makes a sign of rare checks: it holds after several in a row, and no more after one."""

    patience_s: float
    holds: bool = field(default=False, init=False)
    _since_s: float | None = field(default=None, init=False)
    _checks: int = field(default=0, init=False)

    def take(self, said: bool | None, at_s: float, figure: float = 0.0) -> Sign:
        """Take in a check; None: it could not tell. What is not proven yet must begin anew then."""
        if said is None:
            if not self.holds:
                self._since_s = None
            return Sign(None, at_s)
        if not said:
            self._since_s, self.holds = None, False
            return Sign(False, at_s)
        if self._since_s is None:
            self._since_s, self._checks = at_s, 0
        self._checks += 1
        if self._checks >= LEAST_CHECKS and at_s - self._since_s >= self.patience_s:
            self.holds = True
        return Sign(True if self.holds else None, self._since_s, figure)


LEAST_CHECKS = 3
