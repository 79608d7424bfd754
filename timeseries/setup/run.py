"""Finds out what server there is, and lets it be set up as its kind can be."""

from collections.abc import Iterator

from contracts.clock import Clock, utc_now
from contracts.settings import SettingsError
from contracts.words import both
from timeseries.influx_client import InfluxClient
from timeseries.refusals import CLOCK_OFF_S
from timeseries.settings import SeriesSettings
from timeseries.setup.detect import Found, detect
from timeseries.setup.others import steps_v3, steps_victoria
from timeseries.setup.steps import Step, Wishes
from timeseries.setup.v1 import SetupV1
from timeseries.setup.v2 import SetupV2


def setup_steps(
    client: InfluxClient, settings: SeriesSettings, wishes: Wishes, clock: Clock = utc_now
) -> tuple[Found, Iterator[Step]]:
    """The server, and the steps that fit it.

    Raises SettingsError, Unreachable; the steps raise Refused, Unreachable or QueryError where the
    server cannot even say what it has.
    """
    found = detect(client, clock())
    return found, _all(found, client, settings, wishes)


def _all(
    found: Found, client: InfluxClient, settings: SeriesSettings, wishes: Wishes
) -> Iterator[Step]:
    off_s = found.clock_off_s
    if off_s is not None and abs(off_s) >= CLOCK_OFF_S:
        yield Step(
            both("时钟一致", "clocks agree"),
            cannot=both(
                f"本机时钟与服务器相差 {off_s:+.0f} 秒；请对时",
                f"this machine's clock is {off_s:+.0f} s off the server's; set it right",
            ),
        )
    database = (settings.database or settings.bucket).partition("/")[0]
    bucket = settings.bucket or settings.database
    match found.kind:
        case "1.x":
            yield from SetupV1(client, database, settings.keep).steps(wishes)
        case "2.x":
            if not settings.org:
                raise SettingsError("series.org: InfluxDB 2.x needs the organisation's name")
            yield from SetupV2(client, settings.org, bucket, database, settings.keep).steps(wishes)
        case "3":
            yield from steps_v3(client, bucket, settings.keep)
        case "VictoriaMetrics":
            yield from steps_victoria(client, settings.keep)
        case _:
            raise SettingsError(f"series.url: {settings.url} answers, but is none that we know")
