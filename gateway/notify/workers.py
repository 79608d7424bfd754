"""A bounded queue and a thread for each channel, so that a slow one holds up no other.

The gravest goes first. What has waited so long that its lease might end while it is being sent is
not begun: its sender hears that the channel is too slow.
"""

import itertools
import logging
import queue
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from contracts.clock import Clock
from gateway.notify.channels.channel import Channel, Failed, Message, Outcome, Retry, Sent

log = logging.getLogger(__name__)

TOO_SLOW = "the channel is too slow: the message waited too long for its turn"
DOWN_AFTER = 3
"""A message may fail by its address; so many in a row fail by the channel."""
LATELY = timedelta(seconds=30)
FULL = "the channel is too slow: its queue is full"


class Job(msgspec.Struct, frozen=True):
    """One message to send by one channel; `done` is called once, in the worker's thread."""

    message: Message
    begin_before: datetime
    done: Callable[[Outcome | None], None]
    """None: it was not tried."""


class Worker:
    """Sends by one channel, one message at a time, from its making to `stop`."""

    def __init__(self, channel: Channel, most_waiting: int, clock: Clock) -> None:
        self._channel = channel
        self._most = most_waiting
        self._clock = clock
        self._numbers = itertools.count()
        self._sent_at: datetime | None = None
        self._failed = 0
        self._jobs: queue.PriorityQueue[tuple[int, int, Job | None]] = queue.PriorityQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"notify-{channel.name}", daemon=True
        )
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return self._jobs.qsize()

    @property
    def free(self) -> int:
        """How many more may wait."""
        return max(0, self._most - self._jobs.qsize())

    @property
    def up(self) -> bool:
        """Whether it has not failed with its last few messages, one after the other."""
        return self._failed < DOWN_AFTER

    def alive(self, now: datetime) -> bool:
        """Whether its service took something of late: then a full queue is no fault of its."""
        return self._sent_at is not None and now - self._sent_at <= LATELY

    def offer(self, job: Job) -> bool:
        """Put it in the queue; False if that is full."""
        if not self.free:
            return False
        self._jobs.put((int(job.message.severity), next(self._numbers), job))
        return True

    def ask_to_stop(self) -> None:
        """End after the message that is being sent; what still waits is answered, untried."""
        self._stopping.set()
        self._jobs.put((-1, -1, None))

    def ended(self, timeout_s: float) -> bool:
        """Wait for the end that was asked for; False if it takes longer."""
        self._thread.join(timeout_s)
        ended = not self._thread.is_alive()
        if ended:
            self._channel.close()
        return ended

    def _run(self) -> None:
        while True:
            job = self._jobs.get()[2]
            if job is not None:
                job.done(None if self._stopping.is_set() else self._send(job))
            elif self._stopping.is_set() and self._jobs.empty():
                return
            elif self._stopping.is_set():
                self._jobs.put((4, next(self._numbers), None))  # after all that still waits

    def _send(self, job: Job) -> Outcome:
        if self._clock() >= job.begin_before:
            return Retry(TOO_SLOW)
        try:
            outcome = self._channel.send(job.message)
        except Exception:  # the supervisor: a channel's defect must not end its thread
            log.exception("channel %s failed", self._channel.name)
            return Failed("the channel has a defect; see the log")
        self._note(outcome)
        return outcome

    def _note(self, outcome: Outcome) -> None:
        """Say once when the channel begins to fail, and when it is well again."""
        if isinstance(outcome, Sent):
            self._sent_at = self._clock()
            if not self.up:
                log.warning("channel %s takes messages again", self._channel.name)
            self._failed = 0
            return
        self._failed += 1
        if self._failed == DOWN_AFTER:
            log.warning("channel %s takes nothing: %s", self._channel.name, outcome.reason)
