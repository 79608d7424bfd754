"""Hands a camera's facts to the sink in their order, and keeps them while it cannot store."""

import logging
from collections import deque
from collections.abc import Sequence

import msgspec

from contracts.clock import Clock
from contracts.topics import Identity
from edge_agent.cameras.frames import Ticks
from edge_agent.ports import Fact, FactRefused, OutboxError, Sink

_log = logging.getLogger(__name__)

MOST_WAITING = 64
"""Batches that are kept; some 10 MB of evidence at the very worst."""
RETRY_S = 1.0


class Outlet:
    """One camera's way to the sink, used by one thread."""

    def __init__(self, who: Identity, sink: Sink, clock: Clock, ticks: Ticks) -> None:
        self._who, self._sink, self._clock, self._ticks = who, sink, clock, ticks
        self._waiting: deque[tuple[Fact, ...]] = deque()
        self._again_s = float("-inf")
        self.trouble = ""
        """Why something waits; empty if nothing does."""

    @property
    def waiting(self) -> int:
        """Batches that are not stored yet."""
        return len(self._waiting)

    def put(self, facts: Sequence[Fact]) -> None:
        """Store the facts, or keep them. Raises OutboxError if too many are kept already."""
        if facts:
            self._waiting.append(tuple(facts))
        if not self._waiting or self._ticks() < self._again_s:
            return
        try:
            self._store()
        except OutboxError as error:
            if len(self._waiting) > MOST_WAITING:
                raise
            if not self.trouble:
                _log.warning("camera %s: facts wait: %s", self._who.device, error)
            self.trouble, self._again_s = str(error), self._ticks() + RETRY_S

    def finish(self) -> None:
        """A last try for what waits. Raises OutboxError if it fails."""
        self._store()

    def _store(self) -> None:
        while self._waiting:
            batch = self._waiting[0]
            try:
                self._sink.put(batch)
            except FactRefused as error:
                self._waiting.popleft()
                self._split(batch, error)
                continue
            self._waiting.popleft()
        self.trouble = ""

    def _split(self, batch: tuple[Fact, ...], error: FactRefused) -> None:
        """One of these can never travel: find it, set it aside, let the others go."""
        if len(batch) > 1:
            self._waiting.extendleft((fact,) for fact in reversed(batch))
            return
        content = msgspec.json.encode(batch[0])
        _log.error("camera %s: %s set aside: %s", self._who.device, batch[0].kind, error)
        self._sink.quarantine(self._who, content, str(error), self._clock())
