"""Requests as templates: hexadecimal pairs, quoted text, the day, the address and the check value.

``7E 12 03 00 {day:ymd} {check} AA`` · ``03 FF 45 00 {index:u32} 00 00 {head_check} {check}`` ·
``'D'{day:%Y-%m-%d}'D'{day:%Y-%m-%d}`` · ``{address} 03``
"""

import re
from datetime import date, datetime, time

import msgspec

from contracts.profile_framing import Check
from edge_agent.instruments.numbers import fat_time
from edge_agent.protocols.checks import written

_PART = re.compile(
    r"\s*(?:(?P<hex>[0-9A-Fa-f]{2})|'(?P<text>[^']*)'|\{(?P<name>[a-z_]+)(?::(?P<form>[^}]*))?\})"
)


class TemplateError(ValueError):
    """A template that can't be read; the text says where."""


class Template(msgspec.Struct, frozen=True):
    """Parts in order: bytes, or a name with its form."""

    parts: tuple[bytes | tuple[str, str], ...]

    def has(self, name: str) -> bool:
        """Whether it has a placeholder of that name."""
        return any(part[0] == name for part in self.parts if isinstance(part, tuple))

    @property
    def has_check(self) -> bool:
        """Whether a check value is to be computed."""
        return self.has("check")

    @property
    def has_day(self) -> bool:
        """Whether it asks for a day."""
        return self.has("day")

    def fill(
        self,
        *,
        day: date,
        address: int,
        check: Check | None,
        head_check: Check | None = None,
        index: int = 0,
    ) -> bytes:
        """The bytes to send."""
        out = bytearray()
        before = -1
        for part in self.parts:
            if isinstance(part, bytes):
                out += part
            elif part[0] == "day":
                out += _day(day, part[1])
            elif part[0] == "address":
                out.append(address)
            elif part[0] == "index":
                size = _INDEX_BYTES[part[1]]
                out += (index & (1 << 8 * size) - 1).to_bytes(size, "little")
            elif part[0] == "head_check" and head_check is not None:
                out += written(head_check, bytes(out[head_check.start : head_check.end]))
            elif check is not None and 0 <= check.at < check.start:  # covers what follows it
                before = len(out)
                out += bytes(check.width)
            elif check is not None:
                out += written(check, bytes(out[check.start :]))
        if check is not None and before >= 0:
            out[before : before + check.width] = written(check, bytes(out[check.start :]))
        return bytes(out)


_INDEX_BYTES = {"u8": 1, "u16": 2, "u32": 4}
_FAT_ENDS = {"fat": time(0, 0), "fat_end": time(23, 59, 59)}


def _day(day: date, form: str) -> bytes:
    if form == "ymd":
        return bytes((day.year % 100, day.month, day.day))
    if form == "bcd":
        return bytes.fromhex(day.strftime("%y%m%d"))
    if form in _FAT_ENDS:
        return fat_time(datetime.combine(day, _FAT_ENDS[form]))
    return day.strftime(form).encode("ascii")


def parse_template(text: str) -> Template:
    """Read a template. Raises TemplateError."""
    parts: list[bytes | tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        found = _PART.match(text, at)
        if found is None:
            raise TemplateError(
                f"at character {at + 1}: {text[at : at + 12]!r} is neither two hexadecimal digits, "
                "'text' nor {day:ymd}, {address}, {index:u16}, {check}"
            )
        name, form = found["name"], found["form"] or ""
        if found["hex"]:
            parts.append(bytes.fromhex(found["hex"]))
        elif found["text"] is not None:
            parts.append(found["text"].encode("ascii", "replace"))
        elif (name == "day" and (form in ("ymd", "bcd", *_FAT_ENDS) or "%" in form)) or (
            name == "index" and form in _INDEX_BYTES
        ):
            parts.append((name, form))
        elif name in ("address", "check", "head_check") and not form:
            parts.append((name, ""))
        else:
            raise TemplateError(f"{{{name}:{form}}} is not one of {{day:ymd}}, {{day:bcd}}, "
                                "{day:fat}, {day:fat_end}, {day:%Y-%m-%d}, {index:u8}, {index:u16},"
                                " {index:u32}, {address}, {check}, {head_check}")  # fmt: skip
        at = found.end()
    return Template(tuple(parts))
