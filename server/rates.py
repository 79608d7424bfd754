"""How often one token may ask: a bucket that fills with time, one for each token and process."""

import threading
from datetime import datetime

import msgspec

FORGET_ABOVE = 4096
"""With more buckets than this, the full ones are forgotten."""


class Bucket(msgspec.Struct):
    """What is left, as of when."""

    left: float
    at: datetime


class Rates:
    """Buckets by key; each holds `burst` and fills by `per_minute`."""

    def __init__(self, per_minute: float, burst: int) -> None:
        self._per_s = per_minute / 60
        self._burst = float(burst)
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key: str, at: datetime) -> float:
        """Take one; returns 0, or the seconds to wait if there is none."""
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                self._forget(at)
                bucket = self._buckets[key] = Bucket(self._burst, at)
            bucket.left, bucket.at = self._filled(bucket, at), max(bucket.at, at)
            if bucket.left < 1:
                return (1 - bucket.left) / self._per_s
            bucket.left -= 1
            return 0.0

    def _filled(self, bucket: Bucket, at: datetime) -> float:
        passed_s = max(0.0, (at - bucket.at).total_seconds())
        return min(self._burst, bucket.left + passed_s * self._per_s)

    def _forget(self, at: datetime) -> None:
        if len(self._buckets) >= FORGET_ABOVE:
            kept = {
                key: one
                for key, one in self._buckets.items()
                if self._filled(one, at) < self._burst
            }
            self._buckets = kept
