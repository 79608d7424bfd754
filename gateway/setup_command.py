"""`foodsentry gateway setup-influx`: retention and means on the time-series server.

Run it again as often as you like: what is there is left alone.
"""

import argparse
import sys
from pathlib import Path

import msgspec

from contracts.settings import SettingsError, load_settings, read_secret
from contracts.words import both
from gateway.settings import GatewaySettings
from timeseries.influx_client import InfluxClient, Refused, Unreachable
from timeseries.influxql import QueryError
from timeseries.settings import SeriesSettings, open_client
from timeseries.setup.run import setup_steps
from timeseries.setup.steps import WORDS, Wishes, carry_out, told

PATIENCE_S = 120.0
"""Longest wait for one answer: an hour's means of a city take a server a while."""


def add_setup(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `setup-influx`."""
    setup = commands.add_parser(
        "setup-influx", help="make database, retention and means on the time-series server"
    )
    setup.add_argument("settings", type=Path, help="the gateway's settings file (TOML)")
    setup.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    setup.add_argument(
        "--shorten", action="store_true", help="allow shorter retention, which deletes older data"
    )
    setup.add_argument(
        "--backfill",
        type=int,
        default=0,
        metavar="DAYS",
        help="make the last DAYS' means now",
    )
    setup.add_argument(
        "--token-file", default="", help="an administrator's token or password, for this run only"
    )
    setup.add_argument("--username", help="an administrator's name (1.x), for this run only")
    setup.set_defaults(run=run_setup)


def run_setup(arguments: argparse.Namespace) -> int:
    """0: everything is as it should be, or would be made; 1: something cannot be done."""
    settings = load_settings(arguments.settings, GatewaySettings).series
    if settings.api == "sqlite":
        print(both("SQLite 文件无需设置", "a SQLite file needs no setup"))
        return 0
    client = _client(arguments, settings)
    wishes = Wishes(shorten=arguments.shorten, backfill_days=arguments.backfill)
    failed = False
    try:
        found, steps = setup_steps(client, settings, wishes)
        print(f"{settings.url}: {found.kind} {found.version}".rstrip(), flush=True)
        for outcome in carry_out(steps, dry_run=arguments.dry_run):
            reason = f": {outcome.reason}" if outcome.reason else ""
            print(f"[{WORDS[outcome.state]}] {outcome.text}{reason}", flush=True)
            failed |= outcome.state == "cannot"
    except (Refused, Unreachable, QueryError) as error:
        print(f"foodsentry: {settings.url}: {told(error)}", file=sys.stderr)
        return 1
    finally:
        client.close()
    return 1 if failed else 0


def _client(arguments: argparse.Namespace, settings: SeriesSettings) -> InfluxClient:
    base = arguments.settings.parent
    settings = msgspec.structs.replace(settings, timeout_s=max(settings.timeout_s, PATIENCE_S))
    if arguments.username is not None:
        settings = msgspec.structs.replace(settings, username=arguments.username)
    if not arguments.token_file:
        return open_client(settings, base)
    token = read_secret(arguments.token_file, "", "--token-file")
    if not token:
        raise SettingsError(f"--token-file: {arguments.token_file} is empty")
    return open_client(settings, base, token=token)
