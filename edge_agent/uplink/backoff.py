"""Pauses between attempts that double, with a bound and jitter."""

from collections.abc import Callable


class Backoff:
    """Counts failures and says how long to wait after each."""

    def __init__(self, first_s: float, max_s: float, jitter: Callable[[], float]) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._jitter = jitter
        self._failures = 0

    def next_s(self) -> float:
        """The pause after one more failure."""
        pause = min(self._first_s * 2.0 ** min(self._failures, 32), self._max_s)
        self._failures += 1
        return pause * self._jitter()

    def reset(self) -> None:
        """It worked."""
        self._failures = 0
