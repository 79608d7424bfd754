"""Shapes of binary frames: whether a frame stands at a place in the buffer, and how long it is."""

from typing import Protocol

import msgspec

from contracts.profile_framing import (
    Check,
    FixedFramer,
    Guard,
    LengthFramer,
    RowsFramer,
    UntilFramer,
)
from edge_agent.protocols.checks import complaint


class Misfit(msgspec.Struct, frozen=True):
    """No frame stands here."""

    reason: str


NEED_MORE = 0


def unguarded(guards: tuple[Guard, ...], frame: bytes) -> str:
    """Empty if all guards hold, else which does not."""
    for guard in guards:
        at = guard.at if guard.at >= 0 else len(frame) + guard.at
        found = frame[at : at + guard.length] if at >= 0 else b""
        fits = len(found) == guard.length and all(guard.low <= b <= guard.high for b in found)
        if not fits or (guard.bcd and not found.hex().isdecimal()):
            return f"bytes {at} to {at + guard.length - 1} cannot be {found.hex().upper()}"
    return ""


class Shape(Protocol):
    """What a framer slides along the stream."""

    @property
    def head(self) -> bytes:
        """Bytes that open every frame; may be empty."""

    def measure(self, buffer: bytearray, at: int) -> int | Misfit:
        """Bytes of the frame at `at`, NEED_MORE, or why there is none."""

    def flags(self, frame: bytes) -> tuple[str, ...]:
        """What is to be said of a frame that was let pass."""


class _Checked:
    """A head, a tail, a check value and guards."""

    def __init__(
        self, head: str, tail: str, check: Check | None, guards: tuple[Guard, ...] = ()
    ) -> None:
        self.head = bytes.fromhex(head)
        self._tail = bytes.fromhex(tail)
        self._guards = guards
        self._strict = check if check is not None and check.verify == "strict" else None
        self._lenient = check if check is not None and check.verify == "warn" else None

    def _whole(self, buffer: bytearray, at: int, size: int) -> int | Misfit:
        frame = bytes(buffer[at : at + size])
        if not frame.endswith(self._tail):
            return Misfit(f"frame of {size} bytes does not end with {self._tail.hex().upper()}")
        if self._strict is not None and (wrong := complaint(self._strict, frame)):
            return Misfit(wrong)
        if wrong := unguarded(self._guards, frame):
            return Misfit(wrong)
        return size

    def flags(self, frame: bytes) -> tuple[str, ...]:
        if self._lenient is not None and complaint(self._lenient, frame):
            return ("bad_check",)
        return ()


class LengthShape(_Checked):
    """Frames that say their length."""

    def __init__(self, spec: LengthFramer) -> None:
        super().__init__(spec.head, spec.tail, spec.check, spec.guards)
        self._spec = spec
        self._length_end = spec.length_at + spec.length_size
        header = spec.head_check
        self._known_after = max(
            self._length_end, header.at + header.width if header is not None else 0
        )

    def measure(self, buffer: bytearray, at: int) -> int | Misfit:
        spec, have = self._spec, len(buffer) - at
        if have < self._known_after:
            return NEED_MORE
        if spec.head_check is not None and spec.head_check.verify == "strict":
            header = bytes(buffer[at : at + self._known_after])
            if wrong := complaint(spec.head_check, header):
                return Misfit(f"header: {wrong}")
        number = int.from_bytes(
            buffer[at + spec.length_at : at + self._length_end], spec.length_order
        )
        size = number + spec.length_adds
        if not spec.min_bytes <= size <= spec.max_bytes:
            return Misfit(f"length {size} is not within {spec.min_bytes} to {spec.max_bytes} bytes")
        return NEED_MORE if have < size else self._whole(buffer, at, size)


class FixedShape(_Checked):
    """Frames of one size."""

    def __init__(self, spec: FixedFramer) -> None:
        super().__init__(spec.head, spec.tail, spec.check, spec.guards)
        self._size = spec.size

    def measure(self, buffer: bytearray, at: int) -> int | Misfit:
        if len(buffer) - at < self._size:
            return NEED_MORE
        return self._whole(buffer, at, self._size)


class RowsShape:
    """Any number of rows, then a trailer and a tail that guards tell from rows."""

    def __init__(self, spec: RowsFramer) -> None:
        self.head = bytes.fromhex(spec.head)
        self._tail = bytes.fromhex(spec.tail)
        self._spec = spec
        self._front = tuple(guard for guard in spec.guards if guard.at >= 0)
        self._probe = max((guard.at + guard.length for guard in self._front), default=0)

    def measure(self, buffer: bytearray, at: int) -> int | Misfit:
        spec = self._spec
        if len(buffer) - at < self._probe:
            return NEED_MORE
        if wrong := unguarded(self._front, bytes(buffer[at : at + self._probe])):
            return Misfit(wrong)
        around = len(self.head) + spec.trailer + len(self._tail)
        for rows in range(1, spec.max_rows + 1):
            size = around + rows * spec.row
            if len(buffer) - at < size:
                return NEED_MORE
            block = at + len(self.head) + (rows - 1) * spec.each_size
            if wrong := unguarded(spec.each, bytes(buffer[block : block + spec.each_size])):
                return Misfit(f"row {rows}: {wrong}")
            frame = bytes(buffer[at : at + size])
            if frame.endswith(self._tail) and not unguarded(spec.guards, frame):
                return size
        return Misfit(f"no end that fits within {spec.max_rows} rows")

    def flags(self, frame: bytes) -> tuple[str, ...]:
        return ()


class UntilShape:
    """Records of one size until an end record."""

    def __init__(self, spec: UntilFramer) -> None:
        self.head = bytes.fromhex(spec.prefix or spec.head)
        self._prefix = bytes.fromhex(spec.prefix)
        self._record = bytes.fromhex(spec.head)
        self._tail = bytes.fromhex(spec.tail)
        self._end = bytes.fromhex(spec.end)
        self._spec = spec

    def measure(self, buffer: bytearray, at: int) -> int | Misfit:
        place = at + len(self._prefix)
        while True:
            if buffer.startswith(self._end, place):
                return place + len(self._end) - at
            left = len(buffer) - place
            if place - at + self._spec.size > self._spec.max_bytes:
                return Misfit(f"no end record within {self._spec.max_bytes} bytes")
            if not self._record.startswith(bytes(buffer[place : place + len(self._record)])):
                return Misfit(f"record at {place - at} does not begin {self._spec.head}")
            if left < max(self._spec.size, len(self._end)):
                return NEED_MORE
            if not buffer[place : place + self._spec.size].endswith(self._tail):
                return Misfit(f"record at {place - at} does not end {self._spec.tail}")
            place += self._spec.size

    def flags(self, frame: bytes) -> tuple[str, ...]:
        return ()
