"""How times, numbers and bytes are written on a page. Times are shown in China's time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.units import symbol

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(at: datetime) -> datetime:
    """The same moment on China's clock."""
    return at.astimezone(SHANGHAI)


def moment(at: datetime | None, now: datetime) -> str:
    """``14:32`` today, ``11-22 14:32`` this year, else with the year."""
    if at is None:
        return ""
    here, today = local(at), local(now)
    if here.date() == today.date():
        return here.strftime("%H:%M")
    if here.year == today.year:
        return here.strftime("%m-%d %H:%M")
    return here.strftime("%Y-%m-%d %H:%M")


def exact(at: datetime | None) -> str:
    """Date and time to the second."""
    return local(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def minute(at: datetime | None) -> str:
    """Date and time to the minute."""
    return local(at).strftime("%Y-%m-%d %H:%M") if at else ""


def day(at: datetime | None) -> str:
    """The date."""
    return local(at).strftime("%Y-%m-%d") if at else ""


def last_day(until: datetime) -> str:
    """The last day that lies, or begins, before a moment."""
    return day(until - timedelta(microseconds=1))


def clock_time(at: datetime | None) -> str:
    """Hours, minutes and seconds."""
    return local(at).strftime("%H:%M:%S") if at else ""


def number(value: float | None, digits: int = 2) -> str:
    """A number without needless zeros."""
    if value is None:
        return ""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit(code: str) -> str:
    """The printed symbol of a UCUM code."""
    return symbol(code)


def duration(seconds: float | None) -> tuple[str, int]:
    """A duration as a word's suffix and a whole number: ``("s" | "min" | "h" | "d", n)``."""
    whole = abs(seconds or 0.0)
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if whole >= 2 * size or (whole >= size and whole % size < 1):
            return name, int(whole // size)
    return "s", round(whole)


def hex_lines(content: bytes, width: int = 16) -> Iterator[tuple[str, str, str]]:
    """Offset, hexadecimal bytes and printable ASCII of every `width` bytes."""
    for start in range(0, len(content), width):
        part = content[start : start + width]
        printable = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
        yield f"{start:04x}", f"{part.hex(' '):<{width * 3 - 1}}", printable


def general(title: str) -> str:
    """A title without the sample or device that it is about: ``冷库温度超限：冷藏库 1``."""
    return title.replace(": ", "：").partition("：")[0].strip()


def signed(value: float) -> str:
    """A number with its sign and one decimal; what rounds to nothing has none."""
    rounded = round(value, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"
