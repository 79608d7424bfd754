"""What the uplink needs of whatever holds events until they are receipted: an outbox's one side."""

from collections.abc import Sequence
from typing import Protocol

from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.store import Event


class Holding(Protocol):
    """Events under ascending keys (see `edge_agent.outbox.schema`). All may raise OutboxError."""

    @property
    def own_epoch_id(self) -> int:
        """The number of this opening's epoch; 0 before its first fact."""

    def epoch_id(self, name: str) -> int | None:
        """The number of an epoch in the keys; None if it is not held here."""

    def above(self, lane: Lane, key: int, limit: int) -> list[Event]:
        """The first events of a lane after `key`, oldest first."""

    def below(self, lane: Lane, key: int | None, limit: int) -> list[Event]:
        """The last events of a lane before `key` (None: of all), oldest first."""

    def load(self, keys: Sequence[int]) -> list[Event]:
        """The events of `keys` that are still here, oldest first."""

    def between(self, first: int, last: int, limit: int) -> list[Event]:
        """The first events of any lane with keys `first` through `last`, oldest first."""
