"""What framers say of a stream of bytes: frames, and what had to be discarded and why."""

import msgspec


class Frame(msgspec.Struct, frozen=True):
    """One whole frame. `offset` counts bytes since the framer began."""

    offset: int
    content: bytes
    flags: tuple[str, ...] = ()
    """``bad_check`` where the profile lets a wrong check pass."""


class Discarded(msgspec.Struct, frozen=True):
    """Bytes that belong to no frame; long runs come in pieces."""

    offset: int
    content: bytes
    reason: str


FrameEvent = Frame | Discarded

SCRAP_BYTES = 1024
"""Longest piece of discarded bytes told at once."""


class Scrap:
    """Gathers neighbouring discarded bytes, so that how reads were split does not show.

    A run keeps the reason of its first bytes, except that plain noise gives way to a better one.
    """

    __slots__ = ("_content", "_offset", "_reason")

    NOISE = "noise between frames"

    def __init__(self) -> None:
        self._content = bytearray()
        self._offset = 0
        self._reason = ""

    def add(self, offset: int, content: bytes | bytearray, reason: str) -> list[Discarded]:
        """Discard `content`, which stands at `offset`; returns what is told now."""
        told: list[Discarded] = []
        if self._content and (
            self._offset + len(self._content) != offset
            or (self._reason == self.NOISE and reason != self.NOISE)
        ):
            told += self.flush()
        if not self._content:
            self._offset, self._reason = offset, reason
        self._content += content
        while len(self._content) >= SCRAP_BYTES:
            told.append(Discarded(self._offset, bytes(self._content[:SCRAP_BYTES]), self._reason))
            del self._content[:SCRAP_BYTES]
            self._offset += SCRAP_BYTES
        return told

    def flush(self) -> list[Discarded]:
        """Tell what is gathered."""
        if not self._content:
            return []
        told = Discarded(self._offset, bytes(self._content), self._reason)
        self._content.clear()
        return [told]
