"""The newest state of each device and of the agent: published on change, again on reconnect."""

import threading
from collections.abc import Callable

import msgspec

from contracts.events import Status
from contracts.topics import Identity

REFRESH_S = 10.0
"""The same state, reported again, is published at most this often."""
DETAIL_CHARACTERS = 500


class StatusBoard:
    """Holds one status per identity. Any thread may call any method."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._newest: dict[Identity, Status] = {}
        self._published_at: dict[Identity, float] = {}
        self._waiting: dict[Identity, Status] = {}

    def report(self, who: Identity, status: Status, *, always: bool = False) -> bool:
        """Take a state; True if it is to be published. `always`: even if nothing changed."""
        status = msgspec.structs.replace(status, detail=status.detail[:DETAIL_CHARACTERS])
        with self._lock:
            before = self._newest.get(who)
            self._newest[who] = status
            same = before is not None and before == msgspec.structs.replace(status, at=before.at)
            age_s = self._monotonic() - self._published_at.get(who, float("-inf"))
            if same and not always and age_s < REFRESH_S and who not in self._waiting:
                return False
            self._waiting[who] = status
            return True

    def take(self, limit: int) -> list[tuple[Identity, Status]]:
        """What is to be published now, at most `limit`."""
        with self._lock:
            taken = list(self._waiting.items())[:limit]
            now = self._monotonic()
            for who, _ in taken:
                del self._waiting[who]
                self._published_at[who] = now
            return taken

    def again(self) -> None:
        """Publish everything anew: a connection was made or lost."""
        with self._lock:
            self._waiting = dict(self._newest)

    def newest(self, who: Identity) -> Status | None:
        """The last reported state."""
        with self._lock:
            return self._newest.get(who)
