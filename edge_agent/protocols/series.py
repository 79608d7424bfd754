"""Words, and between an opening and a closing word blocks of one size; each of them is a frame.

A closing word ends a series wherever a block could begin, so a block that begins like it is lost.
Inside a damaged block it may be seen too early: then the rest of the series counts as noise.
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
            if len(buffer) - at < size:
                if not final:
                    break
                wrong = "frame is incomplete"
            elif not word and not wrong:
                wrong = unguarded(self._spec.guards, bytes(buffer[at : at + size]))
            if wrong:
                told += self._scrap.add(self._offset + at, buffer[at : at + 1], wrong)
                at += 1
                continue
            told += self._scrap.flush()
            told.append(Frame(self._offset + at, bytes(buffer[at : at + size])))
            if word in (self._open, self._close):
                self._inside = word == self._open
            at += size
        del buffer[:at]
        self._offset += at
        return told
