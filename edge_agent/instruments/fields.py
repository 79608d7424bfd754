"""Takes a frame apart by a profile's record: binary fields, columns, regular expressions, LIS2."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache

import msgspec

from contracts.profile_records import BinaryField, BinaryRecord, Lis2Record, Match, TextRecord
from edge_agent.instruments.numbers import TIMES, read_number, read_time
from edge_agent.protocols import lis2


class Cell(msgspec.Struct, frozen=True):
    """One field, read: the text (for a number: its exact decimal), the bytes, the number."""

    text: str
    raw: bytes
    number: float | None = None
    at: datetime | None = None
    """A time on the instrument's wall clock, without zone."""
    invalid: bool = False
    """The instrument says that there is no value, or the bytes can't be one."""
    cut: bool = False
    """A text that fills the instrument's room for it, or stops inside a character."""


Fields = Mapping[str, Cell]


class DecodeError(ValueError):
    """A frame does not hold what the record says; the text names the field and byte."""


def decode_text(raw: bytes, encoding: str) -> tuple[str, bool]:
    """The text, and whether it stops inside a character. Bytes that can't be read become U+FFFD."""
    if encoding == "auto":
        encoding = "utf-8" if _is_utf8(raw) else "gb2312"
    codec = "gb18030" if encoding == "gb2312" else encoding
    try:
        return raw.decode(codec), False
    except UnicodeDecodeError as error:
        if error.end == len(raw) and "incomplete" in error.reason:
            return raw[: error.start].decode(codec, "replace"), True
        return raw.decode(codec, "replace"), False


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def matches(frame: bytes, when: tuple[Match, ...]) -> bool:
    """Whether the frame shows all of these bytes."""
    for match in when:
        at = match.at if match.at >= 0 else len(frame) + match.at
        wanted = bytes.fromhex(match.hex)
        found = frame[at : at + len(wanted)]
        if match.mask:
            mask = bytes.fromhex(match.mask).ljust(len(wanted), b"\xff")
            found = bytes(byte & bits for byte, bits in zip(found, mask, strict=False))
        if at < 0 or found != wanted:
            return False
    return True


# -- binary -------------------------------------------------------------------

_SIZES = {
    "u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "f32": 4,
    "sm32": 4, "ymdhms": 6, "ymdhm": 5, "ymd": 3, "bcd_ymd": 3, "bcd_ymdhms": 6, "fat_time": 4,
}  # fmt: skip


def binary_rows(record: BinaryRecord, frame: bytes) -> list[dict[str, Cell]]:
    """The rows of a frame: one, or one for each repeated block (with the common fields in each).

    Raises DecodeError.
    """
    common = _binary(record.fields, frame, 0)
    if record.repeat is None:
        return [common]
    repeat, rows = record.repeat, []
    beside = repeat.beside
    size = repeat.size + (beside.size if beside else 0)
    count, left = divmod(max(0, len(frame) - repeat.trailer - repeat.at), size)
    if left and repeat.exact:
        raise DecodeError(f"{left} bytes are left over after {count} blocks of {size}")
    if repeat.count:
        count = min(count, int(common[repeat.count].number or 0))
    used = int(common[repeat.used].number or 0) if repeat.used else -1
    for index in range(count):
        at = repeat.at + index * repeat.size
        block = frame[at : at + repeat.size]
        if not used >> index & 1 or any(matches(block, (skip,)) for skip in repeat.skip):
            continue
        row = {**common, **_binary(repeat.fields, block, at)}
        if beside:
            at = repeat.at + count * repeat.size + index * beside.size
            row |= _binary(beside.fields, frame[at : at + beside.size], at)
        rows.append(row)
    return rows


def _binary(fields: Mapping[str, BinaryField], frame: bytes, base: int) -> dict[str, Cell]:
    return {name: _cell(name, spec, frame, base) for name, spec in fields.items()}


def _cell(name: str, spec: BinaryField, frame: bytes, base: int) -> Cell:
    at = spec.at if spec.at >= 0 else len(frame) + spec.at
    raw = frame[at : at + (_SIZES.get(spec.kind) or spec.length)] if at >= 0 else b""
    if len(raw) < (_SIZES.get(spec.kind) or spec.length):
        raise DecodeError(f"{name}: byte {base + at} is past the frame's end")
    if any(raw == bytes.fromhex(marker) for marker in spec.invalid):
        return Cell(raw.hex().upper(), raw, invalid=True)
    if spec.kind == "bytes":
        return Cell(raw.hex().upper(), raw)
    if spec.kind == "text":
        return _text(spec, raw)
    if spec.kind in TIMES:
        text, wall = read_time(spec.kind, spec.order, raw)
        return Cell(text, raw, at=wall, invalid=wall is None)
    figure = read_number(spec, raw)
    return Cell(figure.text, raw, figure.number, invalid=figure.invalid)


