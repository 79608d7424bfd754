"""How far the edge's clock is off, as far as receipts tell.

A receipt carries the gateway's time of sending. It arrives late by an unknown while, never early,
so the receipt that travelled fastest tells most; half a round trip to the broker is taken off.
Kept against a monotonic clock, so that setting the wall clock shows at once.
"""

from collections import deque
from datetime import datetime

WINDOW_S = 900.0
_MAX_SAMPLES = 512


class ClockOffset:
    """Collects receipts' times."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=_MAX_SAMPLES)

    def add(self, gateway_at: datetime, arrived: float, round_trip_s: float) -> None:
        """A receipt sent at `gateway_at` arrived at `arrived` on the monotonic clock."""
        self._samples.append((arrived, arrived - gateway_at.timestamp() - round_trip_s / 2))

    def seconds(self, wall: datetime, monotonic: float) -> float | None:
        """Edge clock minus gateway clock at this moment, given as both; None if unknown."""
        while self._samples and monotonic - self._samples[0][0] > WINDOW_S:
            self._samples.popleft()
        if not self._samples:
            return None
        return wall.timestamp() - monotonic + min(delta for _, delta in self._samples)
