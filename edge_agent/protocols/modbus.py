"""Modbus as a client, RTU and ASCII: requests, and the reply found among echo and noise.

Rules. A reply is known by the request that it answers: unit, function and byte count say its
length, the check proves it. Exceptions are answers. What comes before it (noise, the request's echo
on an RS-485 line, another unit's reply, half a reply) is discarded and told, and costs nothing.
"""

from collections.abc import Sequence

import msgspec

from edge_agent.protocols.checks import complement8, crc16_modbus
from edge_agent.protocols.events import Discarded, Scrap
from edge_agent.protocols.shapes import NEED_MORE, Misfit

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}


class Request(msgspec.Struct, frozen=True):
    """Read `count` registers (functions 3, 4) or bits (1, 2) from `start` (counted from 0)."""

    unit: int
    function: int
    start: int
    count: int

    @property
    def body(self) -> bytes:
        """Unit, function and arguments, without check."""
        return (
            bytes((self.unit, self.function))
            + self.start.to_bytes(2, "big")
            + self.count.to_bytes(2, "big")
        )

    @property
    def data_bytes(self) -> int:
        """Bytes of data in a good reply."""
        return self.count * 2 if self.function in (3, 4) else (self.count + 7) // 8


class Reply(msgspec.Struct, frozen=True):
    """A good reply: its register bytes, and the whole frame as it came."""

    offset: int
    data: bytes
    raw: bytes


class Refusal(msgspec.Struct, frozen=True):
    """An exception reply."""

    offset: int
    code: int
    raw: bytes

    @property
    def text(self) -> str:
        """What the code means."""
        return f"exception {self.code} ({EXCEPTIONS.get(self.code, 'unknown')})"


ModbusEvent = Reply | Refusal | Discarded
ECHO = "echo of the request"


def rtu(body: bytes) -> bytes:
    """`body` with its CRC."""
    return body + crc16_modbus(body).to_bytes(2, "little")


def ascii_frame(body: bytes) -> bytes:
    """`body` in Modbus ASCII: colon, hexadecimal digits, LRC, CR LF."""
    return b":" + (body + bytes((complement8(body),))).hex().upper().encode() + b"\r\n"


class RtuReplyReader:
    """Finds the reply to one request. Answered once; what comes after that is discarded."""

    def __init__(self, request: Request, offset: int = 0) -> None:
        self.answered = False
        self._echo = rtu(request.body)
        self._normal = bytes((request.unit, request.function, request.data_bytes))
        self._size = len(self._normal) + request.data_bytes + 2
        exception = bytes((request.unit, request.function | 0x80))
        self._candidates = (
            (self._normal, self._size), (self._echo, len(self._echo)), (exception, 5),
        )  # fmt: skip
        self._buffer = bytearray()
        self._offset = offset
        self._scrap = Scrap()

    @property
    def sent(self) -> bytes:
        """The request as it goes on the line."""
        return self._echo

    def receive(self, data: bytes) -> list[ModbusEvent]:
        """Take what was read."""
        self._buffer += data
        return self._scan(final=False)

    def flush(self) -> list[ModbusEvent]:
        """The time for the reply is over."""
        return [*self._scan(final=True), *self._scrap.flush()]

    def _scan(self, *, final: bool) -> list[ModbusEvent]:
        buffer, at = self._buffer, 0
        told: list[ModbusEvent] = []
        while at < len(buffer):
            size, may_grow = (0, False) if self.answered else self._measure(at)
            if size > 0:
                told += self._scrap.flush()
                raw = bytes(buffer[at : at + size])
                if raw == self._echo:
                    told.append(Discarded(self._offset + at, raw, ECHO))
                elif raw[1] & 0x80:
                    self.answered = True
                    told.append(Refusal(self._offset + at, raw[2], raw))
                else:
                    self.answered = True
                    told.append(Reply(self._offset + at, raw[3:-2], raw))
                at += size
            elif may_grow and not final:
                break
            else:
                reason = "after the reply" if self.answered else "not the reply asked for"
                told += self._scrap.add(self._offset + at, buffer[at : at + 1], reason)
                at += 1
        del buffer[:at]
        self._offset += at
        return told

    def _measure(self, at: int) -> tuple[int, bool]:
        """Size of what stands at `at` (0: nothing yet), and whether more bytes could change it."""
        buffer, may_grow = self._buffer, False
        left = len(buffer) - at
        for head, size in self._candidates:
            if not head.startswith(buffer[at : at + len(head)]):
                continue
            if left < size:
                may_grow = True
                continue
            if crc16_modbus(bytes(buffer[at : at + size])) == 0:
                return size, False
        return 0, may_grow


