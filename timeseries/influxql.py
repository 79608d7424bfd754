"""InfluxQL queries, quoted so that no name or value can become a command, and their answers.

Source of the rules: InfluxData's "InfluxQL reference", literals and identifiers.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from timeseries.names import plain_measurement, plain_tags, plain_text
from timeseries.port import Sample, Value, from_ns, to_ns

_ESCAPES = {"\\": "\\\\", "\n": "\\n"}
_STRING = str.maketrans(_ESCAPES | {"'": "\\'"})
_NAME = str.maketrans(_ESCAPES | {'"': '\\"'})


class QueryError(Exception):
    """The server refused the query; the text is its reason."""


def name(text: str) -> str:
    """An identifier: measurement, tag or field."""
    return f'"{text.translate(_NAME)}"'


def string(text: str) -> str:
    """A string literal."""
    return f"'{text.translate(_STRING)}'"


def select_samples(
    measurement: str,
    field: str,
    tags: Mapping[str, str],
    start_at: datetime,
    end_at: datetime,
    every_s: float | None,
) -> str:
    """The query for values (or the means of buckets) in a span of time."""
    field = name(plain_text(field))
    span = f"time >= {to_ns(start_at)} AND time < {to_ns(end_at)}"
    if every_s is None:
        chosen, grouped = field, ""
    else:
        every_ns = round(every_s * 1_000_000_000)
        if every_ns <= 0:
            raise ValueError(f"every_s {every_s} is not positive")
        chosen, grouped = f"mean({field})", f" GROUP BY time({every_ns}ns) fill(none)"
    source = f"FROM {name(plain_measurement(measurement))} WHERE {span}{_and_tags(tags)}"
    return f"SELECT {chosen} {source}{grouped} ORDER BY time"


def select_latest(measurement: str, field: str, tags: Mapping[str, str]) -> str:
    """The query for the newest value."""
    measurement, field = name(plain_measurement(measurement)), name(plain_text(field))
    where = _and_tags(tags).removeprefix(" AND ")
    query = f"SELECT last({field}) FROM {measurement}"  # noqa: S608 - both quoted
    return f"{query} WHERE {where}" if where else query


class _Series(msgspec.Struct):
    values: list[tuple[int, Value | None]] = []


class _Statement(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Statement] = []
    error: str = ""


_decoder = msgspec.json.Decoder(_Answer)


def read_answer(body: bytes) -> list[Sample]:
    """The samples in a /query answer with ``epoch=ns``. Raises QueryError."""
    try:
        answer = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise QueryError(f"answer cannot be read: {error}") from None
    for trouble in (answer.error, *(statement.error for statement in answer.results)):
        if trouble:
            raise QueryError(trouble)
    return [
        Sample(from_ns(at_ns), value)
        for statement in answer.results
        for series in statement.series
        for at_ns, value in series.values
        if value is not None
    ]


def _and_tags(tags: Mapping[str, str]) -> str:
    return "".join(f" AND {name(key)} = {string(value)}" for key, value in plain_tags(tags))
