"""An InfluxDB door in one call, as settings would open it."""

from typing import Any

from contracts.clock import Clock, utc_now
from timeseries.influx import Api, InfluxStore
from timeseries.influx_client import InfluxClient


def influx_door(
    *, api: Api, url: str, database: str, bucket: str = "", clock: Clock = utc_now, **client: Any
) -> InfluxStore:
    """A store on the server at `url`; `client` goes to InfluxClient."""
    v1_database = database if api == "v1" else ""
    connection = InfluxClient(url, v1_database=v1_database, **client)
    return InfluxStore(connection, api=api, database=database, bucket=bucket, clock=clock)
