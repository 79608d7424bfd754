"""What was last read of the places that were asked for last: for when the ledger is away."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Values by name, at most so many; several threads may use it at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, name: str, value: T) -> None:
        """Remember it, and forget the one asked for longest ago if there are too many."""
        with self._lock:
            self._values[name] = value
            self._values.move_to_end(name)
            while len(self._values) > self._most:
                self._values.popitem(last=False)

    def drop(self, name: str) -> None:
        """Forget it."""
        with self._lock:
            self._values.pop(name, None)

    def of(self, name: str) -> T | None:
        """What was last kept."""
        with self._lock:
            return self._values.get(name)
