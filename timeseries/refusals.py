"""What servers say when they refuse lines, taken apart: which lines it may be, and what to do.

InfluxDB 1.x and 2.x name the first fault and count (``partial write: … dropped=2``); 3 names up to
a hundred lines by number. Sources: InfluxData's "Troubleshoot issues writing data" of each version;
1.6.7 as it answers.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import msgspec

from timeseries.names import plain_measurement, plain_text
from timeseries.port import Point
from timeseries.schema import kind_of

Why = Literal["too_old", "too_new", "type", "unreadable", "fault", "other"]
BAD_REQUEST = frozenset({400, 413, 422})
LONGEST_KEY = 65_535
CLOCK_OFF_S = 60.0

_DROPPED = re.compile(r"dropped=(\d+)")
_FULL = re.compile(
    r"max-(series|values)-per|max series|disk|no space|engine is closed|timeout", re.I
)
_CONFLICT = re.compile(r'input field "(.*)" on measurement "(.*)" is type (\w+), already exists')
_UNPARSED = re.compile(r"unable to parse '(.+?)': ")
_KINDS = {"boolean": "yes/no", "string": "text"}


class Line(msgspec.Struct, frozen=True):
    """A point on its way: its index in the caller's batch, and its line."""

    index: int
    point: Point
    text: bytes


class Named(msgspec.Struct, frozen=True):
    """One line that InfluxDB 3 names."""

    error_message: str = ""
    line_number: int = 0
    """From 1."""
    original_line: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """A refused write, in words and, where the server tells, in numbers."""

    reason: str
    dropped: int | None = None
    """How many points were not stored, of all that were sent."""
    named: tuple[Named, ...] = ()
    failed: bool = False
    """The server broke down over it, and says nothing of the lines."""


class _Body(msgspec.Struct):
    error: str = ""
    message: str = ""
    data: list[Named] | Named | None = None


def read_refusal(body: bytes, otherwise: str = "") -> Refusal:
    """The body of a refusal; what is no JSON is taken as text."""
    named: tuple[Named, ...] = ()
    try:
        told = msgspec.json.decode(body, type=_Body)
        text = told.error or told.message
        if told.data:
            named = tuple(told.data) if isinstance(told.data, list) else (told.data,)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body.decode("utf-8", "replace")
    reason = short(text or otherwise)
    if named:
        reason = f"{reason}: {short(named[0].error_message)}"
    dropped = _DROPPED.search(text)
    return Refusal(reason, int(dropped[1]) if dropped else None, named)


def short(text: str) -> str:
    """One line of at most 400 characters or so, its end kept."""
    text = " ".join(text.split())
    return text if len(text) <= 400 else f"{text[:150]} … {text[-250:]}"


def is_fault_of_points(status: int, reason: str) -> bool:
    """Whether the points are to blame; else the same write may succeed later."""
    return status in BAD_REQUEST and not _FULL.search(reason)


def named_lines(refusal: Refusal, lines: Sequence[Line]) -> dict[int, str]:
    """Lines that the server names, as position and reason; only those that it also quotes right."""
    found = {}
    for one in refusal.named:
        position = one.line_number - 1
        quoted = one.original_line.rstrip(".… ").encode()
        if 0 <= position < len(lines) and quoted and lines[position].text.startswith(quoted):
            found[position] = short(one.error_message)
    return found


def suspects(refusal: Refusal, lines: Sequence[Line]) -> set[int]:
    """Positions of the lines that the words fit; a guess that only steers what is tried next."""
    reason = refusal.reason
    if "beyond retention" in reason and refusal.dropped:
        oldest = sorted(range(len(lines)), key=lambda n: lines[n].point.at_ns)
        return set(oldest[: refusal.dropped])
    if conflict := _CONFLICT.search(reason):
        field, measurement, told = conflict.groups()
        kind = _KINDS.get(told, "number")
        return {
            position
            for position, line in enumerate(lines)
            if plain_measurement(line.point.measurement) == measurement
            and any(
                plain_text(name) == field and kind_of(value) == kind
                for name, value in line.point.fields.items()
            )
        }
    if "max key length" in reason:
        return {n for n, line in enumerate(lines) if len(line.text) > LONGEST_KEY}
    quoted = tuple(text.encode() for text in _UNPARSED.findall(reason))
    return {n for n, line in enumerate(lines) if quoted and line.text.startswith(quoted)}


def why(reason: str) -> Why:
    """What kind of refusal a reason is, for figures."""
    if "beyond retention" in reason or "too old" in reason:
        return "too_old"
    if "too far in the future" in reason:
        return "too_new"
    if "field type conflict" in reason or "invalid column type" in reason:
        return "type"
    if "max key length" in reason:
        return "fault"
    if "unable to parse" in reason or "parsing" in reason:
        return "unreadable"
    if reason.startswith(("field ", "tag ", "a tag", "a field", "measurement ", "time ", "no ")):
        return "fault"
    return "other"


def advice(status: int, reason: str, headers: Mapping[str, str], now: datetime) -> str:
    """What a person can do about a refusal, and whether the clocks differ; may be empty."""
    said = []
    if status == 401:
        said.append("check series.token_file (and series.username for v1)")
    elif status == 403:
        said.append("the token or user may not do this: it needs read and write on the bucket")
    elif status == 404 or "not found" in reason:
        said.append("`foodsentry gateway setup-influx` makes what is missing")
    elif _FULL.search(reason):
        said.append("the server is full or at a limit of its own configuration")
    off_s = clock_off_s(headers, now)
    if off_s is not None and abs(off_s) >= CLOCK_OFF_S:
        way = "ahead of" if off_s > 0 else "behind"
        said.append(f"this machine's clock is {abs(off_s):.0f} s {way} the server's")
    return "; ".join(said)


def clock_off_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds by which our clock is ahead of the server's, by its Date (headers in lower case)."""
    try:
        return (now - parsedate_to_datetime(headers["date"])).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long the server asks us to wait, in seconds, if it says so in seconds."""
    try:
        asked = float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return min(max(asked, 0.0), 300.0)
