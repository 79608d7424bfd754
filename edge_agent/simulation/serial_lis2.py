"""A virtual LIS2-A2 reader: sends its results with the full E1381 handshake, until acknowledged."""

import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec

from contracts.clock import Clock, utc_now
from edge_agent.protocols.e1381_sender import REPLY_S, E1381Sender, State, frames_of
from edge_agent.simulation.serial_faults import NO_FAULTS, Faults
from edge_agent.simulation.serial_line import VirtualLine

CHINA = timezone(timedelta(hours=8))
RETRY_S = 2.0
"""A transfer that failed is begun again after this long."""


class Lis2Result(msgspec.Struct, frozen=True):
    """One R record to be: item as in R-3, value as text."""

    item: str
    value: str
    unit: str = ""
    flag: str = "N"
    status: str = "F"


def message(
    sample: str,
    results: Sequence[Lis2Result],
    at: datetime,
    *,
    operator: str = "",
    name: str = "",
    sent_at: datetime | None = None,
) -> list[bytes]:
    """The records of a message (without CR); `at` (measured) and `sent_at` (the header; default
    `at`) are the instrument's wall clock."""
    when = at.strftime("%Y%m%d%H%M%S")
    sent = (sent_at or at).strftime("%Y%m%d%H%M%S")
    records = [
        f"H|\\^&|||FoodSentry^Virtual^1.0|||||||P|LIS2-A2|{sent}",
        f"P|1||||{name}",
        f"O|1|{sample}||^^^ALL|R||{when}",
    ]
    for number, result in enumerate(results, 1):
        records.append(
            f"R|{number}|{result.item}|{result.value}|{result.unit}||{result.flag}||"
            f"{result.status}||{operator}||{when}"
        )
    records.append("L|1|N")
    return [record.encode("gb18030") for record in records]


class Lis2FarEnd:
    """The instrument without its line: a queue of messages, each sent until it is delivered."""

    def __init__(self, *, one_frame_per_record: bool = True, reply_s: float = REPLY_S) -> None:
        self.delivered = 0
        self.failed = 0
        self._queue: deque[list[bytes]] = deque()
        self._sender = E1381Sender("instrument", reply_s=reply_s)
        self._one_frame_per_record = one_frame_per_record
        self._start_at = float("inf")

    def send(self, records: list[bytes], now: float) -> None:
        """Queue a message."""
        self._queue.append(records)
        if self._sender.state in (State.IDLE, State.DELIVERED):
            self._start_at = min(self._start_at, now)

    @property
    def waiting(self) -> int:
        """Messages not delivered yet."""
        return len(self._queue)

    def receive(self, data: bytes, now: float) -> bytes:
        return self._after(self._sender.receive(data, now), now)

    def due(self) -> float:
        deadline = self._sender.deadline
        return min(self._start_at, float("inf") if deadline is None else deadline)

    def wake(self, now: float) -> bytes:
        if now >= self._start_at and self._queue:
            self._start_at = float("inf")
            frames = frames_of(self._queue[0], one_frame_per_record=self._one_frame_per_record)
            return self._sender.start(frames, now)
        self._start_at = float("inf") if now >= self._start_at else self._start_at
        return self._after(self._sender.tick(now), now)

    def _after(self, out: bytes, now: float) -> bytes:
        state = self._sender.state
        if state is State.DELIVERED and out == b"\x04":
            self._queue.popleft()
            self.delivered += 1
            self._start_at = now if self._queue else float("inf")
        elif state is State.FAILED and out == b"\x04":
            self.failed += 1
            self._start_at = now + RETRY_S
        return out


class VirtualLis2(VirtualLine):
    """The instrument behind a pseudo-terminal."""

    def __init__(
        self,
        link: Path | None = None,
        *,
        faults: Faults = NO_FAULTS,
        clock: Clock = utc_now,
        one_frame_per_record: bool = True,
        reply_s: float = REPLY_S,
    ) -> None:
        self._reader = Lis2FarEnd(one_frame_per_record=one_frame_per_record, reply_s=reply_s)
        self._clock = clock
        super().__init__(self._reader, link, faults)

    def send_results(
        self,
        sample: str,
        results: Sequence[Lis2Result],
        at: datetime | None = None,
        *,
        operator: str = "",
    ) -> None:
        """A sample was finished at `at` (aware; default: now), and is sent by its clock's now."""
        sent_at = self._clock().astimezone(CHINA)
        wall = at.astimezone(CHINA) if at is not None else sent_at
        records = message(sample, results, wall, operator=operator, sent_at=sent_at)
        with self.lock:
            self._reader.send(records, time.monotonic())
        self.poke()

    @property
    def delivered(self) -> int:
        """Messages that the host has acknowledged."""
        with self.lock:
            return self._reader.delivered

    @property
    def failed(self) -> int:
        """Transfers that were given up and begun again."""
        with self.lock:
            return self._reader.failed
