"""Where the network thread leaves messages, and batches by size and age are taken from."""

import queue
import time
from collections.abc import Callable, Sequence

from gateway.broker import Inbound

BATCH_BYTES = 2_000_000
"""A batch with more than this is full: pictures do not make giant transactions, and readings, which
take several times their bytes once they are read, not giant heaps."""

FULL_BYTES = 16_000_000
"""With so much waiting (or more than `bound` messages) nothing more is read from the broker."""


class Inbox:
    """A queue between the network thread and intake; one thread puts, one takes.

    While it is `full`, nothing is read from the broker. A broker should know that by itself, from
    the receive maximum; mosquitto 2.0.11 forgets it when a session is resumed, and sends whatever
    it has. What is not acknowledged (QoS 0, which nobody of ours sends) is turned away then.
    """

    def __init__(self, bound: int, on_dropped: Callable[[], None]) -> None:
        self._queue: queue.SimpleQueue[Sequence[Inbound]] = queue.SimpleQueue()
        self._bound = bound
        self._on_dropped = on_dropped
        self._put = self._taken = 0
        self._put_bytes = self._taken_bytes = 0
        self._open: Sequence[Inbound] = ()
        """What was taken from the queue last, and up to where it is in a batch."""
        self._at = 0

    def put(self, messages: Sequence[Inbound]) -> None:
        """Leave messages. Called from the network thread; never blocks."""
        if not all(message.qos for message in messages):
            messages = self._with_room(messages)
        self._put += len(messages)
        self._put_bytes += sum([len(message.payload) for message in messages])
        self._queue.put(messages)

    def full(self) -> bool:
        """Whether more should wait at the broker."""
        waiting_bytes = self._put_bytes - self._taken_bytes
        return len(self) >= self._bound or waiting_bytes >= FULL_BYTES

    def take(self, most: int, age_s: float, wait_s: float) -> list[Inbound]:
        """A batch: at most `most` messages (fewer if they are large), none older than `age_s`.

        Waits up to `wait_s` for the first; returns an empty list if none came.
        """
        batch: list[Inbound] = []
        room = BATCH_BYTES
        until: float | None = None
        while len(batch) < most and room > 0:
            if self._at >= len(self._open):
                left = wait_s if until is None else until - time.monotonic()
                try:
                    self._open = self._queue.get(left > 0, max(0.0, left))
                except queue.Empty:
                    break
                self._at = 0
                if until is None:
                    until = time.monotonic() + age_s
            part = self._open[self._at : self._at + most - len(batch)]
            for count, message in enumerate(part, 1):
                room -= len(message.payload)
                if room <= 0:
                    part = part[:count]
                    break
            batch += part
            self._at += len(part)
        self._taken += len(batch)
        self._taken_bytes += BATCH_BYTES - room
        return batch

    def _with_room(self, messages: Sequence[Inbound]) -> list[Inbound]:
        kept: list[Inbound] = []
        for message in messages:
            if message.qos or len(self) + len(kept) < self._bound:
                kept.append(message)
            else:
                self._on_dropped()
        return kept

    def __len__(self) -> int:
        return self._put - self._taken
