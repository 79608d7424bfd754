"""The InfluxDB door: writes by `influxdb-client`, reads by InfluxQL, which every version serves.

``v2`` writes to /api/v2/write (InfluxDB 1.8 and later, 2.x, 3); ``v1`` is the same client with that
path mapped to 1.x's /write.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Literal

from contracts.clock import Clock, utc_now
from timeseries import influxql, means
from timeseries.influx_client import InfluxClient, Refused, Unreachable
from timeseries.lines import line
from timeseries.names import fault
from timeseries.port import Point, Sample, SeriesDown, SeriesRejected, to_ns
from timeseries.refusals import (
    Line,
    Refusal,
    advice,
    is_fault_of_points,
    named_lines,
    read_refusal,
    retry_after_s,
    suspects,
)

Api = Literal["v1", "v2"]
MOST_LINES = 10_000
MOST_BYTES = 4_000_000
"""Of one request, before compression; InfluxDB 3 takes 10 MB, the others more."""
POISON_TRIES = 3
MEANS_AGAIN_S = 600.0
"""How long it is believed that a store keeps no means."""
PROBE = "foodsentry_probe"
"""Measurement of the point that tells whether a failing server stores anything at all."""


class InfluxStore:
    """A SeriesStore on an InfluxDB server (or one that speaks its protocol)."""

    def __init__(
        self,
        client: InfluxClient,
        *,
        api: Api,
        database: str,
        bucket: str = "",
        clock: Clock = utc_now,
    ) -> None:
        """`client` is closed with the store; for ``v1`` it knows the database, too."""
        self._where = f"{client.url} ({api})"
        self._database = database
        self._bucket = bucket or database
        self._clock = clock
        self._no_means_until = 0.0
        self._client = client

    def write(self, points: Sequence[Point]) -> None:
        """Store points. Raises SeriesDown (try again) or SeriesRejected (the rest is stored)."""
        rejected: list[tuple[int, str]] = []
        lines: list[Line] = []
        size = 0
        for index, point in enumerate(points):
            reason = fault(point)
            if reason:
                rejected.append((index, reason))
                continue
            one = Line(index, point, line(point).encode())
            if len(lines) >= MOST_LINES or size + len(one.text) > MOST_BYTES:
                rejected += self._store(lines)
                lines, size = [], 0
            lines.append(one)
            size += len(one.text) + 1
        rejected += self._store(lines)
        if rejected:
            raise SeriesRejected(sorted(rejected))

    def write_lines(self, lines: bytes) -> bool:
        """Store lines at once; see `LineStore.write_lines`. Raises SeriesDown."""
        start = 0
        while start < len(lines):
            end = len(lines)
            if end - start > MOST_BYTES:
                found = lines.rfind(b"\n", start, start + MOST_BYTES)
                end = found if found > start else end
            if self._post(lines[start:end]) is not None:
                return False
            start = end + 1
        return True

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
        if every_s is not None and means.serves(measurement, field, every_s):

            def ask(of_means: bool, start_ns: int, end_ns: int) -> means.Parts:
                return self._parts(
                    influxql.select_parts(
                        measurement, field, tags, start_ns, end_ns, every_s, means=of_means
                    ),
                    of_means,
                )

            return means.combined(
                to_ns(start_at), to_ns(end_at), every_s, partial(ask, True), partial(ask, False)
            )
        query = influxql.select_samples(measurement, field, tags, start_at, end_at, every_s)
        return influxql.samples_of(self._query(query))

    def latest(self, measurement: str, field: str, tags: Mapping[str, str]) -> Sample | None:
        """The newest value; see `SeriesStore.latest`. Raises SeriesDown."""
        query = influxql.select_latest(measurement, field, tags)
        found = influxql.samples_of(self._query(query))
        return max(found, key=lambda sample: sample.at, default=None)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _store(self, lines: Sequence[Line]) -> list[tuple[int, str]]:
        """Send lines; part what is refused until the bad ones stand alone.

        Sending a good line twice is harmless, and only what the server has said yes to counts as
        stored. A line that the server fails on (HTTP 500) again and again, alone, while it stores
        others, is rejected, too: it would hold up everything behind it for ever.
        """
        rejected: list[tuple[int, str]] = []
        waiting = [lines] if lines else []
        while waiting:
            batch = waiting.pop()
            refusal = self._send(batch)
            if refusal is None:
                continue
            if len(batch) == 1 and refusal.failed:
                refusal = self._send_again(batch)
            if refusal is None:
                continue
            if len(batch) == 1 or refusal.dropped == len(batch):
                rejected += [(one.index, refusal.reason) for one in batch]
            elif named := named_lines(refusal, batch):
                rejected += [(batch[n].index, reason) for n, reason in named.items()]
                waiting += [[one for n, one in enumerate(batch) if n not in named]]
            else:
                waiting += _parts(batch, suspects(refusal, batch))
            waiting = [batch for batch in waiting if batch]
        return rejected

    def _send_again(self, batch: Sequence[Line]) -> Refusal | None:
        for _ in range(POISON_TRIES - 1):
            refusal = self._send(batch)
            if refusal is None or not refusal.failed:
                break
        return refusal

    def _send(self, lines: Sequence[Line]) -> Refusal | None:
        """None if all were stored, else why the server refused some. Raises SeriesDown."""
        return self._post(b"\n".join([one.text for one in lines]))

    def _post(self, lines: bytes) -> Refusal | None:
        try:
            self._client.write(self._bucket, lines)
        except Refused as error:
            refusal = read_refusal(error.body, f"HTTP {error.status}")
            if is_fault_of_points(error.status, refusal.reason):
                return refusal
            if error.status == 500 and self._stores_others():
                reason = f"HTTP 500 for this, while others are stored: {refusal.reason}"
                return Refusal(reason, failed=True)
            raise self._down(error, refusal.reason) from error
        except Unreachable as error:
            raise SeriesDown(f"{self._where}: {error}") from error
        return None

    def _stores_others(self) -> bool:
        """Whether the server stores a point that nothing can be wrong with."""
        probe = Point(PROBE, {}, {"ok": True}, to_ns(self._clock()))
        try:
            self._client.write(self._bucket, line(probe).encode())
        except (Refused, Unreachable):
            return False
        return True

    def _parts(self, query: str, of_means: bool) -> means.Parts:
        """Parts of buckets; none where no means are kept (never set up, or a store without)."""
        if not of_means:
            return means.read_parts(self._query(query))
        if time.monotonic() < self._no_means_until:
            return {}
        try:
            return means.read_parts(self._query(query))
        except SeriesDown as error:
            if "not found" not in str(error):
                raise
            self._no_means_until = time.monotonic() + MEANS_AGAIN_S
            return {}

    def _query(self, query: str) -> list[influxql.Row]:
        parameters = [("db", self._database), ("q", query), ("epoch", "ns")]
        try:
            return influxql.read_rows(self._client.ask("GET", "/query", parameters).body)
        except Refused as error:
            raise self._down(error, read_refusal(error.body).reason) from error
        except (Unreachable, influxql.QueryError) as error:
            raise SeriesDown(f"{self._where}: {error}") from error

    def _down(self, error: Refused, reason: str) -> SeriesDown:
        help_ = advice(error.status, reason, error.headers, self._clock())
        said = f"{self._where}: HTTP {error.status}: {reason}{help_ and f' ({help_})'}"
        return SeriesDown(said, retry_after_s(error.headers))


def _parts(batch: Sequence[Line], suspected: set[int]) -> list[Sequence[Line]]:
    """A batch in two: the suspected lines and the others, or else its halves."""
    if 0 < len(suspected) < len(batch):
        bad = [one for n, one in enumerate(batch) if n in suspected]
        return [bad, [one for n, one in enumerate(batch) if n not in suspected]]
    half = len(batch) // 2
    return [batch[half:], batch[:half]]
