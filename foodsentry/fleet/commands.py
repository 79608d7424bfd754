"""`foodsentry fleet …`: simulate a city of agents, make it known, check what arrived."""

import argparse
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from contracts.settings import SettingsError, load_settings
from contracts.tls import TlsFiles
from contracts.topics import TopicError, checked_segment
from edge_agent.uplink.settings import UplinkSettings
from foodsentry.fleet.check import Findings, check
from foodsentry.fleet.register import read_passwords, register, write_csv, write_passwords
from foodsentry.fleet.report import FleetReport, read_report
from foodsentry.fleet.run import FleetFailed, FleetOptions, run_fleet
from foodsentry.fleet.script import FleetScript
from gateway.settings import GatewaySettings
from ledger.engine import LedgerDown
from timeseries.port import SeriesDown
from timeseries.settings import open_store

CHECKS_OF_THE_CITY = "a gateway's settings file: the ledger and time series that are meant"


def add_fleet(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `fleet` with its commands."""
    room = subparsers.add_parser("fleet", help="a city of virtual agents")
    leaves = room.add_subparsers(dest="fleet_command", metavar="COMMAND", required=True)
    simulate = leaves.add_parser("simulate", help="connect virtual agents and tell a script")
    _add_script(simulate)
    _add_road(simulate)
    simulate.add_argument("--settings", type=Path, help=CHECKS_OF_THE_CITY)
    simulate.add_argument(
        "--register", action="store_true", help="first write the sites into the ledger"
    )
    simulate.add_argument("--report", type=Path, metavar="FILE.json", help="default: to stdout")
    simulate.add_argument(
        "--check", action="store_true", help="then compare with ledger and time series"
    )
    simulate.set_defaults(run=_simulate, long_running=True)
    writes = leaves.add_parser("register", help="make a script's sites known")
    _add_script(writes)
    writes.add_argument("--settings", type=Path, help=CHECKS_OF_THE_CITY)
    writes.add_argument("--csv", type=Path, metavar="FILE", help="write the devices there")
    writes.add_argument(
        "--passwords", type=Path, metavar="FILE", help="write new broker passwords there"
    )
    writes.set_defaults(run=_register)
    checks = leaves.add_parser("check", help="compare a report with ledger and time series")
    checks.add_argument("report", type=Path)
    checks.add_argument("--settings", type=Path, required=True, help=CHECKS_OF_THE_CITY)
    checks.set_defaults(run=_check)


def _add_script(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="names the sites, too: fleetSEED-…")
    parser.add_argument("--region", default="440703", help="code of the sites' region")
    parser.add_argument("--tests", type=int, default=4, help="test results of each site")
    parser.add_argument("--batches", type=int, default=6, help="messages of readings")
    parser.add_argument("--readings", type=int, default=5, help="readings in each message")
    parser.add_argument("--episodes", type=int, default=1, help="camera episodes")
    parser.add_argument("--positives", type=float, default=0.2, help="share of the tests")
    parser.add_argument("--warm", type=float, default=0.1, help="share of cold stores")
    parser.add_argument("--liars", type=float, default=0.2, help="share of sites that lie")
    parser.add_argument("--clocks", type=float, default=0.1, help="share of clocks that are wrong")
    parser.add_argument(
        "--begun-at",
        type=datetime.fromisoformat,
        help="end of the hour that is told (ISO 8601 with zone); default: now",
    )


def _add_road(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--tls-ca", type=Path, metavar="FILE", help="CA certificate; turns TLS on")
    parser.add_argument("--passwords", type=Path, metavar="FILE", help="lines user:password")
    parser.add_argument("--over", type=float, default=10, metavar="SECONDS", help="of telling")
    parser.add_argument("--connects", type=float, default=200, metavar="PER_SECOND")
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="then give up")
    parser.add_argument("--cuts", type=float, default=0, help="share of agents cut off for a while")
    parser.add_argument("--restarts", type=float, default=0, help="share of agents started anew")
    parser.add_argument("--keepalive", type=int, default=15, metavar="SECONDS")
    parser.add_argument(
        "--receipt-timeout", type=float, default=30, metavar="SECONDS", help="then sent again"
    )
    parser.add_argument("--resend-max", type=float, default=600, metavar="SECONDS")
    parser.add_argument("--ack-timeout", type=float, default=30, metavar="SECONDS")
    parser.add_argument("--reconnect-max", type=float, default=60, metavar="SECONDS")


def _script(arguments: argparse.Namespace) -> FleetScript:
    begun_at = arguments.begun_at or utc_now()
    if begun_at.tzinfo is None:
        raise SettingsError("--begun-at: has no time zone")
    try:
        checked_segment("region", arguments.region)
    except TopicError as error:
        raise SettingsError(f"--region: {error}") from None
    return FleetScript(
        begun_at=begun_at,
        **{
            name: getattr(arguments, name)
            for name in FleetScript.__struct_fields__
            if name != "begun_at"
        },
    )


def _options(arguments: argparse.Namespace) -> FleetOptions:
    try:
        passwords = read_passwords(arguments.passwords) if arguments.passwords else {}
    except OSError as error:
        raise SettingsError(f"--passwords: {error}") from None
    return FleetOptions(
        host=arguments.host,
        port=arguments.port,
        tls=TlsFiles(arguments.tls_ca) if arguments.tls_ca else None,
        passwords=passwords,
        over_s=arguments.over,
        connects_per_s=arguments.connects,
        limit_s=arguments.limit,
        cuts=arguments.cuts,
        restarts=arguments.restarts,
        keepalive_s=arguments.keepalive,
        uplink=UplinkSettings(
            receipt_timeout_s=arguments.receipt_timeout,
            resend_max_s=arguments.resend_max,
            ack_timeout_s=arguments.ack_timeout,
            reconnect_max_s=arguments.reconnect_max,
        ),
    )


def _simulate(arguments: argparse.Namespace) -> int:
    """Run a fleet. 0: all of it receipted (and found, with --check); 1: not."""
    script, options = _script(arguments), _options(arguments)
    if (arguments.register or arguments.check) and not arguments.settings:
        raise SettingsError("--settings: is needed to register and to check")
    try:
        if arguments.register:
            _register_in(script, arguments.settings)
        report = run_fleet(script, options, arguments.stop.is_set, _tell)
        found = _check_in(report, arguments.settings) if arguments.check else None
    except (FleetFailed, LedgerDown, SeriesDown, OSError) as error:
        print(f"foodsentry fleet: {error}", file=sys.stderr)
        return 1
    written = msgspec.json.encode(report)
    if arguments.report:
        arguments.report.write_bytes(written)
    else:
        print(msgspec.json.format(written, indent=1).decode())
    if found is not None:
        _show(found)
    right = found is None or found.right
    return 0 if right and not report.unreceipted else 1


def _register(arguments: argparse.Namespace) -> int:
    """Write sites into a ledger, a CSV file, or make passwords."""
    script = _script(arguments)
    if arguments.csv:
        write_csv(script, arguments.csv)
    if arguments.passwords:
        write_passwords(script, arguments.passwords)
    if arguments.settings:
        try:
            _register_in(script, arguments.settings)
        except LedgerDown as error:
            print(f"foodsentry fleet: {error}", file=sys.stderr)
            return 1
    if not (arguments.csv or arguments.passwords or arguments.settings):
        raise SettingsError("--settings, --csv or --passwords: where shall they be written?")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    """0: nothing missing, nothing twice, nothing unexpected; 1: otherwise."""
    report = read_report(arguments.report)
    try:
        found = _check_in(report, arguments.settings)
    except (LedgerDown, SeriesDown) as error:
        print(f"foodsentry fleet: {error}", file=sys.stderr)
        return 1
    _show(found)
    return 0 if found.right else 1


def _register_in(script: FleetScript, settings_file: Path) -> None:
    ledger = load_settings(settings_file, GatewaySettings).ledger
    with ledger.opened(settings_file) as engine:
        _tell(f"{register(script, engine)} sites registered")


def _check_in(report: FleetReport, settings_file: Path) -> Findings:
    settings = load_settings(settings_file, GatewaySettings)
    with (
        settings.ledger.opened(settings_file) as engine,
        closing(open_store(settings.series, settings_file.parent)) as store,
    ):
        return check(report, engine, store)


def _show(found: Findings) -> None:
    print(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
    print("as it should be" if found.right else "NOT as it should be", file=sys.stderr)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
