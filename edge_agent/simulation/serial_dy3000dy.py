"""Virtual 达元 DY-3000DY analyzers: newer firmware (03 FE, three memories), and older."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec

from contracts.clock import Clock, utc_now
from contracts.profile_framing import Check, LengthFramer
from edge_agent.instruments.numbers import fat_time
from edge_agent.protocols.checks import xor8
from edge_agent.protocols.framing import make_framer
from edge_agent.simulation.serial_asked import AskedFarEnd, FramedFarEnd
from edge_agent.simulation.serial_faults import NO_FAULTS, Faults
from edge_agent.simulation.serial_line import VirtualLine

CHINA = timezone(timedelta(hours=8))
WET, GOLD, DRY = 0x40, 0x60, 0x70
"""The three memories: their requests are 43 45, 63 65, 73 75."""
_REQUESTS = LengthFramer(
    head="03FF", length_at=8, length_size=2, length_adds=12, min_bytes=12, max_bytes=64,
    head_check=Check(kind="xor8", at=10), check=Check(kind="xor8", at=11, start=12),
)  # fmt: skip
OLD_REQUEST = b"AABB068301F9010000"


class Stored(msgspec.Struct, frozen=True):
    """A record in a memory: when (the instrument's wall clock), and its bytes."""

    at: datetime
    content: bytes


def frame(command: int, argument: bytes, data: bytes, direction: int = 0xFE) -> bytes:
    """A frame with both checks; `argument` is padded to four bytes."""
    head = bytes((3, direction, command, 0)) + argument.ljust(4, b"\0")
    head += len(data).to_bytes(2, "little")
    return head + bytes((xor8(head), xor8(data))) + data


def wet_record(item: int, at: datetime, channels: Sequence[tuple[int, int, bytes]]) -> bytes:
    """Wet chemistry: channels of number, flags and the four bytes of the value."""
    data = bytes((1, item, 0, 0)) + fat_time(at)
    return data + b"".join(bytes((number, flags, 0, 0)) + v for number, flags, v in channels)


def strip_record(item: int, at: datetime, number: int, outcome: int) -> bytes:
    """A strip: 1 positive, 2 negative, 3 NA."""
    return bytes((1, item)) + fat_time(at) + number.to_bytes(2, "little") + bytes((outcome,))


class Dy3000dyFarEnd(FramedFarEnd):
    """The newer firmware without its line."""

    def __init__(self) -> None:
        self.memories: dict[int, list[Stored]] = {WET: [], GOLD: [], DRY: []}
        self.fetches = 0
        super().__init__(make_framer(_REQUESTS))

    def _reply(self, request: bytes) -> bytes:
        command, argument, data = request[2], request[4:8], request[12:]
        memory = self.memories.get(command & 0xF0)
        if memory is None:
            return b""
        if command & 0x0F == 3 and len(data) == 8:
            return frame(command, argument, data + self._range(memory, data))
        if command & 0x0F == 5:
            self.fetches += 1
            index = int.from_bytes(argument, "little")
            found = memory[index].content if index < len(memory) else bytes(11)
            return frame(command, argument, found)
        return b""

    @staticmethod
    def _range(memory: list[Stored], data: bytes) -> bytes:
        """First index, and the one past the last, of the records between two times."""
        start, end = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4))
        found = [
            index
            for index, each in enumerate(memory)
            if start <= int.from_bytes(fat_time(each.at), "little") <= end
        ]
        first, past = (found[0], found[-1] + 1) if found else (0, 0)
        return first.to_bytes(2, "little") + past.to_bytes(2, "little")


class VirtualDy3000dy(VirtualLine):
    """The newer firmware behind a pseudo-terminal."""

    def __init__(
        self, link: Path | None = None, *, faults: Faults = NO_FAULTS, clock: Clock = utc_now
    ) -> None:
        self._analyzer = Dy3000dyFarEnd()
        self._clock = clock
        super().__init__(self._analyzer, link, faults)

    @property
    def fetches(self) -> int:
        """How often a record was asked for."""
        with self.lock:
            return self._analyzer.fetches

    def add_wet(self, channels: Sequence[tuple[int, int, bytes]], item: int = 0) -> None:
        """A wet-chemistry test is finished now."""
        at = self._clock().astimezone(CHINA).replace(tzinfo=None)
        with self.lock:
            stored = Stored(at, wet_record(item, at, channels))
            self._analyzer.memories[WET].append(stored)

    def add_strip(self, number: int, outcome: int, item: int = 0, memory: int = GOLD) -> None:
        """A strip was read now."""
        at = self._clock().astimezone(CHINA).replace(tzinfo=None)
        with self.lock:
            stored = Stored(at, strip_record(item, at, number, outcome))
            self._analyzer.memories[memory].append(stored)

    def add_test(self, food: str, percent: float) -> dict[str, object]:
        """A test for the `simulate` command; the instrument keeps no food's name."""
        tenths = round(percent * 10)
        self.add_wet([(0, 0x80, bytes(4)), (1, 0x80, tenths.to_bytes(4, "little"))])
        return {"channel": 1, "value": f"{tenths / 10:.1f}"}


class Dy3000dyOldFarEnd(AskedFarEnd):
    """The older firmware without its line: one request, its whole memory as the answer."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self._heard = b""

    def receive(self, data: bytes, now: float) -> bytes:
        self._heard = (self._heard + data)[-64:]
        if OLD_REQUEST not in self._heard:
            return b""
        self._heard = b""
        content = b"".join(self.records)
        return b"\x81\x04" + len(content).to_bytes(2, "little") + content + b"\x01\x81"


class VirtualDy3000dyOld(VirtualLine):
    """The older firmware behind a pseudo-terminal."""

    def __init__(
        self, link: Path | None = None, *, faults: Faults = NO_FAULTS, clock: Clock = utc_now
    ) -> None:
        self._analyzer = Dy3000dyOldFarEnd()
        self._clock = clock
        super().__init__(self._analyzer, link, faults)

    def add_test(self, food: str, percent: float) -> dict[str, object]:
        """A test is finished; it keeps the last 25."""
        at = self._clock().astimezone(CHINA)
        with self.lock:
            records = self._analyzer.records
            number = records[-1][0] % 255 + 1 if records else 1
            when = bytes((at.year % 100, at.month, at.day, at.hour, at.minute))
            value = round(percent * 100).to_bytes(2, "little")
            records.append(bytes((number, 0, 0)) + when + value)
            del records[:-25]
        return {"record": number, "value": f"{percent:.2f}"}
