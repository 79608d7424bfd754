"""Whether bytes are text, in which encoding, and how a line of it falls into columns."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

TextEncoding = Literal["ascii", "gb2312", "utf-8", "latin-1"]
SEPARATORS = ("|", ",", ";", "\t", "^", " ")
_NUMBER = re.compile(r"\s*[<>]?\s*[-+]?\s*\d+(?:\.\d+)?\s*[^\d\s|,;]{0,6}\s*\Z")
_CONTROLS = frozenset(range(0x20)) - {0x02, 0x03, 0x09, 0x0A, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F}


class Columns(msgspec.Struct, frozen=True):
    """How lines split: the separator, how many columns, and which one may hold the value."""

    separator: str
    count: int
    value: int


def text_share(content: bytes) -> float:
    """Share of bytes that text would hold: printable, or part of a character."""
    if not content:
        return 0.0
    odd = sum(byte in _CONTROLS or byte == 0x7F for byte in content)
    high = [byte for byte in content if byte >= 0x80]
    if high and guess_encoding(content) == "latin-1":
        odd += len(high)
    return 1 - odd / len(content)


def guess_encoding(content: bytes) -> TextEncoding:
    """The narrowest encoding that reads all of it; a cut character at either end is forgiven."""
    if content.isascii():
        return "ascii"
    for name, codec in (("utf-8", "utf-8"), ("gb2312", "gb18030")):
        for front, back in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0)):
            try:
                content[front : len(content) - back].decode(codec)
            except UnicodeDecodeError:
                continue
            return "utf-8" if name == "utf-8" else "gb2312"
    return "latin-1"


def guess_columns(lines: Sequence[str]) -> Columns | None:
    """The separator that gives nearly all lines the same number of columns; None: free text."""
    for separator in SEPARATORS:
        rows = [split(line, separator) for line in lines]
        (count, times), *_ = Counter(map(len, rows)).most_common(1) or [(0, 0)]
        if count < 2 or times < 0.7 * len(rows):
            continue
        even = [row for row in rows if len(row) == count]
        numeric = [
            sum(bool(_NUMBER.match(row[index])) for row in even) / len(even)
            for index in range(count)
        ]
        # The first column is mostly a number of the record; a value stands further on.
        best = max(range(count), key=lambda index: (numeric[index], index > 0, -index))
        return Columns(separator, count, best if numeric[best] >= 0.5 else count - 1)
    return None


def split(line: str, separator: str) -> list[str]:
    """Columns of a line, as a profile's `separator` splits it."""
    return line.split(separator)


def with_parity(content: bytes) -> Literal["E", "O"] | None:
    """Text sent with seven bits and parity, but read with eight bits, shows parity in bit 7."""
    high = [byte for byte in content if byte >= 0x80]
    if len(content) < 16 or len(high) < len(content) / 8:
        return None
    if text_share(bytes(byte & 0x7F for byte in content)) < 0.98:
        return None
    ones = {byte.bit_count() % 2 for byte in content}
    if len(ones) != 1:
        return None
    return "E" if ones == {0} else "O"
