"""Settings of the time series, and the door they open."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from contracts.settings import SettingsError, read_secret
from timeseries.expiry import Expiry
from timeseries.influx import InfluxStore
from timeseries.influx_client import InfluxClient
from timeseries.keep import KeepSettings
from timeseries.port import SeriesStore
from timeseries.sqlite import SqliteStore
from timeseries.victoria import VictoriaStore


class SeriesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where measurements over time are kept."""

    api: Annotated[
        Literal["sqlite", "v1", "v2", "victoria"],
        msgspec.Meta(
            description="sqlite: a file of our own; v1: InfluxDB 1.x (/write); v2: InfluxDB "
            "1.8 and later, 2.x or 3 (/api/v2/write); victoria: VictoriaMetrics."
        ),
    ] = "sqlite"
    path: Annotated[
        str,
        msgspec.Meta(description="sqlite: the file, relative to this settings file."),
    ] = "series.db"
    url: Annotated[
        str,
        msgspec.Meta(
            description="All but sqlite: the server's URL, such as http://127.0.0.1:8086."
        ),
    ] = ""
    database: Annotated[
        str,
        msgspec.Meta(
            description="v1: the database. v2: the database under which InfluxQL reads the "
            "bucket; empty: the bucket's name."
        ),
    ] = ""
    bucket: Annotated[str, msgspec.Meta(description="v2: the bucket.")] = ""
    org: Annotated[str, msgspec.Meta(description="v2: the organisation.")] = ""
    username: Annotated[
        str,
        msgspec.Meta(description="v1: the user, if the server asks for one."),
    ] = ""
    token_file: Annotated[
        str,
        msgspec.Meta(
            description="File that holds the token (v2) or the user's password (v1), relative to "
            "this settings file. Without it, the environment variable FOODSENTRY_SERIES_TOKEN."
        ),
    ] = ""
    timeout_s: Annotated[
        float, msgspec.Meta(gt=0, le=300, description="All but sqlite: longest wait for an answer.")
    ] = 10.0
    gzip: Annotated[
        bool,
        msgspec.Meta(
            description="All but sqlite: compress what is written: about a tenth of the bytes, for "
            "a fiftieth of a write's time."
        ),
    ] = True
    tls_ca_file: Annotated[
        str,
        msgspec.Meta(
            description="All but sqlite: certificates that the server's must come from, relative "
            "to this settings file; empty: those of the system."
        ),
    ] = ""
    keep: Annotated[KeepSettings, msgspec.Meta(description="How long measurements are kept.")] = (
        KeepSettings()
    )


def open_store(settings: SeriesSettings, base_path: Path) -> SeriesStore:
    """Open the store; `base_path` is the folder that relative paths start from.

    Raises SettingsError that names the key.
    """
    if settings.api == "sqlite":
        return SqliteStore(base_path / settings.path, Expiry(settings.keep.file_days))
    client = open_client(settings, base_path)
    if settings.api == "victoria":
        return VictoriaStore(client)
    return InfluxStore(
        client,
        api=settings.api,
        database=settings.database or settings.bucket,
        bucket=settings.bucket,
    )


def open_client(
    settings: SeriesSettings, base_path: Path, token: str | None = None
) -> InfluxClient:
    """A connection to the server that the settings name; `token` instead of theirs.

    Raises SettingsError that names the key.
    """
    if not settings.url:
        raise SettingsError(f"series.url: api {settings.api!r} needs the server's URL")
    if not settings.url.startswith(("http://", "https://")):
        raise SettingsError(f"series.url: {settings.url!r} is not an http(s) URL")
    if settings.api == "v1" and not settings.database:
        raise SettingsError("series.database: api 'v1' needs a database")
    if settings.api == "v2" and not settings.bucket:
        raise SettingsError("series.bucket: api 'v2' needs a bucket")
    if token is None:
        token = read_secret(
            settings.token_file, "FOODSENTRY_SERIES_TOKEN", "series.token_file", base=base_path
        )
    return InfluxClient(
        settings.url,
        org=settings.org,
        username=settings.username,
        token=token or "",
        timeout_s=settings.timeout_s,
        gzip=settings.gzip,
        tls_ca_file=_file(settings.tls_ca_file, base_path),
        v1_database=settings.database if settings.api == "v1" else "",
    )


def _file(name: str, base_path: Path) -> str:
    if not name:
        return ""
    path = base_path / name
    if not path.is_file():
        raise SettingsError(f"series.tls_ca_file: there is no file {path}")
    return str(path)
