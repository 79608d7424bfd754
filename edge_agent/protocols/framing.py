"""Framers: bytes in, frames out, the same whatever way the bytes were split into reads.

Rules. A frame is believed only when head, length, tail and check agree. Where they do not, the
framer slides on by one byte and tries again, so that a damaged frame costs only itself. A place
that could still become a frame is waited for; `flush` (the line fell silent, or ended) gives it up
the same way: by one byte, then what follows is tried. Memory is bounded by the longest frame.
Nothing that comes from the line raises.
"""

from typing import Protocol

from contracts.profile_framing import (
    FixedFramer,
    Framer,
    IdleFramer,
    LengthFramer,
    LineFramer,
    RowsFramer,
    SeriesFramer,
    StartEndFramer,
    UntilFramer,
)
from edge_agent.protocols.checks import complaint
from edge_agent.protocols.events import Frame, FrameEvent, Scrap
from edge_agent.protocols.series import SeriesReader
from edge_agent.protocols.shapes import (
    NEED_MORE,
    FixedShape,
    LengthShape,
    Misfit,
    RowsShape,
    Shape,
    UntilShape,
)


class FrameReader(Protocol):
    """What every framer does."""

    @property
    def pending(self) -> bool:
        """Whether bytes are held that `flush` would give up."""

    def receive(self, data: bytes) -> list[FrameEvent]:
        """Take what was read; returns what is now certain."""

    def flush(self) -> list[FrameEvent]:
        """The line fell silent or ended: give up what is incomplete."""


class SlidingFramer:
    """Finds frames of a `Shape`."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._buffer = bytearray()
        self._offset = 0
        self._scrap = Scrap()

    @property
    def pending(self) -> bool:
        return bool(self._buffer)

    def receive(self, data: bytes) -> list[FrameEvent]:
        self._buffer += data
        return self._scan(final=False)

    def flush(self) -> list[FrameEvent]:
        return [*self._scan(final=True), *self._scrap.flush()]

    def _scan(self, *, final: bool) -> list[FrameEvent]:
        buffer, shape, told, at = self._buffer, self._shape, list[FrameEvent](), 0
        while at < len(buffer):
            start = _find_head(buffer, shape.head, at)
            if start > at:
                told += self._scrap.add(self._offset + at, buffer[at:start], Scrap.NOISE)
                at = start
                continue
            size = shape.measure(buffer, at)
            if isinstance(size, Misfit) or (size == NEED_MORE and final):
                reason = size.reason if isinstance(size, Misfit) else "frame is incomplete"
                told += self._scrap.add(self._offset + at, buffer[at : at + 1], reason)
                at += 1
            elif size == NEED_MORE:
                break
            else:
                told += self._scrap.flush()
                content = bytes(buffer[at : at + size])
                told.append(Frame(self._offset + at, content, shape.flags(content)))
                at += size
        del buffer[:at]
        self._offset += at
        return told


def _find_head(buffer: bytearray, head: bytes, at: int) -> int:
    """First place from `at` where a head stands or, at the buffer's end, has begun."""
    if not head:
        return at
    place = buffer.find(head, at)
    if place >= 0:
        return place
    for keep in range(min(len(head) - 1, len(buffer) - at), 0, -1):
        if buffer.endswith(head[:keep]):
            return len(buffer) - keep
    return len(buffer)


