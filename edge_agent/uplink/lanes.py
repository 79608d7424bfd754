"""In which order a lane's events are first sent: the newest block first, or simply in order.

A block goes out oldest first, so that the opening of an episode travels before its end.
"""

from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.store import Event
from edge_agent.uplink.holding import Holding

BLOCKS = {Lane.ALARM: 64, Lane.PICTURE: 1, Lane.READING: 64}


class LaneCursor:
    """Remembers what of a lane was handed out since the start."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._newest_first = lane is not Lane.READING
        self._high: int | None = None
        self._low: int | None = None
        """Everything from low through high was handed out; low None: and everything before."""

    def next_block(self, outbox: Holding, limit: int) -> list[Event]:
        """The next events to send, at most `limit`; empty if there is none. Raises OutboxError."""
        limit = min(limit, BLOCKS[self.lane])
        if self._high is None and self._newest_first:
            block = outbox.below(self.lane, None, limit)
            if block:
                self._low = block[0].key
        else:
            block = outbox.above(self.lane, self._high or 0, limit)
        if block:
            self._high = block[-1].key
        elif self._low is not None:
            block = outbox.below(self.lane, self._low, limit)
            self._low = block[0].key if block else None
        return block
