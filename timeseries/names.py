"""What names a series and its fields, the same in every store, and what no store could take.

Names repeat with every point, so what follows from them is kept for the busiest ones.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from timeseries.port import Point
from timeseries.schema import FIELDS, Kind, kind_of

EARLIEST_NS = -(2**63) + 2
LATEST_NS = 2**63 - 2
KEPT = 16_384
"""Series whose names are kept ready (about 1 kB each)."""

Tags = tuple[tuple[str, str], ...]
_NONE: dict[str, Kind] = {}

EXACT = 2**53
"""Every whole number up to here is a float, too."""

_LOOKALIKES = {"\\": "＼", "\n": "␊", "\r": "␍", "\t": "␉", "\0": "␀"}
_MARK = "␛"
"""Before a character that looks like a look-alike and is none: two names never become one."""
_PLAIN = str.maketrans(_LOOKALIKES | {c: _MARK + c for c in (*_LOOKALIKES.values(), _MARK)})


class Series(msgspec.Struct, frozen=True):
    """A series as it is named in every store."""

    measurement: str
    tags: Tags
    """Sorted, none empty."""
    fault: str | None
    """Why no store could take it."""


def plain_text(text: str) -> str:
    """`text` as it stands in a measurement, tag or field name.

    Line protocol has no way to write a line break there, and servers differ on backslashes:
    look-alikes take their places. Different texts stay different.
    """
    return text.translate(_PLAIN)


def plain_measurement(text: str) -> str:
    """`text` as the name of a measurement: a line must not begin as a comment does."""
    text = plain_text(text)
    if text.startswith("＃"):
        return _MARK + text
    return f"＃{text[1:]}" if text.startswith("#") else text


def plain_tags(tags: Mapping[str, str]) -> Tags:
    """The tags that a series has: plain, sorted, without empty ones."""
    kept = ((plain_text(name), plain_text(value)) for name, value in tags.items() if value)
    return tuple(sorted(kept))


def series_of(point: Point) -> Series:
    """The series of a point."""
    return _series(point.measurement, tuple(point.tags.items()))


def fault(point: Point) -> str | None:
    """Why no store could take this point; None if nothing is wrong with it."""
    trouble = series_of(point).fault
    if trouble:
        return trouble
    if not point.fields:
        return "no fields"
    if not EARLIEST_NS <= point.at_ns <= LATEST_NS:
        return f"time {point.at_ns} ns is out of range"
    kinds = FIELDS.get(point.measurement, _NONE)
    for name, value in point.fields.items():
        trouble = _name_fault("field", name)
        if trouble:
            return trouble
        if name in point.tags:
            return f"field {name[:80]}: a tag has this name"
        if isinstance(value, float):
            if not math.isfinite(value):
                return f"field {name[:80]}: {value} is not a number that can be stored"
        elif isinstance(value, str):
            if not _is_text(value):
                return f"field {name[:80]}: is not Unicode text"
        elif not isinstance(value, bool) and not -EXACT <= value <= EXACT:
            return f"field {name[:80]}: {value} is no exact number: beyond 2**53"
        wanted = kinds.get(name)
        if wanted is not None and kind_of(value) != wanted:
            return f"field {name[:80]}: a {kind_of(value)} where {point.measurement} has a {wanted}"
    return None


@lru_cache(KEPT)
def _series(measurement: str, tags: Tags) -> Series:
    trouble = _series_fault(measurement, tags)
    return Series(plain_measurement(measurement), plain_tags(dict(tags)), trouble)


def _series_fault(measurement: str, tags: Tags) -> str | None:
    if not measurement:
        return "measurement is empty"
    if not _is_text(measurement):
        return "measurement is not Unicode text"
    for name, value in tags:
        trouble = _name_fault("tag", name)
        if trouble:
            return trouble
        if not _is_text(value):
            return f"tag {name[:80]}: is not Unicode text"
    return None


@lru_cache(1024)
def _name_fault(what: str, name: str) -> str | None:
    if not name:
        return f"a {what} has no name"
    if name == "time":
        return f"{what} time: the name is taken by the time itself"
    if not _is_text(name):
        return f"a {what}'s name is not Unicode text"
    return None


def _is_text(text: str) -> bool:
    """False for what UTF-8 cannot carry: half a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
