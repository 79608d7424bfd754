"""Which server answers at a URL, by what it says of itself, and whether its clock is ours."""

from datetime import datetime
from typing import Literal

import msgspec

from timeseries.influx_client import InfluxClient, Refused
from timeseries.refusals import clock_off_s

Kind = Literal["1.x", "2.x", "3", "VictoriaMetrics", "unknown"]


class Found(msgspec.Struct, frozen=True):
    """A server."""

    kind: Kind
    version: str
    clock_off_s: float | None
    """Seconds that our clock is ahead of its."""


class _Info(msgspec.Struct):
    status: str = ""


def detect(client: InfluxClient, now: datetime) -> Found:
    """Ask a server what it is. Raises Unreachable."""
    try:
        answer = client.ask("GET", "/ping")
        headers = answer.headers
    except Refused as error:
        headers = error.headers
    version = headers.get("x-influxdb-version", "").removeprefix("v")
    off_s = clock_off_s(headers, now)
    kinds: dict[str, Kind] = {"1": "1.x", "2": "2.x", "3": "3"}
    if headers.get("x-influxdb-build", version) and version[:1] in kinds:
        if not _is_victoria(client):
            return Found(kinds[version[:1]], version, off_s)
    elif not _is_victoria(client):
        return Found("unknown", version, off_s)
    return Found("VictoriaMetrics", "", off_s)


def _is_victoria(client: InfluxClient) -> bool:
    """VictoriaMetrics answers as Prometheus does; its /ping says that it is InfluxDB 1.8."""
    try:
        body = client.ask("GET", "/api/v1/status/buildinfo").body
        return msgspec.json.decode(body, type=_Info).status == "success"
    except (Refused, msgspec.DecodeError, UnicodeDecodeError):
        return False
