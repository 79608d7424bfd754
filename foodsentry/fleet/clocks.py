"""How a site's clock is wrong: off by a constant, jumping, or fallen back to its first day."""

import random

import msgspec

_HOUR = 3600.0


class ClockError(msgspec.Struct, frozen=True):
    """Seconds that a clock is ahead of the true time, before and after a jump."""

    kind: str = ""
    """Empty for a clock that is right."""
    before_s: float = 0.0
    after_s: float = 0.0
    jumps_at: float = 0.5
    """Where in the hour, 0 to 1."""

    def at(self, share: float) -> float:
        """Seconds ahead at a place of the hour."""
        return self.before_s if share < self.jumps_at else self.after_s


def clock_error(chance: random.Random) -> ClockError:
    """One of the errors that boxes in the field have."""
    fast = chance.uniform(90, 900)
    return chance.choice(
        (
            ClockError("clock_fast", fast, fast),
            ClockError("clock_slow", -2 * _HOUR, -2 * _HOUR),
            # Fast first: a jump back would measure some moments twice, and one would be lost.
            ClockError("clock_jumped_ahead", 0.0, 5 * _HOUR, chance.uniform(0.3, 0.7)),
            ClockError("clock_jumped_back", 5 * _HOUR, -3 * _HOUR, chance.uniform(0.3, 0.7)),
            ClockError("clock_reset", -20 * 365 * 24 * _HOUR, -20 * 365 * 24 * _HOUR),
        )
    )
