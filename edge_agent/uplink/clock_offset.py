"""How far the edge's clock is off, as far as receipts tell.

A receipt carries the gateway's time of sending. It arrives late by an unknown while, never early,
so the receipt that travelled fastest tells most; half a round trip to the broker is taken off.
Kept against a monotonic clock, so that setting the wall clock shows at once.
"""

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime

from contracts.clock import Clock

WINDOW_S = 900.0
_MAX_SAMPLES = 512


class ClockOffset:
    """Collects receipts' times. Any thread may call any method."""

    def __init__(self, clock: Clock, monotonic: Callable[[], float]) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._samples: deque[tuple[float, float]] = deque(maxlen=_MAX_SAMPLES)

    def add(self, gateway_at: datetime, arrived: float, round_trip_s: float) -> None:
        """A receipt sent at `gateway_at` arrived at `arrived` on the monotonic clock."""
        delta = arrived - gateway_at.timestamp() - round_trip_s / 2
        with self._lock:
            self._samples.append((arrived, delta))

    def seconds(self) -> float | None:
        """Edge clock minus gateway clock at this moment; None if unknown."""
        wall, now = self._clock().timestamp(), self._monotonic()
        with self._lock:
            while self._samples and now - self._samples[0][0] > WINDOW_S:
                self._samples.popleft()
            if not self._samples:
                return None
            return wall - now + min(delta for _, delta in self._samples)
