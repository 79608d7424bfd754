"""What the city has taken in but not stored: which events, and when they are sent again.

The ledger has them and their alerts are raised; a time-series store is down. They stay in the
outbox, and here they cost only their ranges of keys. One of them is sent again as a probe, with
growing pauses; once it is stored, the rest follows, the oldest first.

Times are seconds of a monotonic clock, given by the caller.
"""

from collections.abc import Callable, Sequence

from contracts.sequences import RangeSet

QUIET_S = 10.0
"""When others are stored, and none was only taken in for so long, the probe need not wait."""


class TakenIn:
    """Not thread-safe."""

    def __init__(self, first_s: float, most_s: float, jitter: Callable[[], float]) -> None:
        """Pauses between probes begin with `first_s` and double up to `most_s`."""
        self._first_s = first_s
        self._most_s = most_s
        self._jitter = jitter
        self._keys = RangeSet()
        self._pause_s = first_s
        self._look_at = 0.0
        self._told_at = float("-inf")
        self._again: set[int] = set()
        """Events that were sent again, and are not answered."""
        self._probe: int | None = None
        """The one of them that was sent to see whether it is stored now."""
        self._flowing = False
        """A probe was stored: the rest is on its way."""

    def __len__(self) -> int:
        return len(self._keys)

    def told(self, keys: Sequence[int], now: float) -> None:
        """The city took in what was on its way (in order), and could not store it."""
        if not keys:
            return
        begins = not self._keys and not self._again
        self._keys.add_new(keys)
        self._told_at = now
        if begins:
            self._pause_s = self._first_s
        if begins or self._probe in keys or (self._flowing and not self._again.isdisjoint(keys)):
            self._wait(now)
        self._again.difference_update(keys)

    def _wait(self, now: float) -> None:
        self._flowing, self._probe = False, None
        self._look_at = now + self._pause_s * self._jitter()
        self._pause_s = min(self._pause_s * 2, self._most_s)

    def stored(self, first: int, last: int, now: float) -> list[tuple[int, int]]:
        """The city stores again; returns which of the keys `first` through `last` were here."""
        found = self._keys.within(first, last)
        self._keys.remove_range(first, last)
        if self._probe is not None and first <= self._probe <= last:
            self._flowing, self._probe = True, None
            self._pause_s = self._first_s
        elif now - self._told_at > QUIET_S:
            self._look_at = min(self._look_at, now)
        if last - first < len(self._again):
            self._again.difference_update(range(first, last + 1))
        elif self._again:
            self._again = {key for key in self._again if not first <= key <= last}
        return found

    def gone(self, key: int) -> None:
        """An event that was sent has left the outbox unstored: thinned out."""
        self._again.discard(key)
        if key == self._probe:
            self._probe = None

    def failed(self, key: int, now: float) -> None:
        """The broker does not take this event: another must be the probe, a while later."""
        if key == self._probe:
            self._wait(now)

    def next(self, room: int, now: float) -> tuple[int, int, int]:
        """A range of keys to send from, and at most how many: none, one as a probe, or `room`."""
        ranges = self._keys.first()
        if ranges is None or room <= 0:
            return 0, 0, 0
        if self._flowing:
            return *ranges, room
        probes = self._probe is None and now >= self._look_at
        return *ranges, int(probes)

    def sending(self, first: int, last: int, keys: Sequence[int]) -> None:
        """Of `first` through `last` only `keys` are still in the outbox, and go out now."""
        self._keys.remove_range(first, last)
        self._again.update(keys)
        if keys and not self._flowing:
            self._probe = keys[0]
