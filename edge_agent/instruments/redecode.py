"""Reads stored frames again, under the profile of today, and shows what differs."""

from collections.abc import Iterator
from typing import Any

import msgspec

from contracts.envelope import EnvelopeError, decode
from contracts.events import TestResult
from contracts.profile import E1381, Modbus
from edge_agent.instruments.decoder import Row, decode_frame, decode_message
from edge_agent.instruments.fields import DecodeError
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.instruments.reports import result_line
from edge_agent.instruments.results import Reader
from edge_agent.protocols.e1381_frames import good_frames
from edge_agent.protocols.lis2 import Message

OURS = frozenset(("profile", "flags"))
"""Keys that may differ without a difference in what was read."""


def stored_result(line: bytes) -> TestResult:
    """A test result from a line of JSON: a whole event, or its data. Raises EnvelopeError."""
    try:
        return msgspec.json.decode(line, type=TestResult)
    except msgspec.DecodeError:
        event = decode(line)
    if not isinstance(event.data, TestResult):
        raise EnvelopeError(f"type: {event.kind} is no test result")
    return event.data


def rows_of(profile: LoadedProfile, content: bytes) -> list[Row]:
    """The rows in the stored bytes of one result. Raises DecodeError."""
    if isinstance(profile.spec.dialogue, Modbus):
        raise DecodeError("a Modbus profile gives readings, not results")
    if not isinstance(profile.spec.dialogue, E1381):
        return decode_frame(profile, content)
    message = Message()
    for frame in good_frames(content):
        message.add(frame.text, frame.raw, last=frame.last)
    return decode_message(profile, message)


def redecode(profile: LoadedProfile, reader: Reader, stored: TestResult) -> dict[str, Any]:
    """What the profile of today makes of the stored bytes, compared with what was stored."""
    line: dict[str, Any] = {
        "raw_sha256": stored.raw.sha256,
        "stored_profile": f"{stored.profile.id} {stored.profile.version}",
        "profile": f"{profile.ref.id} {profile.ref.version}",
        "changes": {},
    }
    try:
        rows = rows_of(profile, stored.raw.content)
    except DecodeError as error:
        return line | {"error": str(error)}
    before = result_line(stored)
    candidates = [(_alike(before, after), after) for after in _lines(reader, rows, stored)]
    if not candidates:
        return line | {"error": "the bytes give no result"}
    _, after = max(candidates, key=lambda pair: pair[0])
    changes = {
        key: [before[key], after[key]]
        for key in before
        if key not in OURS and before[key] != after[key]
    }
    return line | {"changes": changes}


def _lines(reader: Reader, rows: list[Row], stored: TestResult) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row.record.result is not None:
            made = reader.result(row.record.result, row.cells, row.raw, stored.captured_at)
            yield result_line(made.result)


def _alike(before: dict[str, Any], after: dict[str, Any]) -> int:
    """How many of the telling keys agree: one frame may hold several results."""
    keys = ("item", "value", "record_number", "channel", "sample_id", "measured_text")
    return sum(before[key] == after[key] for key in keys)
