"""LIS2-A2 / ASTM E1394 records: a message gathered from frames, taken apart by its own delimiters.

Text is decoded before it is split: a GBK trail byte may equal ``|``, ``^`` or the escape character.
Every record remembers the frames that it came in.
"""

import re
from collections.abc import Sequence

import msgspec

CR = b"\r"
LETTERS = frozenset("HPORCQLMS")
_OPENING = re.compile(rb"\n?(?:[PORCQLMS][^A-Za-z0-9 ]\d|H[^A-Za-z0-9 ])", re.I)
_SEQUENCE = re.compile(rb"R[^0-9](\d{1,6})[^0-9]", re.I)


class Record(msgspec.Struct, frozen=True):
    """One record: letter, bytes without CR, and the indices of its frames."""

    letter: str
    content: bytes
    frames: tuple[int, ...]


class Result(msgspec.Struct, frozen=True):
    """An R record with what it belongs to. `records` maps a letter to its nearest record."""

    records: dict[str, Record]
    raw: bytes
    """The frames of these records, as they came, in order."""


class Delimiters(msgspec.Struct, frozen=True):
    """As the H record says; the standard's usual ones otherwise."""

    field: str = "|"
    repeat: str = "\\"
    component: str = "^"
    escape: str = "&"


class Message:
    """Records of one message as they arrive. Bounded: `size` tells how much it holds."""

    def __init__(self) -> None:
        self.size = 0
        self.terminated = False
        self._frames: list[bytes] = []
        self._records: list[Record] = []
        self._open = b""
        self._open_frames: tuple[int, ...] = ()
        self._gaps: dict[int, int] = {}
        self._after_gap = False

    @property
    def broken(self) -> bool:
        """Whether it stops inside a record."""
        return bool(self._open)

    @property
    def raw(self) -> bytes:
        """All frames so far."""
        return b"".join(self._frames)

    def gap(self, lost: int) -> bytes:
        """Frames are missing here; returns the beginning of a record whose end is among them."""
        self._gaps[len(self._records)] = lost
        self._after_gap = True
        dropped, self._open, self._open_frames = self._open, b"", ()
        return dropped

    def add(self, text: bytes, raw: bytes, *, last: bool) -> bytes:
        """Add a frame's text; `last` says that it ended with ETX, so that its record is whole.

        Returns what had to be dropped: after a gap, the end of a record whose beginning is missing.
        """
        dropped = b""
        if self._after_gap and not _OPENING.match(text):
            dropped, _, text = text.partition(CR)
        self._after_gap = self._after_gap and not text
        index = len(self._frames)
        self._frames.append(raw)
        self.size += len(raw)
        *whole, rest = (self._open + text).split(CR)
        frames = (*self._open_frames, index)
        for content in whole:
            self._keep(content, frames)
            frames = (index,)
        if last and rest:
            self._keep(rest, frames)
            rest = b""
        self._open = rest
        self._open_frames = frames if rest else ()
        return dropped

    def _keep(self, content: bytes, frames: tuple[int, ...]) -> None:
        content = content.strip(b"\n")
        if not content:
            return
        letter = content[:1].decode("latin-1").upper()
        self._records.append(Record(letter, content, frames))
        self.terminated = letter == "L"

    def results(self) -> list[Result]:
        """Every R record with the H, P, O before it and the C after it.

        After a gap, P and O still hold only if the R records count on as if R records were missing.
        """
        found: list[Result] = []
        context: dict[str, Record] = {}
        sequence = 0
        for place, record in enumerate(self._records):
            lost = self._gaps.get(place)
            if lost is not None and not (
                record.letter == "R" and _sequence(record) == sequence + lost + 1
            ):
                context = {letter: context[letter] for letter in context if letter == "H"}
            if record.letter in "HPOR":
                sequence = _sequence(record) if record.letter == "R" else 0
            if record.letter in "HPO":
                for lower in {"H": "PO", "P": "O", "O": ""}[record.letter]:
                    context.pop(lower, None)
                context[record.letter] = record
            elif record.letter == "R":
                mine = {**context, "R": record}
                following = self._records[place + 1 : place + 2]
                if following and following[0].letter == "C":
                    mine["C"] = following[0]
                found.append(Result(mine, self._bytes_of(mine)))
        return found

    def _bytes_of(self, records: dict[str, Record]) -> bytes:
        indices = sorted({index for record in records.values() for index in record.frames})
        return b"".join(self._frames[index] for index in indices)

    def unknown(self) -> list[Record]:
        """Records whose letter the standard does not know."""
        return [record for record in self._records if record.letter not in LETTERS]


def _sequence(record: Record) -> int:
    found = _SEQUENCE.match(record.content)
    return int(found[1]) if found else 0


def delimiters(header: str) -> Delimiters:
    """The delimiters that an H record declares."""
    if len(header) < 5:
        return Delimiters()
    return Delimiters(header[1], header[2], header[3], header[4])


def split_fields(text: str, marks: Delimiters) -> list[str]:
    """The fields of a record's text: the first is its letter, an H's second its delimiters."""
    fields = text.split(marks.field)
    if text[:1] in ("H", "h"):
        fields[1:2] = ["".join((marks.repeat, marks.component, marks.escape))]
    return fields


def pick(fields: Sequence[str], number: int, component: int | None, marks: Delimiters) -> str:
    """Field `number` (1 is the record's letter) of split fields; one component of it, if asked.

    A whole field is returned as sent; a component has its escape sequences resolved.
    """
    if number > len(fields):
        return ""
    whole = fields[number - 1]
    if component is None:
        return whole
    parts = whole.split(marks.repeat)[0].split(marks.component)
    return unescape(parts[component - 1], marks) if component <= len(parts) else ""


def field(text: str, number: int, component: int | None, marks: Delimiters) -> str:
    """One field of a record's text, as `pick` gives it."""
    return pick(split_fields(text, marks), number, component, marks)


def unescape(text: str, marks: Delimiters) -> str:
    """Resolve ``&F& &S& &R& &E& &Xhh&``; other sequences (highlighting) are dropped."""
    pieces = text.split(marks.escape)
    if len(pieces) < 3:
        return text
    known = {"F": marks.field, "S": marks.component, "R": marks.repeat, "E": marks.escape}
    out = [pieces[0]]
    for place in range(1, len(pieces) - 1, 2):
        out += [known.get(pieces[place], _hexadecimal(pieces[place])), pieces[place + 1]]
    if len(pieces) % 2 == 0:
        out += [marks.escape, pieces[-1]]
    return "".join(out)


def _hexadecimal(sequence: str) -> str:
    try:
        return bytes.fromhex(sequence[1:]).decode("latin-1") if sequence[:1] == "X" else ""
    except ValueError:
        return ""
