"""CSV files as offices make them: read from UTF-8 or GB18030 row by row, written so that no
spreadsheet takes a cell for a formula.

A file is read in a stream: what is held is one row at a time. A row's number is its place in the
file with empty rows counted, as a spreadsheet shows it; the header is row 1.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, Literal

import msgspec

from ledger.sheets.faults import Fault, Wrong

Row = dict[str, str]
"""Cells by column."""
Encoding = Literal["utf-8", "utf-8-bom", "gb18030"]
MOST_BYTES = 32_000_000
MOST_ROWS = 100_000
_BLOCK = 1 << 16
_RISKY = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_QUOTED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
_RISKY_FIRST = frozenset("'=+-@\t\r＝＋－＠")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]")


class Column(msgspec.Struct, frozen=True):
    """A column of a sheet. A file's header may name it in either language."""

    name: str
    zh: str
    needed: bool = False
    options: tuple[tuple[str, str], ...] = ()
    """Its only words, ours and in Chinese; a file may say either."""
    headed: bool = False
    """A file must have it, though a cell may be empty."""
    most: int = 200
    """Characters at most."""

    @property
    def stands(self) -> bool:
        """Whether every file must have it."""
        return self.needed or self.headed

    def reads(self, cell: str) -> str:
        """A file's or form's cell as we keep it. Raises Wrong."""
        if not cell.isprintable() and _CONTROL.search(cell):
            raise Wrong("control", self.name, value=cell)
        if len(cell) > self.most:
            raise Wrong("long", self.name, value=cell, most=self.most)
        if not cell:
            return cell
        for word, zh in self.options:
            if cell in (word, zh) or cell.casefold() == word:
                return word
        if self.options:
            words, chinese = (", ".join(both) for both in zip(*self.options, strict=True))
            raise Wrong("choice", self.name, value=cell, options=words, chinese=chinese)
        return cell

    def writes(self, cell: str, chinese: bool) -> str:
        """A cell for a file."""
        if chinese:
            cell = next((zh for word, zh in self.options if word == cell), cell)
        return cell


def encoding_of(file: BinaryIO) -> Encoding:
    """How a file is written; leaves it at its beginning. Raises Wrong if it is neither."""
    for name in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(name)("strict")
        file.seek(0)
        begin = file.read(3)
        try:
            decoder.decode(begin)
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        file.seek(0)
        if name == "gb18030":
            return "gb18030"
        return "utf-8-bom" if begin == codecs.BOM_UTF8 else "utf-8"
    raise Wrong("unreadable")


def read_rows(
    file: BinaryIO, encoding: Encoding, columns: Sequence[Column]
) -> Iterator[tuple[int, Row] | Fault]:
    """Each row that is not empty with its number, or what is wrong with it.

    A row has the cells of the columns that the file has, stripped and as they stand. What ends the
    reading (no header, no CSV, too long) is the last that is given.
    """
    text = io.TextIOWrapper(file, "gb18030" if encoding == "gb18030" else "utf-8-sig", newline="")
    try:
        yield from _rows(text, columns)
    finally:
        text.detach()


def _rows(lines: Iterable[str], columns: Sequence[Column]) -> Iterator[tuple[int, Row] | Fault]:
    reader = csv.reader(lines, strict=True)
    names: list[str] | None = None
    row = taken = 0
    while True:
        row += 1
        try:
            found = [_plain(cell.strip()) for cell in next(reader)]
        except StopIteration:
            break
        except csv.Error as error:
            yield Wrong("csv", error=str(error)).fault(row)
            return
        width = len(found)
        while found and not found[-1]:
            found.pop()
        if not found:
            continue
        if names is None:
            found[0] = found[0].lstrip("\ufeff")
            names, faults = _header(found, columns, row)
            yield from faults
            if faults:
                return
            continue
        if width < len(names) or len(found) > len(names):
            yield Wrong("width", found=width, wanted=len(names)).fault(row)
            continue
        taken += 1
        if taken > MOST_ROWS:
            yield Wrong("rows", most=MOST_ROWS).fault(row)
            return
        found += [""] * (len(names) - len(found))
        yield row, dict(zip(names, found, strict=True))
    if names is None:
        needed = ", ".join(column.name for column in columns if column.stands)
        yield Wrong("empty", columns=needed).fault(0)


def _header(
    found: Sequence[str], columns: Sequence[Column], row: int
) -> tuple[list[str], list[Fault]]:
    known = {column.zh: column.name for column in columns}
    known |= {column.name: column.name for column in columns}
    names = [known.get(cell, known.get(cell.casefold(), "")) for cell in found]
    wrong = [
        Wrong("missing", of=column.name)
        for column in columns
        if column.stands and column.name not in names
    ]
    wrong += [
        Wrong("strange", of=cell) for cell, name in zip(found, names, strict=True) if not name
    ]
    wrong += [Wrong("twice", of=column.name) for column in columns if names.count(column.name) > 1]
    return names, [one.fault(row) for one in wrong]


def write_rows(
    rows: Iterable[Mapping[str, str]],
    columns: Sequence[Column],
    *,
    chinese: bool = True,
    encoding: Encoding = "utf-8-bom",
) -> Iterator[bytes]:
    """A file in blocks, which `read_rows` reads as the same cells."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    if encoding == "utf-8-bom":
        yield codecs.BOM_UTF8
    writer.writerow([column.zh if chinese else column.name for column in columns])
    for row in rows:
        writer.writerow([safe(column.writes(row[column.name], chinese)) for column in columns])
        if buffer.tell() > _BLOCK:
            yield _taken(buffer, encoding)
    yield _taken(buffer, encoding)


def _taken(buffer: io.StringIO, encoding: Encoding) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("gb18030" if encoding == "gb18030" else "utf-8")


def safe(cell: str) -> str:
    """A cell that no spreadsheet computes: what begins like a formula gets an apostrophe."""
    return f"'{cell}" if cell[:1] in _RISKY_FIRST and _RISKY.match(cell) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and _QUOTED.match(cell) else cell
