"""Decodes bytes that were received before: a capture, a black box, a quarantined frame."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from contracts.profile_records import Lis2Record
from edge_agent.instruments.hosts import actions
from edge_agent.instruments.hosts.make import make_hearing_host
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.instruments.reports import discard_line, reading_line, result_line
from edge_agent.instruments.results import Reader, readings_of

REMEMBERED = 100_000
"""Records whose repeats are known; what an instrument keeps is less."""


class Found(msgspec.Struct, frozen=True):
    """A result or reading, as a JSON object."""

    line: dict[str, Any]


class Lost(msgspec.Struct, frozen=True):
    """Bytes that gave nothing, as a JSON object with `offset` and `reason`."""

    line: dict[str, Any]


def decode_stream(
    profile: LoadedProfile,
    reader: Reader,
    chunks: Iterable[bytes],
    at: datetime,
    *,
    address: int | None = None,
) -> Iterator[Found | Lost]:
    """What the bytes of the instrument say. `at` stands for the time of capture."""
    host = make_hearing_host(profile, address)
    known = Repeats()
    for chunk in chunks:
        yield from lines_of(host.receive(chunk, 0.0, at), reader, at, known)
    yield from lines_of(host.finish(), reader, at, known)


class Repeats:
    """Which records were there before: one that is sent again is not a second result."""

    def __init__(self) -> None:
        self._keys: dict[str, None] = {}

    def has(self, key: str) -> bool:
        """Whether `key` was asked for before; an empty one never was. Bounded."""
        if not key:
            return False
        if key in self._keys:
            return True
        self._keys[key] = None
        if len(self._keys) > REMEMBERED:
            del self._keys[next(iter(self._keys))]
        return False


def lines_of(
    wanted: actions.Actions, reader: Reader, at: datetime, known: Repeats | None = None
) -> Iterator[Found | Lost]:
    """Turn a host's actions into lines; what it wants to send or store is passed over, and so are
    records that are `known`."""
    for action in wanted:
        match action:
            case actions.Take(rows):
                for row in rows:
                    if row.record.result is not None:
                        spec = row.record.result
                        made = reader.result(spec, row.cells, row.raw, at, row.flags)
                        if known is None or not known.has(made.key):
                            yield Found(result_line(made.result))
                    if not isinstance(row.record, Lis2Record):
                        digest = sha256(row.raw).hexdigest()
                        for reading in readings_of(row.record, row.cells, at):
                            yield Found(reading_line(reading, digest, live=False))
            case actions.Noise(discarded, harmless) if not harmless:
                yield Lost(discard_line(discarded.offset, discarded.content, discarded.reason))
            case actions.SetAside(content, reason, offset):
                yield Lost(discard_line(offset, content, reason))
            case actions.Answered(problem) if problem:
                yield Lost({"offset": -1, "bytes": 0, "reason": problem, "content": ""})
            case _:
                pass