class RtuShape:
    """Requests and their replies in a recording, for a sliding framer: the check proves them."""

    head = b""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._candidates: list[tuple[bytes, int]] = []
        for request in requests:
            normal = bytes((request.unit, request.function, request.data_bytes))
            self._candidates += [
                (request.body, len(request.body) + 2),
                (normal, len(normal) + request.data_bytes + 2),
                (bytes((request.unit, request.function | 0x80)), 5),
            ]

    def measure(self, buffer: bytearray, at: int) -> int | Misfit:
        may_grow = False
        left = len(buffer) - at
        for head, size in self._candidates:
            if not head.startswith(bytes(buffer[at : at + len(head)])):
                continue
            if left < size:
                may_grow = True
            elif crc16_modbus(bytes(buffer[at : at + size])) == 0:
                return size
        return NEED_MORE if may_grow else Misfit(Scrap.NOISE)

    def flags(self, frame: bytes) -> tuple[str, ...]:
        return ()


class AsciiReplyReader:
    """Finds the reply to one request in Modbus ASCII."""

    MAX_BYTES = 600

    def __init__(self, request: Request, offset: int = 0) -> None:
        self.answered = False
        self._body = request.body
        self._request = request
        self._buffer = bytearray()
        self._offset = offset
        self._scrap = Scrap()

    @property
    def sent(self) -> bytes:
        """The request as it goes on the line."""
        return ascii_frame(self._body)

    def receive(self, data: bytes) -> list[ModbusEvent]:
        """Take what was read."""
        told: list[ModbusEvent] = []
        for byte in data:
            if byte == 0x3A and self._buffer:
                self._discard(told, "not the reply asked for")
            self._buffer.append(byte)
            if byte == 0x0A:
                self._line(told)
            elif len(self._buffer) > self.MAX_BYTES:
                self._discard(told, "no end of line")
        return told

    def flush(self) -> list[ModbusEvent]:
        """The time for the reply is over."""
        told: list[ModbusEvent] = []
        if self._buffer:
            self._discard(told, "frame is incomplete")
        return [*told, *self._scrap.flush()]

    def _line(self, told: list[ModbusEvent]) -> None:
        raw = bytes(self._buffer)
        try:
            frame = bytes.fromhex(raw.strip()[1:].decode("ascii")) if raw[:1] == b":" else b""
        except ValueError:
            frame = b""
        body, request = frame[:-1], self._request
        good = len(frame) > 2 and complement8(body) == frame[-1] and body[0] == request.unit
        size = request.data_bytes
        if good and body == self._body:
            self._discard(told, ECHO)
        elif good and len(body) == 3 and body[1] == request.function | 0x80 and not self.answered:
            self._answer(told, Refusal(self._offset, body[2], raw))
        elif (
            good
            and not self.answered
            and body[1:3] == bytes((request.function, size))
            and len(body) == size + 3
        ):
            self._answer(told, Reply(self._offset, body[3:], raw))
        else:
            self._discard(told, "not the reply asked for")

    def _answer(self, told: list[ModbusEvent], reply: Reply | Refusal) -> None:
        self.answered = True
        told += self._scrap.flush()
        told.append(reply)
        self._offset += len(self._buffer)
        self._buffer.clear()

    def _discard(self, told: list[ModbusEvent], reason: str) -> None:
        told += self._scrap.add(self._offset, self._buffer, reason)
        self._offset += len(self._buffer)
        self._buffer.clear()
