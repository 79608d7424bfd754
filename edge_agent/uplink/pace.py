"""How many readings and pictures may wait for receipts at once: as the city keeps up with.

What the broker holds stands in front of a fresh alarm, ours and everybody's. So the number grows
while receipts come promptly, halves when they come late, and is given free when none come at all:
then it is not the pace that is wrong, and fresh readings must go on to be judged.
"""

from collections.abc import Iterable

FIRST = 100
LEAST = 50
PROMPT_S = 1.0
"""A receipt within this long after the sending says that the city keeps up."""
LATE_S = 2.0
SILENT_S = 60.0
"""Without any receipt for this long (longer than any queue), the limit grows to its bound within
another minute."""


class Pace:
    """Times are seconds of a monotonic clock, given by the caller. Not thread-safe."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._limit = float(min(FIRST, bound))
        self._heard_at = float("-inf")
        self._looked_at: float | None = None
        self._narrowed_at = float("-inf")

    @property
    def limit(self) -> int:
        """How many may be unreceipted now."""
        return int(self._limit)

    def receipted(self, delays_s: Iterable[float], now: float) -> None:
        """Receipts came for events sent so long ago (those that were sent once only)."""
        delays = list(delays_s)
        self._heard_at = now
        if not delays:
            return
        longest = max(delays)
        if longest <= PROMPT_S:
            self._limit = min(self._bound, self._limit + len(delays))
        elif longest > LATE_S and now - self._narrowed_at > longest:
            self._limit = max(min(LEAST, self._bound), self._limit / 2)
            self._narrowed_at = now

    def look(self, now: float) -> None:
        """Time passes."""
        if self._looked_at is None:
            self._heard_at = max(self._heard_at, now)
        elif now - self._heard_at > SILENT_S:
            grown = (now - self._looked_at) * self._bound / SILENT_S
            self._limit = min(self._bound, self._limit + grown)
        self._looked_at = now