class DelimitedFramer:
    """Frames that end with a tail: lines of text, or text between a head and a tail.

    A head inside a frame begins it anew. Too long a frame is discarded up to the next tail (or
    head), so that its end is not taken for a frame of its own.
    """

    def __init__(self, spec: LineFramer | StartEndFramer) -> None:
        line = isinstance(spec, LineFramer)
        self._head = b"" if isinstance(spec, LineFramer) else bytes.fromhex(spec.head)
        self._tail = bytes.fromhex(spec.end if isinstance(spec, LineFramer) else spec.tail)
        self._check = None if isinstance(spec, LineFramer) else spec.check
        self._max_bytes = spec.max_bytes
        self._skip_empty = line
        self._buffer = bytearray()
        self._offset = 0
        self._scrap = Scrap()
        self._overlong = False

    @property
    def pending(self) -> bool:
        return bool(self._buffer) or self._overlong

    def receive(self, data: bytes) -> list[FrameEvent]:
        told: list[FrameEvent] = []
        # In pieces that never overfill: a long read must not decide differently from short ones.
        at = 0
        while at < len(data):
            room = max(1, self._max_bytes + 1 - len(self._buffer))
            self._buffer += data[at : at + room]
            at += room
            self._scan(told)
        return told

    def flush(self) -> list[FrameEvent]:
        told: list[FrameEvent] = []
        if self._buffer:
            reason = "too long" if self._overlong else "frame is incomplete"
            self._discard(told, len(self._buffer), reason)
        self._overlong = False
        return [*told, *self._scrap.flush()]

    def _scan(self, told: list[FrameEvent]) -> None:
        buffer = self._buffer
        while buffer:
            if self._head and not self._overlong:
                start = _find_head(buffer, self._head, 0)
                if start:
                    self._discard(told, start, Scrap.NOISE)
                    continue
                if len(buffer) < len(self._head):
                    return
            end = buffer.find(self._tail, len(self._head) if not self._overlong else 0)
            limit = end + len(self._tail) if end >= 0 else len(buffer)
            again = buffer.rfind(self._head, 1, limit) if self._head else -1
            if again > 0 and (end < 0 or again < end):
                reason = "too long" if self._overlong else "a new frame began inside"
                self._overlong = False
                self._discard(told, again, reason)
                continue
            if end >= 0:
                self._take(told, limit)
            elif self._overlong:
                keep = len(self._tail) + len(self._head)
                if len(buffer) > keep:
                    self._discard(told, len(buffer) - keep, "too long")
                return
            elif len(buffer) > self._max_bytes:
                self._overlong = True
                self._discard(told, 1, f"no end within {self._max_bytes} bytes")
            else:
                return

    def _take(self, told: list[FrameEvent], size: int) -> None:
        frame = bytes(self._buffer[:size])
        if self._overlong or size > self._max_bytes:
            self._overlong = False
            self._discard(told, size, f"no end within {self._max_bytes} bytes")
            return
        if self._skip_empty and not frame.strip():
            del self._buffer[:size]
            self._offset += size
            told += self._scrap.flush()
            return
        flags: tuple[str, ...] = ()
        if (
            self._check is not None
            and self._check.verify != "off"
            and (wrong := complaint(self._check, frame))
        ):
            if self._check.verify == "strict":
                self._discard(told, size, wrong)
                return
            flags = ("bad_check",)
        told += self._scrap.flush()
        told.append(Frame(self._offset, frame, flags))
        del self._buffer[:size]
        self._offset += size

    def _discard(self, told: list[FrameEvent], count: int, reason: str) -> None:
        told += self._scrap.add(self._offset, self._buffer[:count], reason)
        del self._buffer[:count]
        self._offset += count


class GapFramer:
    """A frame is what comes between two silences; who reads the line calls `flush` at each."""

    def __init__(self, spec: IdleFramer) -> None:
        self._max_bytes = spec.max_bytes
        self._buffer = bytearray()
        self._offset = 0
        self._scrap = Scrap()

    @property
    def pending(self) -> bool:
        return bool(self._buffer)

    def receive(self, data: bytes) -> list[FrameEvent]:
        told: list[FrameEvent] = []
        self._buffer += data
        while len(self._buffer) > self._max_bytes:
            piece = self._buffer[: self._max_bytes]
            reason = f"no silence within {self._max_bytes} bytes"
            told += self._scrap.add(self._offset, piece, reason)
            del self._buffer[: self._max_bytes]
            self._offset += self._max_bytes
        return told

    def flush(self) -> list[FrameEvent]:
        told: list[FrameEvent] = [*self._scrap.flush()]
        if self._buffer:
            told.append(Frame(self._offset, bytes(self._buffer)))
            self._offset += len(self._buffer)
            self._buffer.clear()
        return told


def make_framer(spec: Framer) -> FrameReader:
    """The framer that a profile asks for."""
    match spec:
        case LengthFramer():
            return SlidingFramer(LengthShape(spec))
        case FixedFramer():
            return SlidingFramer(FixedShape(spec))
        case UntilFramer():
            return SlidingFramer(UntilShape(spec))
        case RowsFramer():
            return SlidingFramer(RowsShape(spec))
        case SeriesFramer():
            return SeriesReader(spec)
        case LineFramer() | StartEndFramer():
            return DelimitedFramer(spec)
        case IdleFramer():
            return GapFramer(spec)
