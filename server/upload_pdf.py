"""Looks into uploaded PDFs: whole, not locked, nothing in it that does something when opened.

It fails closed: what cannot be looked into is refused. Names may be written with escapes and may
stand in compressed object streams; both are undone, to a bound. It is no reader of PDF: a file
that passes is handed out as a download, never opened by the server or shown within a page.
"""

import re
import zlib

TAIL = 1024
"""The end mark stands within so many bytes of the end."""
MOST_INFLATED = 64 * 1024 * 1024
"""Bytes of object streams that are looked into."""
_PART = 256 * 1024
_OVERLAP = 64

_HEADER = re.compile(rb"%PDF-[12]\.\d")
_STREAM = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_NAME_END = rb"(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|$)"
_ACTIVE = re.compile(
    rb"/(JavaScript|Launch|EmbeddedFiles?|FileAttachment|RichMedia|Rendition|XFA|SubmitForm"
    rb"|ImportData|GoTo[RE]|Movie|Sound)" + _NAME_END
)
_LOCKED = re.compile(rb"/Encrypt" + _NAME_END)
_OBJECTS = re.compile(rb"/First" + _NAME_END)
_HEAD = re.compile(rb"(?:^|[\r\n])[ \t]*\d+[ \t\r\n]+\d+[ \t\r\n]+obj\b")
_FILTER = re.compile(rb"/(?:Filter|F)" + _NAME_END)
_DEFLATED = re.compile(rb"/(?:FlateDecode|Fl)" + _NAME_END)
_ODD_FILTER = re.compile(
    rb"/(?:ASCIIHexDecode|AHx|ASCII85Decode|A85|LZWDecode|LZW|RunLengthDecode|RL|Crypt|Predictor)"
    + _NAME_END
    + rb"|/(?:Filter|F)\s+\d+\s+\d+\s+R"
)


class PdfBroken(ValueError):
    """Not a whole PDF, or one that cannot be looked into."""


class PdfLocked(ValueError):
    """Encrypted: nobody can say what is in it."""


class PdfActive(ValueError):
    """It does something when it is opened; `what` is the PDF name of it, such as ``JavaScript``."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def check_pdf(content: bytes) -> None:
    """Look through it. Raises PdfBroken, PdfLocked or PdfActive."""
    if not _HEADER.match(content):
        raise PdfBroken("no header")
    end = content[-TAIL:]
    if b"%%EOF" not in end or b"startxref" not in content[-2 * TAIL :]:
        raise PdfBroken("no end: the file is cut off")
    plain = _unescaped(content)
    if not re.search(rb"/Pages" + _NAME_END, plain) and not _OBJECTS.search(plain):
        raise PdfBroken("no pages")
    _refuse(plain)
    left = MOST_INFLATED
    after = 0
    for found in _STREAM.finditer(content):
        left = _look_into(content, after, found.start(), found.end(), left)
        closed = content.find(b"endstream", found.end())
        after = closed if closed >= 0 else found.end()


def _refuse(plain: bytes) -> None:
    if _LOCKED.search(plain):
        raise PdfLocked
    active = _ACTIVE.search(plain)
    if active:
        raise PdfActive(active[1].decode())


def _look_into(content: bytes, after: int, head_end: int, start: int, left: int) -> int:
    """Inflate a stream if it may hold objects, and look for names; returns what may be inflated.

    What stands between the stream before and this one is its dictionary, and what comes before it.
    """
    head = _own_dictionary(_unescaped(content[min(after, head_end) : head_end]))
    if not _OBJECTS.search(head):
        return left
    if _ODD_FILTER.search(head):
        raise PdfBroken("an object stream in a form that cannot be looked into")
    if not _DEFLATED.search(head):
        if _FILTER.search(head):
            raise PdfBroken("an object stream in a form that cannot be looked into")
        return left  # it lies open, and was seen already
    inflater = zlib.decompressobj()
    told, at, before = 0, start, b""
    try:
        while not inflater.eof and (inflater.unconsumed_tail or at < len(content)):
            raw = inflater.unconsumed_tail or content[at : at + _PART]
            if not inflater.unconsumed_tail:
                at += _PART
            part = inflater.decompress(raw, _PART)
            if not told and len(_DEFLATED.findall(head)) > 1 and part[:1] == b"\x78":
                raise PdfBroken("an object stream compressed twice")
            told += len(part)
            if told > left:
                raise PdfBroken("too much to look into")
            _refuse(_unescaped(before + part))
            before = part[-_OVERLAP:]
    except zlib.error:
        raise PdfBroken("an object stream that cannot be inflated") from None
    return left - told


def _own_dictionary(head: bytes) -> bytes:
    """A stream's own dictionary; with all that stands before it, where a string could feign one."""
    heads = list(_HEAD.finditer(head))
    own = head[heads[-1].end() :] if heads else head
    depth = 0
    for mark in re.findall(rb"[()\\]", own):
        depth += {b"(": 1, b")": -1}.get(mark, -1_000_000)
        if depth < 0:
            return head
    return own if depth == 0 else head


def _unescaped(text: bytes) -> bytes:
    """With ``#xx`` in names undone."""
    return _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), text) if b"#" in text else text
