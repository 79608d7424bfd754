"""A virtual 泰扬 TTNJZ24 pesticide reader: blocks of eight channels, told when it is asked."""

import struct
from collections.abc import Sequence
from datetime import date, timedelta, timezone
from pathlib import Path

import msgspec

from contracts.clock import Clock, utc_now
from edge_agent.simulation.serial_asked import AskedFarEnd
from edge_agent.simulation.serial_faults import NO_FAULTS, Faults
from edge_agent.simulation.serial_line import VirtualLine

CHINA = timezone(timedelta(hours=8))
CHANNELS = 8
HOLES = (*range(0x21, 0x29), *range(0x31, 0x39))


class Channel(msgspec.Struct, frozen=True):
    """One channel: its hole (0x21 is A1), test number, sample, inhibition as a share, verdict."""

    hole: int
    number: int
    sample: str
    share: float
    verdict: int = 1


def block(number: int, day: date, operator: str, tests: Sequence[Channel]) -> bytes:
    """The 501 bytes of a block; up to eight tests, in the first channels."""
    head = number.to_bytes(4, "big") + b"\0" + _text(f"{day:%Y-%m-%d}", 11) + _text(operator, 11)
    used = (1 << len(tests)) - 1
    channels = b"".join(_channel(test) for test in tests)
    return head + bytes((0, used)) + channels.ljust(CHANNELS * 59, b"\0")


def _text(text: str, size: int) -> bytes:
    return text.encode("gb18030")[:size].ljust(size, b"\0")


def _channel(test: Channel) -> bytes:
    names = _text(test.sample, 15) + bytes(7 + 21)
    figures = struct.pack(">fff", 0.5, 0.25, test.share)
    return (
        bytes((test.hole,))
        + test.number.to_bytes(2, "big")
        + names
        + figures
        + bytes((test.verdict,))
    )


class Ttnjz24FarEnd(AskedFarEnd):
    """The instrument without its line. `waits` for one byte more (24) before it tells."""

    def __init__(self, *, waits: bool = False) -> None:
        self.blocks: list[bytes] = []
        self.pulls = 0
        self._waits = waits
        self._heard = b""

    def receive(self, data: bytes, now: float) -> bytes:
        out = b""
        for byte in data:
            self._heard = (self._heard + bytes((byte,)))[-2:]
            if self._heard == b"\x1b\xbf":
                out += b"\x1b\x05"
            elif self._heard == b"\x1b\xb1":
                out += b"\x1b\xc1" + (b"" if self._waits else self._memory())
            elif self._waits and byte == 0x24:
                out += self._memory()
        return out

    def _memory(self) -> bytes:
        self.pulls += 1
        return b"".join(self.blocks) + b"\x1b\xfe"


class VirtualTtnjz24(VirtualLine):
    """The instrument behind a pseudo-terminal."""

    def __init__(
        self,
        link: Path | None = None,
        *,
        waits: bool = False,
        faults: Faults = NO_FAULTS,
        clock: Clock = utc_now,
    ) -> None:
        self._reader = Ttnjz24FarEnd(waits=waits)
        self._clock = clock
        super().__init__(self._reader, link, faults)

    @property
    def pulls(self) -> int:
        """How often its memory was asked for."""
        with self.lock:
            return self._reader.pulls

    def add_block(self, tests: Sequence[Channel], operator: str = "快检员") -> int:
        """A block of tests is finished today; returns its number."""
        day = self._clock().astimezone(CHINA).date()
        with self.lock:
            number = len(self._reader.blocks) + 1
            self._reader.blocks.append(block(number, day, operator, tests))
        return number

    def add_test(self, food: str, percent: float) -> dict[str, object]:
        """A block with one test, for the `simulate` command."""
        verdict = 2 if percent >= 50 else 1
        number = self.add_block([Channel(HOLES[0], 1, food, percent / 100, verdict)])
        return {"block": number, "name": food, "value": f"{percent:.2f}"}
