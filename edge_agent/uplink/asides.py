"""What goes to the city beside the outbox: pictures of looks, worth something only while new.

Nothing of it is kept or sent again. It is bounded: what waits too long, or behind too much, is let
go; the newest picture of a look takes the place of the one before, and a look's end stays.
"""

import threading
from collections.abc import Callable

import msgspec

from contracts.events import Look
from contracts.topics import Identity
from contracts.words import LookState

MOST_WAITING = 8
PICTURE_S, END_S = 3.0, 20.0
"""For so long a picture, and a look's end, may wait for the line."""


class Aside(msgspec.Struct, frozen=True):
    """One answer that waits."""

    who: Identity
    look: Look
    put_s: float

    def stale(self, now_s: float) -> bool:
        """Whether it is no longer worth sending."""
        limit_s = PICTURE_S if self.look.state is LookState.LIVE else END_S
        return now_s - self.put_s > limit_s


class Asides:
    """Any thread may call any method."""

    def __init__(self, ticks: Callable[[], float], wake: Callable[[], None]) -> None:
        self._ticks, self._wake = ticks, wake
        self._lock = threading.Lock()
        self._waiting: list[Aside] = []

    def put(self, who: Identity, look: Look) -> None:
        """Leave an answer; never blocks."""
        with self._lock:
            kept = [
                one
                for one in self._waiting
                if one.look.look_id != look.look_id or one.look.state is not LookState.LIVE
            ]
            self._waiting = [*kept, Aside(who, look, self._ticks())][-MOST_WAITING:]
        self._wake()

    def take(self) -> Aside | None:
        """The oldest that is still worth sending."""
        with self._lock:
            now_s = self._ticks()
            self._waiting = [one for one in self._waiting if not one.stale(now_s)]
            return self._waiting.pop(0) if self._waiting else None
