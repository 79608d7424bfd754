"""What /healthz says: which parts are in trouble, and why."""

import threading
from typing import Literal

import msgspec


class Report(msgspec.Struct, frozen=True):
    """``ok``, or ``degraded`` with a reason by part."""

    status: Literal["ok", "degraded"]
    reasons: dict[str, str]


class Health:
    """The parts' troubles, told by their threads and read by /healthz."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._troubles: dict[str, str] = {}

    def well(self, part: str) -> None:
        """The part works."""
        if part in self._troubles:
            with self._lock:
                self._troubles.pop(part, None)

    def trouble(self, part: str, reason: str) -> bool:
        """The part does not work; True if that is news."""
        with self._lock:
            new = part not in self._troubles
            self._troubles[part] = reason
            return new

    def report(self) -> Report:
        """How things stand now."""
        with self._lock:
            reasons = dict(self._troubles)
        return Report("degraded" if reasons else "ok", reasons)
