"""An outbox in memory: numbers and keys as the real one gives them, without its durability.

It lives as long as the simulator's process. What the real one promises over power cuts is tested on
the real one; here are thousands in one process.
"""

import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from contracts.events import Numbering
from contracts.topics import Identity
from edge_agent.outbox.encoding import Lane, encode_fact
from edge_agent.outbox.schema import KEPT_EPOCHS, epoch_and_sequence, key_of
from edge_agent.outbox.state import OutboxState
from edge_agent.outbox.store import Event
from edge_agent.ports import Fact


class Span(msgspec.Struct, frozen=True):
    """An epoch and how many facts were numbered in it."""

    epoch: str
    facts: int


class MemoryOutbox:
    """What `edge_agent.uplink` needs of an outbox, and `put`. Not thread-safe."""

    def __init__(self, agent: Identity, clock: Callable[[], datetime]) -> None:
        self._agent = agent
        self._clock = clock
        self._events: dict[int, Event] = {}
        self._put_at: dict[int, float] = {}
        self._keys: dict[Lane, list[int]] = {lane: [] for lane in Lane}
        self._epochs: dict[str, int] = {}
        self._epoch = ""
        self._next = 1
        self._begun_at: list[datetime] = []
        self.spans: list[Span] = []
        """The epochs so far, in order: the script's facts were numbered in them one by one."""

    def put(self, facts: Sequence[Fact], clock_offset_ms: int) -> None:
        """Number and keep the facts. Raises FactRefused."""
        if not self._epoch:
            self._epoch, self._next = secrets.token_hex(8), 1
            self._epochs[self._epoch] = len(self._epochs) + 1
            self.spans.append(Span(self._epoch, 0))
            self._begun_at.append(self._clock())
        for fact in facts:
            row = encode_fact(fact, self._agent, self._epoch, self._next, clock_offset_ms)
            key = key_of(self.own_epoch_id, self._next)
            self._events[key] = Event(key, row.lane, row.topic, row.payload)
            self._put_at[key] = self._clock().timestamp()
            self._keys[row.lane].append(key)
            self._next += 1
        self.spans[-1] = Span(self._epoch, self._next - 1)

    def restart(self) -> None:
        """As after a start of the agent: what waits stays, what comes gets a new epoch."""
        self._epoch = ""

    def __len__(self) -> int:
        return len(self._events)

    @property
    def own_epoch_id(self) -> int:
        """The number of this start's epoch; 0 before its first fact."""
        return self._epochs[self._epoch] if self._epoch else 0

    def epoch_id(self, name: str) -> int | None:
        """The number of an epoch in the keys; None if it is not held here."""
        return self._epochs.get(name)

    def above(self, lane: Lane, key: int, limit: int) -> list[Event]:
        """The first events of a lane after `key`, oldest first."""
        keys = self._live(lane)
        start = bisect_right(keys, key)
        return self._found(keys[start:], limit)

    def below(self, lane: Lane, key: int | None, limit: int) -> list[Event]:
        """The last events of a lane before `key` (None: of all), oldest first."""
        keys = self._live(lane)
        end = len(keys) if key is None else bisect_left(keys, key)
        return self._found(keys[:end][::-1], limit)[::-1]

    def load(self, keys: Sequence[int]) -> list[Event]:
        """The events of `keys` that are still here, oldest first."""
        return self._found(sorted(keys), len(keys))

    def between(self, first: int, last: int, limit: int) -> list[Event]:
        """The first events of any lane with keys `first` through `last`, oldest first."""
        return self._found(sorted(key for key in self._events if first <= key <= last), limit)

    def remove(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Remove receipted events, given as closed ranges of keys."""
        for first, last in ranges:
            if last - first < len(self._events):
                gone = [key for key in range(first, last + 1) if key in self._events]
            else:
                gone = [key for key in self._events if first <= key <= last]
            for key in gone:
                del self._events[key], self._put_at[key]

    def state(self) -> OutboxState:
        """What the agent's health says of it."""
        oldest = min(self._events, default=None)
        epoch, lowest = self._epoch, self._next if self._epoch else None
        if oldest is not None:
            number, lowest = epoch_and_sequence(oldest)
            epoch = self.spans[number - 1].epoch
        return OutboxState(
            epoch=epoch,
            lowest_unreceipted=lowest,
            oldest_put_at=None if oldest is None else self._put_at[oldest],
            backlog=len(self._events),
            used_bytes=sum(len(event.payload) for event in self._events.values()),
            thinned=0,
            quarantined=0,
            failing="",
            set_aside="",
            numbering=tuple(
                Numbering(span.epoch, begun_at, span.facts)
                for span, begun_at in zip(self.spans, self._begun_at, strict=True)
            )[: -KEPT_EPOCHS - 1 : -1],
        )

    def _live(self, lane: Lane) -> list[int]:
        keys = self._keys[lane]
        if len(keys) > 64 and len(keys) > 2 * len(self._events):
            keys = self._keys[lane] = [key for key in keys if key in self._events]
        return keys

    def _found(self, keys: Sequence[int], limit: int) -> list[Event]:
        found: list[Event] = []
        for key in keys:
            if len(found) == limit:
                break
            event = self._events.get(key)
            if event is not None:
                found.append(event)
        return found
