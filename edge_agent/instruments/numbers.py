"""Numbers and times in binary fields: their exact decimal text, and what they stand for."""

import math
import struct
from datetime import datetime
from decimal import Decimal

import msgspec

from contracts.profile_framing import Order
from contracts.profile_records import BinaryField

TIMES = frozenset(("ymdhms", "ymdhm", "ymd", "bcd_ymd", "bcd_ymdhms", "fat_time"))


class Figure(msgspec.Struct, frozen=True):
    """A number as read; `number` is None where the bytes can't be one."""

    text: str
    number: float | None = None
    invalid: bool = False


def read_number(spec: BinaryField, raw: bytes) -> Figure:
    """The number that `raw` is. Never raises."""
    if spec.kind == "f32":
        return _float(spec, raw)
    if spec.kind == "milli14":
        return _milli14(spec.order, raw)
    integer = _integer(spec, raw)
    if integer is None:
        return Figure(raw.hex().upper(), invalid=True)
    if spec.mask:
        integer &= spec.mask
    if spec.words:
        word = spec.words.get(str(integer))
        return Figure(word or str(integer), integer, invalid=word is None)
    if spec.bands:
        low = max((int(low) for low in spec.bands if int(low) <= integer), default=None)
        text = str(integer) if low is None else spec.bands[str(low)]
        return Figure(text, integer, invalid=low is None)
    text = decimal_text(integer, spec.decimals)
    return Figure(text, float(text))


def _integer(spec: BinaryField, raw: bytes) -> int | None:
    if spec.kind == "bcd":
        digits = (raw if spec.order == "big" else raw[::-1]).hex()
        return int(digits) if digits.isdecimal() else None
    if spec.kind == "sm32":
        integer = int.from_bytes(raw, spec.order)
        return -(integer & 0x7FFFFFFF) if integer >> 31 else integer
    return int.from_bytes(raw, spec.order, signed=spec.kind.startswith("i"))


def _float(spec: BinaryField, raw: bytes) -> Figure:
    (number,) = struct.unpack("<f" if spec.order == "little" else ">f", raw)
    if not math.isfinite(number):
        return Figure(str(number), invalid=True)
    text = f"{number:.7g}"
    if spec.shift:
        text = f"{Decimal(text).scaleb(spec.shift):f}"
        return Figure(text, float(text))
    return Figure(text, number)


def _milli14(order: Order, raw: bytes) -> Figure:
    """A whole number, then thousandths: two bytes of seven bits, the high one first."""
    high, low = raw[-2:]
    thousandths = high << 7 | low
    if low > 0x7F or thousandths > 999:
        return Figure(raw.hex().upper(), invalid=True)
    text = f"{int.from_bytes(raw[:-2], order)}.{thousandths:03d}"
    return Figure(text, float(text))


def decimal_text(integer: int, decimals: int) -> str:
    """`integer` with a decimal point put in: 5320, 2 → ``53.20``; exact."""
    if not decimals:
        return str(integer)
    digits = str(abs(integer)).rjust(decimals + 1, "0")
    return f"{'-' if integer < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"


def read_time(kind: str, order: Order, raw: bytes) -> tuple[str, datetime | None]:
    """A wall-clock time as text, and as a time if there is such a one."""
    if kind == "fat_time":
        packed = int.from_bytes(raw, order)
        parts = [
            packed >> 25 & 0x7F, packed >> 21 & 0xF, packed >> 16 & 0x1F,
            packed >> 11 & 0x1F, packed >> 5 & 0x3F, (packed & 0x1F) << 1,
        ]  # fmt: skip
    elif kind.startswith("bcd_"):
        if not raw.hex().isdecimal():
            return raw.hex().upper(), None
        parts = [int(f"{byte:x}") for byte in raw]
    else:
        parts = list(raw)
    parts += [0] * (6 - len(parts))
    text = "20{:02d}-{:02d}-{:02d} {:02d}:{:02d}:{:02d}".format(*parts)
    try:
        return text, datetime(2000 + parts[0], *parts[1:])  # type: ignore[arg-type]
    except ValueError:
        return text, None


def fat_time(at: datetime) -> bytes:
    """A wall-clock time packed in 32 bits, little-endian; seconds are even."""
    day = (at.year % 100) << 25 | at.month << 21 | at.day << 16
    return (day | at.hour << 11 | at.minute << 5 | at.second >> 1).to_bytes(4, "little")
