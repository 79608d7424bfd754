"""Receipts: which numbers of which agent are stored everywhere, told to the agent in ranges.

And, while a time-series store is down, which are taken in: in the ledger and judged, nothing more.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from contracts.clock import Clock
from contracts.envelope import encode
from contracts.events import Receipt
from contracts.sequences import RangeSet
from contracts.topics import Channel, device_topic
from gateway.broker import Outbound
from ledger.intake import Key

RANGES_MOST = 2000
"""Ranges in one message; more are told in several."""
A_RECEIPT_S = 0.001
"""For so long receipts are gathered for each agent that gets one: many agents, longer rounds …"""
RECEIPT_MOST_S = 2.0
"""… but no longer than this."""
UNTOLD_MOST = 100_000
"""Numbers that wait for a connection; more are left for the edge to ask about."""


def receipts(
    numbers: Mapping[Key, Iterable[int]], at: datetime, *, taken: bool = False
) -> list[Outbound]:
    """The messages that say these numbers are stored (or only `taken` in): one per agent and epoch,
    as a rule."""
    messages = []
    for (agent, epoch), told in numbers.items():
        found = RangeSet()
        found.add_new(sorted(told))
        ranges = found.ranges()
        for start in range(0, len(ranges), RANGES_MOST):
            some = ranges[start : start + RANGES_MOST]
            data = Receipt(epoch, [], some) if taken else Receipt(epoch, some)
            payload = encode(
                Channel.RECEIPTS.value, agent, data, event_id=secrets.token_hex(8), at=at
            )
            messages.append(Outbound(device_topic(agent, Channel.RECEIPTS), payload))
    return messages


class Round:
    """Numbers gathered for one round of receipts. Any thread may call any method."""

    def __init__(
        self,
        publish: Callable[[list[Outbound]], bool],
        every_s: float,
        clock: Clock,
        count: Callable[[int], None],
        *,
        taken: bool = False,
    ) -> None:
        """`count` is told how many numbers went out."""
        self._publish = publish
        self._every_s = every_s
        self._clock = clock
        self._count = count
        self._taken = taken
        self._lock = threading.Lock()
        self._gathered: dict[Key, list[int]] = {}
        self._since = 0.0

    def gather(self, numbers: Mapping[Key, Sequence[int]]) -> None:
        """These are to be told."""
        with self._lock:
            if not self._gathered:
                self._since = time.monotonic()
            for key, told in numbers.items():
                self._gathered.setdefault(key, []).extend(told)

    def due_s(self) -> float | None:
        """Seconds until they should be told; None if there are none."""
        if not self._gathered:
            return None
        round_s = max(self._every_s, len(self._gathered) * A_RECEIPT_S)
        return self._since + min(round_s, RECEIPT_MOST_S) - time.monotonic()

    def tell_if_due(self) -> None:
        """Tell the agents, if it is time."""
        due_s = self.due_s()
        if due_s is not None and due_s <= 0:
            self.tell()

    def tell(self) -> None:
        """Tell the agents. Without a connection it is told later, or the edge asks again."""
        with self._lock:
            told, self._gathered = self._gathered, {}
        if not told:
            return
        count = sum(map(len, told.values()))
        if self._publish(receipts(told, self._clock(), taken=self._taken)):
            self._count(count)
        elif count <= UNTOLD_MOST:
            self.gather(told)
