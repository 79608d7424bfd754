"""Shapes of binary frames: whether a frame stands at a place in the buffer, and how long it is."""

from typing import Protocol

import msgspec

from contracts.profile_framing import Check, FixedFramer, LengthFramer, UntilFramer
from edge_agent.protocols.checks import complaint


class Misfit(msgspec.Struct, frozen=True):
    """No frame stands here."""

    reason: str


NEED_MORE = 0


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
    """A head, a tail and a check value."""

    def __init__(self, head: str, tail: str, check: Check | None) -> None:
        self.head = bytes.fromhex(head)
        self._tail = bytes.fromhex(tail)
        self._strict = check if check is not None and check.verify == "strict" else None
        self._lenient = check if check is not None and check.verify == "warn" else None

    def _whole(self, buffer: bytearray, at: int, size: int) -> int | Misfit:
        frame = bytes(buffer[at : at + size])
        if not frame.endswith(self._tail):
            return Misfit(f"frame of {size} bytes does not end with {self._tail.hex().upper()}")
        if self._strict is not None and (wrong := complaint(self._strict, frame)):
            return Misfit(wrong)
        return size

    def flags(self, frame: bytes) -> tuple[str, ...]:
        if self._lenient is not None and complaint(self._lenient, frame):
            return ("bad_check",)
        return ()


class LengthShape(_Checked):
    """Frames that say their length."""

    def __init__(self, spec: LengthFramer) -> None:
        super().__init__(spec.head, spec.tail, spec.check)
        self._spec = spec
        self._known_after = spec.length_at + spec.length_size

    def measure(self, buffer: bytearray, at: int) -> int | Misfit:
        spec, have = self._spec, len(buffer) - at
        if have < self._known_after:
            return NEED_MORE
        number = int.from_bytes(
            buffer[at + spec.length_at : at + self._known_after], spec.length_order
        )
        size = number + spec.length_adds
        if not spec.min_bytes <= size <= spec.max_bytes:
            return Misfit(f"length {size} is not within {spec.min_bytes} to {spec.max_bytes} bytes")
        return NEED_MORE if have < size else self._whole(buffer, at, size)


class FixedShape(_Checked):
    """Frames of one size."""

    def __init__(self, spec: FixedFramer) -> None:
        super().__init__(spec.head, spec.tail, spec.check)
        self._size = spec.size

    def measure(self, buffer: bytearray, at: int) -> int | Misfit:
        if len(buffer) - at < self._size:
            return NEED_MORE
        return self._whole(buffer, at, self._size)


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
