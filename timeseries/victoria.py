"""The VictoriaMetrics door: writes as InfluxDB 2, reads by its own export and query API.

It answers 204 to everything and drops in silence what it cannot keep; so what is too old, too new
or no number is refused here, before it is sent. Times are kept in milliseconds.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from contracts.clock import Clock, utc_now
from timeseries.influx import InfluxStore
from timeseries.influx_client import Answer, InfluxClient, Refused, Unreachable
from timeseries.names import plain_measurement, plain_tags, plain_text
from timeseries.port import Point, Sample, SeriesDown, SeriesRejected, Value, from_ns, to_ns
from timeseries.refusals import advice, read_refusal
from timeseries.schema import FIELDS
from timeseries.setup.others import victoria_days

AHEAD = timedelta(days=2)
"""Later than so much from now, VictoriaMetrics drops a point."""
MARGIN = timedelta(minutes=1)
FLAGS_S = 600.0
LOOK_BACK_DAYS = (3, 60, 20_000)
_MS = 1_000_000
T = TypeVar("T")


class _Exported(msgspec.Struct):
    metric: dict[str, str]
    values: list[float | None]
    timestamps: list[int]


class _Vector(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Result(msgspec.Struct):
    result: list[_Vector] = []


class _Queried(msgspec.Struct):
    data: _Result


class VictoriaStore:
    """A SeriesStore on a VictoriaMetrics."""

    def __init__(self, client: InfluxClient, *, clock: Clock = utc_now) -> None:
        """`client` is closed with the store."""
        self._client = client
        self._clock = clock
        self._where = f"{client.url} (victoria)"
        self._writer = InfluxStore(client, api="v2", database="foodsentry", clock=clock)
        self._kept: timedelta | None = None
        self._kept_until = 0.0

    def write(self, points: Sequence[Point]) -> None:
        """Store points. Raises SeriesDown (try again) or SeriesRejected (the rest is stored)."""
        now = self._clock()
        earliest_ns = to_ns(now - self._keeps() + MARGIN)
        latest_ns = to_ns(now + AHEAD - MARGIN)
        rejected, good = [], []
        for index, point in enumerate(points):
            reason = _unkept(point, earliest_ns, latest_ns)
            if reason:
                rejected.append((index, reason))
            else:
                good.append(index)
        try:
            self._writer.write([points[index] for index in good])
        except SeriesRejected as error:
            rejected += [(good[n], reason) for n, reason in error.rejected]
        if rejected:
            raise SeriesRejected(sorted(rejected))

    def samples(
        self,
        measurement: str,
        field: str,
        tags: Mapping[str, str],
        start_at: datetime,
        end_at: datetime,
        every_s: float | None = None,
    ) -> list[Sample]:
        """Values by time; see `SeriesStore.samples`. Raises SeriesDown."""
        start_ns, end_ns = to_ns(start_at), to_ns(end_at)
        read = self._read(measurement, field, tags, start_ns, end_ns)
        values = sorted((at_ns, value) for at_ns, value in read if start_ns <= at_ns < end_ns)
        if every_s is None:
            kind = FIELDS.get(measurement, {}).get(field)
            return [Sample(from_ns(at), _as(kind, value)) for at, value in values]
        every_ns = round(every_s * 1_000_000_000)
        if every_ns <= 0:
            raise ValueError(f"every_s {every_s} is not positive")
        buckets: dict[int, list[float]] = defaultdict(list)
        for at_ns, value in values:
            buckets[at_ns // every_ns * every_ns].append(value)
        return [Sample(from_ns(at), sum(held) / len(held)) for at, held in buckets.items()]

    def latest(self, measurement: str, field: str, tags: Mapping[str, str]) -> Sample | None:
        """The newest value; see `SeriesStore.latest`. Raises SeriesDown."""
        chosen, others = _selector(measurement, field, tags)
        end = self._clock() + AHEAD
        for days in LOOK_BACK_DAYS:
            query = f"tlast_over_time({chosen}[{days}d])"
            asked = [("query", query), ("time", str(end.timestamp())), ("nocache", "1")]
            found = self._decoded(self._ask("/api/v1/query", asked).body, _Queried).data.result
            times = [float(one.value[1]) for one in found if _carries(one.metric, others)]
            if times:
                at_ns = round(max(times) * 1000) * _MS
                newest = self._read(measurement, field, tags, at_ns, at_ns + _MS)
                kind = FIELDS.get(measurement, {}).get(field)
                for at, value in newest:
                    return Sample(from_ns(at), _as(kind, value))
        return None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _read(
        self, measurement: str, field: str, tags: Mapping[str, str], start_ns: int, end_ns: int
    ) -> Iterator[tuple[int, float]]:
        chosen, others = _selector(measurement, field, tags)
        asked = [
            ("match[]", chosen),
            ("start", f"{max(0, start_ns // _MS) / 1000:.3f}"),
            ("end", f"{max(0, -(-end_ns // _MS)) / 1000:.3f}"),
        ]
        for text in self._ask("/api/v1/export", asked).body.splitlines():
            series = self._decoded(text, _Exported)
            if _carries(series.metric, others):
                # What was written twice is told twice.
                for at_ms, value in dict(
                    zip(series.timestamps, series.values, strict=True)
                ).items():
                    if value is not None:
                        yield at_ms * _MS, value

    def _decoded(self, body: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SeriesDown(f"{self._where}: answer cannot be read: {error}") from None

    def _keeps(self) -> timedelta:
        """How long it keeps points, by its own command line."""
        if self._kept is None or time.monotonic() >= self._kept_until:
            flags = self._ask("/flags", []).body.decode("utf-8", "replace")
            self._kept = timedelta(days=victoria_days(flags))
            self._kept_until = time.monotonic() + FLAGS_S
        return self._kept

    def _ask(self, path: str, parameters: Sequence[tuple[str, str]]) -> Answer:
        try:
            return self._client.ask("GET", path, parameters)
        except Refused as error:
            reason = read_refusal(error.body).reason
            help_ = advice(error.status, reason, error.headers, self._clock())
            said = f"{self._where}: HTTP {error.status}: {reason}{help_ and f' ({help_})'}"
            raise SeriesDown(said) from error
        except Unreachable as error:
            raise SeriesDown(f"{self._where}: {error}") from error


def _unkept(point: Point, earliest_ns: int, latest_ns: int) -> str | None:
    """Why VictoriaMetrics would drop a point, or None."""
    if point.at_ns < earliest_ns:
        return "too old: beyond the server's -retentionPeriod"
    if point.at_ns > latest_ns:
        return "too far in the future: is the device's clock right?"
    for name, value in point.fields.items():
        if '"' in name:
            return f"field {name[:80]}: VictoriaMetrics reads no quote in a field's name"
        if isinstance(value, str):
            return f"field {name[:80]}: VictoriaMetrics keeps no text"
    if "__name__" in point.tags:
        return "tag __name__: the name is taken"
    return None


def _selector(measurement: str, field: str, tags: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """A selector, and the tags whose names cannot stand in one."""
    metric = f"{plain_measurement(measurement)}_{plain_text(field)}"
    named = {"__name__": metric}
    others: dict[str, str] = {}
    for name, value in plain_tags(tags):
        simple = name.isascii() and name.isidentifier()
        (named if simple else others)[name] = value
    inside = ",".join(f"{n}={json.dumps(v, ensure_ascii=False)}" for n, v in named.items())
    return f"{{{inside}}}", others


def _carries(metric: Mapping[str, str], tags: Mapping[str, str]) -> bool:
    return all(metric.get(name) == value for name, value in tags.items())


def _as(kind: str | None, value: float) -> Value:
    return value != 0 if kind == "yes/no" else value