def _text(spec: BinaryField, raw: bytes) -> Cell:
    sent = raw.split(b"\0")[0]
    text, inside = decode_text(sent, spec.encoding)
    full = spec.cut_at > 0 and len(sent) >= spec.cut_at
    return Cell(text.strip(), raw, cut=inside or full)


# -- text ---------------------------------------------------------------------


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def text_rows(record: TextRecord, frame: bytes) -> list[tuple[dict[str, Cell], bytes]]:
    """The rows of a frame of text, each with its own bytes; none if it is not this record.

    Raises DecodeError if only parts of the frame are records.
    """
    text, _ = decode_text(frame, record.encoding)
    text = text.strip("\r\n\x00\x02\x03 \t")
    codec = {"gb2312": "gb18030", "auto": "utf-8"}.get(record.encoding, record.encoding)

    def row(named: Mapping[str, str | None]) -> dict[str, Cell]:
        return {
            name: Cell((cell or "").strip(), (cell or "").encode(codec, "replace"))
            for name, cell in named.items()
        }

    if record.many:
        return _many(record, text, codec, frame, row)
    if record.pattern:
        found = _compiled(record.pattern).fullmatch(text)
        return [] if found is None else [(row(found.groupdict()), frame)]
    cells = text.split(record.separator)
    fits = len(cells) == len(record.columns)
    if not fits or (record.starts and cells[0].strip() != record.starts):
        return []
    named = {name: cell for name, cell in zip(record.columns, cells, strict=True) if name}
    return [(row(named), frame)]


def _many(
    record: TextRecord,
    text: str,
    codec: str,
    frame: bytes,
    row: Callable[[Mapping[str, str | None]], dict[str, Cell]],
) -> list[tuple[dict[str, Cell], bytes]]:
    rows, place = [], 0
    for found in _compiled(record.pattern).finditer(text):
        between = text[place : found.start()]
        if between.strip():
            raise DecodeError(f"{between[:40]!r} is no {record.name}")
        raw = found[0].encode(codec, "replace")
        rows.append((row(found.groupdict()), raw if raw in frame else frame))
        place = found.end()
    if rows and text[place:].strip():
        raise DecodeError(f"{text[place:][:40]!r} is no {record.name}")
    return rows


# -- LIS2 ---------------------------------------------------------------------


def lis2_row(record: Lis2Record, result: lis2.Result) -> dict[str, Cell]:
    """The fields of one R record with its H, P, O and C."""
    header = result.records.get("H")
    header_text = decode_text(header.content, record.encoding)[0] if header is not None else ""
    marks = lis2.delimiters(header_text)
    fields = {
        letter: _lis2_fields(each.content, record.encoding, marks)
        for letter, each in result.records.items()
    }
    row: dict[str, Cell] = {}
    for name, path in record.fields.items():
        letter, number, part = _lis2_path(path)
        of = fields.get(letter, ())
        if part is None:
            text = of[number - 1] if number <= len(of) else ""
        else:
            text = lis2.pick(of, number, part, marks)
        row[name] = Cell(text, text.encode("utf-8")) if text else _NOTHING
    return row


_NOTHING = Cell("", b"")


@lru_cache(maxsize=32)
def _lis2_fields(content: bytes, encoding: str, marks: lis2.Delimiters) -> list[str]:
    """A record's fields; the results of one sample share their H, P and O."""
    return lis2.split_fields(decode_text(content, encoding)[0], marks)


@lru_cache(maxsize=512)
def _lis2_path(path: str) -> tuple[str, int, int | None]:
    """``R.3.4`` as record letter, field number and component."""
    letter, number, *component = path.split(".")
    return letter, int(number), int(component[0]) if component else None


_SOLID = re.compile(r"(?:%[A-Za-z])+")


def wall_time(cell: Cell, formats: tuple[str, ...]) -> datetime | None:
    """The instrument's wall-clock time in a field, or None. Two-digit years count from 2000.

    A format without separators must fit digit by digit: strptime would read 202611231405 by
    ``%Y%m%d%H%M%S`` as five seconds past two.
    """
    if cell.at is not None:
        return cell.at
    for form in formats:
        try:
            at = datetime.strptime(cell.text, form)
        except ValueError:
            continue
        if "%Y" not in form and "%y" not in form and "%m" not in form:
            return None  # a time without a day says too little
        if _SOLID.fullmatch(form) and at.strftime(form) != cell.text:
            continue
        return at.replace(year=at.year + 100) if "%y" in form and at.year < 2000 else at
    return None
