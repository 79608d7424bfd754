"""Words, and between an opening and a closing word blocks of one size; each of them is a frame.

A closing word ends a series wherever a block could begin, so a block that begins like it is lost.
Inside a damaged block it may be seen too early: then the rest of the series counts as noise.

A block that lost bytes would swallow the begin of the next one. So where guards are given, a block
is not believed if neither a word nor a block follows it and another block could begin inside it.
"""

from contracts.profile_framing import SeriesFramer
from edge_agent.protocols.events import Frame, FrameEvent, Scrap
from edge_agent.protocols.shapes import unguarded


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
            words = (self._open, self._close, *(() if self._inside else self._words))
            rest = bytes(buffer[at : at + max(map(len, words))])
            word = next((each for each in words if rest.startswith(each)), b"")
            if not word and not final and any(each.startswith(rest) for each in words):
                break
            size = len(word) or (self._spec.size if self._inside else 0)
            wrong = Scrap.NOISE if not size else ""
            follows = bytes(buffer[at + size : at + size + 2 * len(self._open + self._close)])
            ends = follows.startswith((self._open, self._close))
            ahead = 0 if word or not size or ends else self._probe
            if len(buffer) - at < size + ahead and not final:
                break
            if len(buffer) - at < size:
                wrong = "frame is incomplete"
            elif not word and not wrong:
                wrong = self._doubt(bytes(buffer[at : at + size + ahead]))
            if wrong:
                told += self._scrap.add(self._offset + at, buffer[at : at + 1], wrong)
                self._begun = True
                at += 1
                continue
            told += self._scrap.flush()
            told.append(Frame(self._offset + at, bytes(buffer[at : at + size])))
            self._begun = word != self._open
            if word in (self._open, self._close):
                self._inside = word == self._open
            at += size
        del buffer[:at]
        self._offset += at
        return told

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
