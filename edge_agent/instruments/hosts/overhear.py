"""Reads a Modbus unit's replies out of a recording, in which the requests may stand or not."""

from datetime import datetime

from contracts.profile import Modbus
from edge_agent.instruments.decoder import decode_registers
from edge_agent.instruments.fields import DecodeError
from edge_agent.instruments.hosts.actions import NEVER, Actions, Answered, Noise, SetAside, Take
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.protocols.events import Discarded, Frame
from edge_agent.protocols.framing import SlidingFramer
from edge_agent.protocols.modbus import (
    EXCEPTIONS,
    AsciiReplyReader,
    Refusal,
    Reply,
    Request,
    RtuShape,
)


class OverhearHost:
    """Never speaks. RTU replies are known by unit, function, byte count and check."""

    busy = False

    def __init__(self, profile: LoadedProfile, dialogue: Modbus, *, address: int | None) -> None:
        self._profile = profile
        unit = dialogue.unit if address is None else address
        self._requests = {
            read.name: Request(unit, read.function, read.start, read.count)
            for read in dialogue.reads
        }
        self._ascii = dialogue.transport == "ascii"
        self._framer = SlidingFramer(RtuShape(list(self._requests.values())))
        self._line = b""
        self._offset = 0
        self._next = 0

    def due(self) -> float:
        return NEVER

    def open(self, now: float) -> Actions:
        yield from ()

    def wake(self, now: float, at: datetime) -> Actions:
        yield from ()

    def refused(self, now: float) -> Actions:
        yield from ()

    def receive(self, data: bytes, now: float, at: datetime) -> Actions:
        if self._ascii:
            *lines, self._line = (self._line + data).split(b"\n")
            for line in lines:
                yield from self._ascii_line(line + b"\n")
            return
        for event in self._framer.receive(data):
            yield from self._rtu(event)

    def finish(self) -> Actions:
        if self._ascii and self._line:
            yield from self._ascii_line(self._line)
        for event in self._framer.flush():
            yield from self._rtu(event)

    def _rtu(self, event: Frame | Discarded) -> Actions:
        if isinstance(event, Discarded):
            yield Noise(event)
            return
        frame = event.content
        if any(frame[:-2] == request.body for request in self._requests.values()):
            return  # a request
        if frame[1] & 0x80:
            yield Answered(f"exception {frame[2]} ({EXCEPTIONS.get(frame[2], 'unknown')})")
            return
        # Reads of one length can't be told apart by the reply: they come in the profile's turn.
        names = list(self._requests)
        fitting = [
            name
            for name in names[self._next :] + names[: self._next]
            if self._requests[name].function == frame[1]
            and self._requests[name].data_bytes == frame[2]
        ]
        self._next = (names.index(fitting[0]) + 1) % len(names)
        yield from self._rows(fitting[0], frame[3:-2], frame, event.offset)

    def _ascii_line(self, line: bytes) -> Actions:
        lost: list[Discarded] = []
        for name, request in self._requests.items():
            reader = AsciiReplyReader(request, self._offset)
            lost = []
            for event in [*reader.receive(line), *reader.flush()]:
                if isinstance(event, Reply):
                    yield from self._rows(name, event.data, event.raw, event.offset)
                elif isinstance(event, Refusal):
                    yield Answered(event.text)
                else:
                    lost.append(event)
            if not lost:
                break
        for discarded in lost:
            yield Noise(discarded)
        self._offset += len(line)

    def _rows(self, name: str, data: bytes, raw: bytes, offset: int) -> Actions:
        try:
            rows = decode_registers(self._profile, name, data, raw)
        except DecodeError as error:
            yield SetAside(raw, str(error), offset)
            return
        yield Take(rows)
