"""InfluxQL queries, quoted so that no name or value can become a command, and their answers.

Source of the rules: InfluxData's "InfluxQL reference", literals and identifiers.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from timeseries.names import plain_measurement, plain_tags, plain_text
from timeseries.port import Sample, Value, from_ns, to_ns
from timeseries.schema import MEANS

_ESCAPES = {"\\": "\\\\", "\n": "\\n"}
_STRING = str.maketrans(_ESCAPES | {"'": "\\'"})
_NAME = str.maketrans(_ESCAPES | {'"': '\\"'})


Row = tuple[int, list[Value | None]]
"""A time in nanoseconds, and the columns after it."""


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


def select_parts(
    measurement: str,
    field: str,
    tags: Mapping[str, str],
    start_ns: int,
    end_ns: int,
    every_s: float,
    *,
    means: bool,
) -> str:
    """The query for sum, count and (of means) number of rows in each bucket of a span."""
    field = name(plain_text(field))
    table = name(plain_measurement(measurement))
    if means:
        chosen, table = 'sum("sum"), sum("count"), count("count")', f"{name(MEANS)}.{table}"
    else:
        chosen = f"sum({field}), count({field})"
    span = f"time >= {start_ns} AND time < {end_ns}{_and_tags(tags)}"
    grouped = f"GROUP BY time({round(every_s * 1_000_000_000)}ns) fill(none)"
    return f"SELECT {chosen} FROM {table} WHERE {span} {grouped}"  # noqa: S608 - names are quoted


def select_latest(measurement: str, field: str, tags: Mapping[str, str]) -> str:
    """The query for the newest value."""
    measurement, field = name(plain_measurement(measurement)), name(plain_text(field))
    where = _and_tags(tags).removeprefix(" AND ")
    query = f"SELECT last({field}) FROM {measurement}"  # noqa: S608 - both quoted
    return f"{query} WHERE {where}" if where else query


class _Series(msgspec.Struct):
    values: list[list[Value | None]] = []


class _Statement(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Statement] = []
    error: str = ""


_decoder = msgspec.json.Decoder(_Answer)


def samples_of(rows: Iterable[Row]) -> list[Sample]:
    """The first columns as samples; empty ones are left out."""
    return [Sample(from_ns(at_ns), values[0]) for at_ns, values in rows if values[0] is not None]


def read_rows(body: bytes) -> list[Row]:
    """Times (nanoseconds) and columns in a /query answer with ``epoch=ns``. Raises QueryError."""
    rows = []
    for series in _series(body):
        for at_ns, *values in series.values:
            if not isinstance(at_ns, int) or not values:
                raise QueryError("answer cannot be read: a row without time or values")
            rows.append((at_ns, values))
    return rows


def read_table(body: bytes) -> list[list[Value | None]]:
    """The rows of a SHOW statement's answer. Raises QueryError."""
    return [row for series in _series(body) for row in series.values]


def _series(body: bytes) -> list[_Series]:
    try:
        answer = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise QueryError(f"answer cannot be read: {error}") from None
    for trouble in (answer.error, *(statement.error for statement in answer.results)):
        if trouble:
            raise QueryError(trouble)
    return [series for statement in answer.results for series in statement.series]


def _and_tags(tags: Mapping[str, str]) -> str:
    return "".join(f" AND {name(key)} = {string(value)}" for key, value in plain_tags(tags))
