"""A virtual 达元 LZ-4000T pesticide reader: its memory of records, its requests, its frames."""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import msgspec

from contracts.clock import Clock, utc_now
from contracts.profile_framing import Check, LengthFramer
from edge_agent.protocols.checks import crc8
from edge_agent.protocols.framing import make_framer
from edge_agent.simulation.serial_asked import FramedFarEnd
from edge_agent.simulation.serial_faults import NO_FAULTS, Faults
from edge_agent.simulation.serial_line import VirtualLine

NAME_BYTES = 6
CHINA = timezone(timedelta(hours=8))
_REQUESTS = LengthFramer(
    head="7E", length_at=2, length_size=2, length_adds=6, min_bytes=6, max_bytes=32, tail="AA",
    check=Check(kind="crc8", start=1, at=-2),
)  # fmt: skip


class Record(msgspec.Struct, frozen=True):
    """One test in the instrument's memory; `at` is its own wall clock."""

    number: int
    name: str
    inhibition: float
    at: datetime


def frame(command: int, data: bytes) -> bytes:
    """A frame of the 7E family with CRC-8."""
    body = bytes((command,)) + len(data).to_bytes(2, "little") + data
    return b"\x7e" + body + bytes((crc8(body),)) + b"\xaa"


def record_frame(record: Record, total: int) -> bytes:
    """The 26 bytes of a record; the name is cut to six bytes, inside a character if it so falls."""
    at = record.at
    when = bytes((at.year % 100, at.month, at.day, at.hour, at.minute, at.second))
    data = total.to_bytes(2, "little") + b"\0\0" + record.number.to_bytes(2, "little")
    data += record.name.encode("gb18030")[:NAME_BYTES].ljust(NAME_BYTES, b"\0") + when
    return frame(0x11, data + round(record.inhibition * 100).to_bytes(2, "little"))


class Lz4000tFarEnd(FramedFarEnd):
    """The instrument without its line."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.pulls = 0
        super().__init__(make_framer(_REQUESTS))

    def _reply(self, request: bytes) -> bytes:
        command, data = request[1], request[4:-2]
        if command == 0x00:
            return frame(0x01, b"LZ4")
        if command not in (0x10, 0x12) or len(data) != 3:
            return b""
        try:
            day = date(2000 + data[0], data[1], data[2])
        except ValueError:
            return b""
        found = [record for record in self.records if record.at.date() == day]
        if command == 0x12:
            return frame(0x13, len(found).to_bytes(2, "little") + data)
        self.pulls += 1
        return b"".join(record_frame(record, len(found)) for record in found)


class VirtualLz4000t(VirtualLine):
    """The instrument behind a pseudo-terminal."""

    def __init__(
        self, link: Path | None = None, *, faults: Faults = NO_FAULTS, clock: Clock = utc_now
    ) -> None:
        self._reader = Lz4000tFarEnd()
        self._clock = clock
        super().__init__(self._reader, link, faults)

    @property
    def records(self) -> list[Record]:
        """What is in the memory."""
        with self.lock:
            return list(self._reader.records)

    @property
    def pulls(self) -> int:
        """How often records of a day were asked for."""
        with self.lock:
            return self._reader.pulls

    def add_record(self, name: str, inhibition: float, at: datetime | None = None) -> Record:
        """A test is finished: inhibition in percent (0–655.35), at `at` (aware; default now)."""
        wall = (at or self._clock()).astimezone(CHINA).replace(tzinfo=None)
        with self.lock:
            record = Record(len(self._reader.records) + 1, name, inhibition, wall)
            self._reader.records.append(record)
        return record

    def take_away(self, number: int) -> Record:
        """Remove a record from the memory, as one who hides a result would; returns it."""
        with self.lock:
            (record,) = (each for each in self._reader.records if each.number == number)
            self._reader.records.remove(record)
        return record

    def put_back(self, record: Record) -> None:
        """The record is in the memory again, at its place."""
        with self.lock:
            self._reader.records.append(record)
            self._reader.records.sort(key=lambda each: each.number)
