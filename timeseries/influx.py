"""The InfluxDB door: writes by `influxdb-client`, reads by InfluxQL, which every version serves.

``v2`` writes to /api/v2/write (InfluxDB 1.8 and later, 2.x, 3, VictoriaMetrics); ``v1`` is the same
client with that path mapped to 1.x's /write.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from timeseries import influxql
from timeseries.lines import line
from timeseries.names import fault
from timeseries.port import Point, Sample, SeriesDown, SeriesRejected

Api = Literal["v1", "v2"]
V2_WRITE = "/api/v2/write"

_BAD_REQUEST = {400, 413, 422}
_DROPPED = re.compile(r"dropped=(\d+)")
_FULL = re.compile(
    r"max-(series|values)-per|max series|disk|no space|engine is closed|timeout", re.I
)


class InfluxStore:
    """A SeriesStore on an InfluxDB server (or one that speaks its protocol)."""

    def __init__(
        self,
        *,
        api: Api,
        url: str,
        database: str,
        bucket: str = "",
        org: str = "",
        username: str = "",
        token: str = "",
        timeout_s: float = 10.0,
        gzip: bool = True,
    ) -> None:
        """With `username` the token is its password (HTTP basic); else it is sent as a token."""
        self._where = f"{url} ({api})"
        self._database = database
        self._bucket = bucket or database
        self._client = InfluxDBClient(
            url=url,
            token=f"{username}:{token}" if username else token,
            org=org or "-",
            timeout=max(1, round(timeout_s * 1000)),
            enable_gzip=gzip,
            auth_basic=bool(username),
        )
        if api == "v1":
            rest = self._client.api_client.rest_client
            self._client.api_client.rest_client = _V1Rest(rest, database)  # type: ignore[assignment]
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, points: Sequence[Point]) -> None:
        """Store points. Raises SeriesDown (try again) or SeriesRejected (the rest is stored)."""
        rejected: list[tuple[int, str]] = []
        lines: list[tuple[int, bytes]] = []
        for index, point in enumerate(points):
            reason = fault(point)
            if reason:
                rejected.append((index, reason))
            else:
                lines.append((index, line(point).encode()))
        if lines:
            rejected += self._refused(lines)
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
        query = influxql.select_samples(measurement, field, tags, start_at, end_at, every_s)
        return self._query(query)

    def latest(self, measurement: str, field: str, tags: Mapping[str, str]) -> Sample | None:
        """The newest value; see `SeriesStore.latest`. Raises SeriesDown."""
        found = self._query(influxql.select_latest(measurement, field, tags))
        return max(found, key=lambda sample: sample.at, default=None)

    def close(self) -> None:
        """Let go of the connections."""
        self._writer.close()  # type: ignore[no-untyped-call]
        self._client.close()  # type: ignore[no-untyped-call]

    def _refused(self, lines: Sequence[tuple[int, bytes]]) -> list[tuple[int, str]]:
        """Send lines; halve what is refused until the bad ones stand alone.

        Sending a good line twice is harmless, and only what the server has said yes to counts as
        stored.
        """
        rejected: list[tuple[int, str]] = []
        waiting = [lines]
        while waiting:
            batch = waiting.pop()
            reason = self._send(batch)
            if reason is None:
                continue
            dropped = _DROPPED.search(reason)
            if len(batch) == 1 or (dropped and int(dropped[1]) == len(batch)):
                rejected += [(index, reason) for index, _ in batch]
            else:
                half = len(batch) // 2
                waiting += [batch[half:], batch[:half]]
        return rejected

    def _send(self, lines: Sequence[tuple[int, bytes]]) -> str | None:
        """None if all were stored, else why the server refused some. Raises SeriesDown."""
        body = b"\n".join(text for _, text in lines)
        try:
            self._writer.write(self._bucket, record=body, write_precision="ns")  # type: ignore[arg-type]
        except ApiException as error:
            reason = _reason(error)
            if error.status in _BAD_REQUEST and not _FULL.search(reason):
                return reason
            raise SeriesDown(f"{self._where}: HTTP {error.status}: {reason}") from error
        except urllib3.exceptions.HTTPError as error:
            raise SeriesDown(f"{self._where}: {error}") from error
        return None

    def _query(self, query: str) -> list[Sample]:
        parameters = [("db", self._database), ("q", query), ("epoch", "ns")]
        try:
            response = self._client.api_client.call_api(  # type: ignore[no-untyped-call]
                "/query",
                "GET",
                query_params=parameters,
                _preload_content=False,
                _return_http_data_only=True,
                urlopen_kw={},
            )
            return influxql.read_answer(response.data)
        except ApiException as error:
            reason = _reason(error)
            raise SeriesDown(f"{self._where}: HTTP {error.status}: {reason}") from error
        except (urllib3.exceptions.HTTPError, influxql.QueryError) as error:
            raise SeriesDown(f"{self._where}: {error}") from error


class _V1Rest:
    """The client's HTTP layer, with v2's write path mapped to InfluxDB 1.x's."""

    def __init__(self, inner: Any, database: str) -> None:
        self._inner = inner
        self._database = database

    def POST(self, url: str, *, query_params: Any = None, **others: Any) -> Any:
        if url.endswith(V2_WRITE):
            url = url.removesuffix(V2_WRITE) + "/write"
            query_params = [("db", self._database), ("precision", "ns")]
        return self._inner.POST(url, query_params=query_params, **others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Refusal(msgspec.Struct):
    error: str = ""
    message: str = ""


def _reason(error: ApiException) -> str:
    body = error.body or ""
    try:
        told = msgspec.json.decode(body, type=_Refusal)
        text = told.error or told.message
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    reason = " ".join((text or str(error.reason)).split())
    return reason if len(reason) <= 400 else f"{reason[:150]} … {reason[-250:]}"
