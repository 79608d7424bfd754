"""The sink that instruments and cameras see: the outbox and the status board, and who to wake."""

from collections.abc import Callable, Sequence
from datetime import datetime

from contracts.events import Status
from contracts.topics import Identity
from edge_agent.outbox.store import Outbox
from edge_agent.ports import Fact, Sink
from edge_agent.uplink.statuses import StatusBoard


class AgentSink(Sink):
    """Any thread may call any method."""

    def __init__(self, outbox: Outbox, statuses: StatusBoard, wake: Callable[[], None]) -> None:
        self._outbox = outbox
        self._statuses = statuses
        self._wake = wake

    def put(self, facts: Sequence[Fact]) -> None:
        """Store the facts in order, all or none. Raises OutboxError, FactRefused."""
        self._outbox.put(facts)
        self._wake()

    def quarantine(self, who: Identity, content: bytes, reason: str, at: datetime) -> None:
        """Keep bytes that could not be read, durably, with the reason. Raises OutboxError."""
        self._outbox.quarantine(who, content, reason, at)

    def report(self, who: Identity, status: Status) -> None:
        """Tell a device's present state."""
        if self._statuses.report(who, status):
            self._wake()
