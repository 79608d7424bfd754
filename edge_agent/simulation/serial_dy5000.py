"""A virtual 达元 DY-5000: plates in its memory, told for a range of days."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec

from contracts.clock import Clock, utc_now
from edge_agent.simulation.serial_asked import AskedFarEnd
from edge_agent.simulation.serial_faults import NO_FAULTS, Faults
from edge_agent.simulation.serial_line import VirtualLine

CHINA = timezone(timedelta(hours=8))
_REQUEST = re.compile(rb"s(\d{6})(\d{6})")


class Hole(msgspec.Struct, frozen=True):
    """A hole from 0 (A1, B1 … H1, A2 …), its absorbance and its value, in thousandths."""

    place: int
    absorbance: int
    value: int


class Plate(msgspec.Struct, frozen=True):
    """A plate; `at` is the instrument's wall clock."""

    item: str
    unit: str
    at: datetime
    holes: Sequence[Hole]


def _milli(number: int, size: int) -> bytes:
    whole, rest = divmod(number, 1000)
    return whole.to_bytes(size, "big") + bytes((rest >> 7, rest & 0x7F))


def plate_frame(plate: Plate) -> bytes:
    """What it sends of a plate."""
    absorbances = b"".join(bytes((0, h.place)) + _milli(h.absorbance, 1) for h in plate.holes)
    values = b"".join(bytes((0, h.place)) + _milli(h.value, 2) for h in plate.holes)
    unit = plate.unit.encode("gb18030")[:10].ljust(10, b"\0")
    item = plate.item.encode("gb18030")[:20].ljust(20, b"\0")
    at = bytes.fromhex(plate.at.strftime("%y%m%d%H%M%S"))
    return b"s" + absorbances + values + unit + at + item + b"e"


class Dy5000FarEnd(AskedFarEnd):
    """The instrument without its line."""

    def __init__(self) -> None:
        self.plates: list[Plate] = []
        self._heard = b""

    def receive(self, data: bytes, now: float) -> bytes:
        self._heard = (self._heard + data)[-64:]
        found = _REQUEST.search(self._heard)
        if found is None:
            return b""
        self._heard = b""
        start, end = found[1].decode(), found[2].decode()
        days = [(plate, plate.at.strftime("%y%m%d")) for plate in self.plates]
        return b"".join(plate_frame(plate) for plate, day in days if start <= day <= end)


class VirtualDy5000(VirtualLine):
    """The instrument behind a pseudo-terminal."""

    def __init__(
        self, link: Path | None = None, *, faults: Faults = NO_FAULTS, clock: Clock = utc_now
    ) -> None:
        self._analyzer = Dy5000FarEnd()
        self._clock = clock
        super().__init__(self._analyzer, link, faults)

    def add_plate(self, item: str, unit: str, holes: Sequence[Hole]) -> None:
        """A plate was read now."""
        at = self._clock().astimezone(CHINA).replace(tzinfo=None)
        with self.lock:
            self._analyzer.plates.append(Plate(item, unit, at, holes))

    def add_test(self, food: str, percent: float) -> dict[str, object]:
        """A plate with one hole, for the `simulate` command."""
        thousandths = round(percent * 1000)
        self.add_plate("呋喃唑酮代谢物", "ug/kg", [Hole(0, 1234, thousandths)])
        return {"hole": "A1", "value": f"{thousandths / 1000:.3f}"}
