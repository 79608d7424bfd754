"""Words, and between an opening and a closing word blocks of one size; each of them is a frame.

A closing word ends a series wherever a block could begin, so a block that begins like it is lost.
Inside a damaged block it may be seen too early: then the rest of the series counts as noise.

A block that lost bytes would swallow the begin of the next one. So where guards are given, a block
is not believed if neither a word nor a block follows it and another block could begin inside it.
"""

from contracts.profile_framing import SeriesFramer
from edge_agent.protocols.events import Frame, FrameEvent, Scrap
from edge_agent.protocols.shapes import NEED_MORE, Misfit, unguarded

INCOMPLETE = "frame is incomplete"


class SeriesReader:
    """Reads a series. What is no block slides on by one byte, until one stands there again."""

    def __init__(self, spec: SeriesFramer) -> None:
        self._spec = spec
        self._open = bytes.fromhex(spec.open)
        self._close = bytes.fromhex(spec.close)
        self._words = tuple(bytes.fromhex(word) for word in spec.words)
        self._inside = False
        self._begun = False
        self._probe = max((g.at + g.length for g in spec.guards if g.at >= 0), default=0)
        self._front = tuple(guard for guard in spec.guards if guard.at >= 0)
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
        told = [*self._scan(final=True), *self._scrap.flush()]
        if self._begun:  # a series of which nothing came yet may still be waiting for a request
            self._inside = False
        return told

    def _scan(self, *, final: bool) -> list[FrameEvent]:
        buffer, told, at = self._buffer, list[FrameEvent](), 0
        while at < len(buffer):
            size = self._measure(at, final=final)
            if isinstance(size, Misfit):
                told += self._scrap.add(self._offset + at, buffer[at : at + 1], size.reason)
                self._begun = True
                at += 1
            elif size == NEED_MORE:
                break
            else:
                told += self._scrap.flush()
                content = bytes(buffer[at : at + size])
                told.append(Frame(self._offset + at, content))
                self._begun = content != self._open
                if content in (self._open, self._close):
                    self._inside = content == self._open
                at += size
        del buffer[:at]
        self._offset += at
        return told

    def _measure(self, at: int, *, final: bool) -> int | Misfit:
        """Bytes of the word or block at `at`, NEED_MORE, or why there is none."""
        buffer, size, have = self._buffer, self._spec.size, len(self._buffer) - at
        words = (self._open, self._close, *(() if self._inside else self._words))
        rest = bytes(buffer[at : at + max(map(len, words))])
        for word in words:
            if rest.startswith(word):
                return len(word)
        if not final and any(word.startswith(rest) for word in words):
            return NEED_MORE
        if not self._inside:
            return Misfit(Scrap.NOISE)
        if have < self._probe:
            return Misfit(INCOMPLETE) if final else NEED_MORE
        if wrong := unguarded(self._front, bytes(buffer[at : at + self._probe])):
            return Misfit(wrong)
        follows = bytes(buffer[at + size : at + size + len(self._open + self._close)])
        ends = follows.startswith((self._open, self._close))
        if not final and have < size + (0 if ends else self._probe):
            return NEED_MORE
        if have < size:
            return Misfit(INCOMPLETE)
        wrong = self._doubt(bytes(buffer[at : at + size + (0 if ends else self._probe)]))
        return Misfit(wrong) if wrong else size

    def _doubt(self, content: bytes) -> str:
        """Why a block, with the bytes after it, is not to be believed; else empty."""
        size = self._spec.size
        if wrong := unguarded(self._spec.guards, content[:size]):
            return wrong
        after = content[size:]
        if not after or len(after) < self._probe or self._could_begin(after):
            return ""
        if any(self._could_begin(content[place:]) for place in range(1, size)):
            return "another block begins inside"
        return ""

    def _could_begin(self, content: bytes) -> bool:
        return not unguarded(self._front, content)
