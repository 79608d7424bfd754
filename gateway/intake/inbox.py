"""Where the network thread leaves messages, and batches by size and age are taken from."""

import queue
import time
from collections.abc import Callable

from gateway.broker import Inbound

BATCH_BYTES = 8_000_000
"""A batch with more than this is full, so that pictures do not make giant transactions."""


class Inbox:
    """A queue between the network thread and intake.

    What is QoS 1 is bounded by the broker (receive maximum); what is not acknowledged (QoS 0, which
    nobody of ours sends) is turned away beyond `bound`.
    """

    def __init__(self, bound: int, on_dropped: Callable[[], None]) -> None:
        self._queue: queue.SimpleQueue[Inbound] = queue.SimpleQueue()
        self._bound = bound
        self._on_dropped = on_dropped

    def put(self, message: Inbound) -> None:
        """Leave a message. Called from the network thread; never blocks."""
        if not message.qos and self._queue.qsize() >= self._bound:
            self._on_dropped()
            return
        self._queue.put(message)

    def take(self, most: int, age_s: float, wait_s: float) -> list[Inbound]:
        """A batch: at most `most` messages (fewer if they are large), none older than `age_s`.

        Waits up to `wait_s` for the first; returns an empty list if none came.
        """
        take = self._queue.get
        try:
            batch = [take(timeout=wait_s)]
        except queue.Empty:
            return []
        until = time.monotonic() + age_s
        room = BATCH_BYTES - len(batch[0].payload)
        while len(batch) < most and room > 0:
            try:
                message = take(block=False)
            except queue.Empty:
                left = until - time.monotonic()
                if left <= 0:
                    break
                try:
                    message = take(timeout=left)
                except queue.Empty:
                    break
            batch.append(message)
            room -= len(message.payload)
        return batch

    def __len__(self) -> int:
        return self._queue.qsize()
