"""Requests as templates: hexadecimal pairs, quoted text, the day, the address and the check value.

``7E 12 03 00 {day:ymd} {check} AA`` · ``'D'{day:%Y-%m-%d}'D'{day:%Y-%m-%d}`` · ``{address} 03``
"""

import re
from datetime import date

import msgspec

from contracts.profile_framing import Check
from edge_agent.protocols.checks import written

_PART = re.compile(
    r"\s*(?:(?P<hex>[0-9A-Fa-f]{2})|'(?P<text>[^']*)'|\{(?P<name>[a-z]+)(?::(?P<form>[^}]*))?\})"
)


class TemplateError(ValueError):
    """A template that can't be read; the text says where."""


class Template(msgspec.Struct, frozen=True):
    """Parts in order: bytes, or a name with its form."""

    parts: tuple[bytes | tuple[str, str], ...]

    @property
    def has_check(self) -> bool:
        """Whether a check value is to be computed."""
        return any(part[0] == "check" for part in self.parts if isinstance(part, tuple))

    @property
    def has_day(self) -> bool:
        """Whether it asks for a day."""
        return any(part[0] == "day" for part in self.parts if isinstance(part, tuple))

    def fill(self, *, day: date, address: int, check: Check | None) -> bytes:
        """The bytes to send."""
        out = bytearray()
        for part in self.parts:
            if isinstance(part, bytes):
                out += part
            elif part[0] == "day":
                out += _day(day, part[1])
            elif part[0] == "address":
                out.append(address)
            elif check is not None:
                out += written(check, bytes(out[check.start :]))
        return bytes(out)


def _day(day: date, form: str) -> bytes:
    if form == "ymd":
        return bytes((day.year % 100, day.month, day.day))
    if form == "bcd":
        return bytes.fromhex(day.strftime("%y%m%d"))
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
                "'text' nor {day:ymd}, {address}, {check}"
            )
        name, form = found["name"], found["form"] or ""
        if found["hex"]:
            parts.append(bytes.fromhex(found["hex"]))
        elif found["text"] is not None:
            parts.append(found["text"].encode("ascii", "replace"))
        elif name == "day" and (form in ("ymd", "bcd") or "%" in form):
            parts.append((name, form))
        elif name in ("address", "check") and not form:
            parts.append((name, ""))
        else:
            raise TemplateError(f"{{{name}:{form}}} is not one of {{day:ymd}}, {{day:bcd}}, "
                                "{day:%Y-%m-%d}, {address}, {check}")  # fmt: skip
        at = found.end()
    return Template(tuple(parts))
