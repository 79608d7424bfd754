"""Whose turn it is to write, among the threads that share an SQLite ledger.

SQLite has one writer, and its own way to wait is to sleep and look again, for up to a tenth of a
second, while whoever does not sleep goes first. Here a turn is handed over: to who asked to go
first (intake: readings and alerts wait behind it), else to who has waited longest. Nobody is passed
over for longer than PATIENCE_S.
"""

import threading
import time
from collections import deque

PATIENCE_S = 0.1
"""So long others go first; who has waited longer is next."""


class _Waiter:
    """A thread that waits for its turn."""

    __slots__ = ("called", "first", "since")

    def __init__(self, first: bool) -> None:
        self.first = first
        self.since = time.monotonic()
        self.called = threading.Event()


class Turns:
    """One turn at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[_Waiter] = deque()

    def take(self, *, first: bool, timeout_s: float) -> bool:
        """Wait for a turn; False if none came within `timeout_s`."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            waiter = _Waiter(first)
            self._waiting.append(waiter)
        if waiter.called.wait(timeout_s):
            return True
        with self._lock:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                return False
        return True  # it was called between the two

    def give_back(self) -> None:
        """End a turn; the next begins."""
        with self._lock:
            following = self._next()
            self._taken = following is not None
        if following is not None:
            following.called.set()

    def _next(self) -> _Waiter | None:
        if not self._waiting:
            return None
        chosen = self._waiting[0]  # who has waited longest
        if time.monotonic() - chosen.since < PATIENCE_S:
            chosen = next((one for one in self._waiting if one.first), chosen)
        self._waiting.remove(chosen)
        return chosen
