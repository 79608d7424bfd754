"""`foodsentry bench NAME`: runs benchmarks and prints their figures as Markdown or JSON."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from foodsentry.bench import (
    alerts,
    cameras,
    console,
    decode,
    indicators,
    ingest_report,
    outbox,
    outbox_days,
    series,
    wire,
)
from foodsentry.bench.figures import Figure, machine, table
from foodsentry.bench.servers import BenchFailed
from foodsentry.district.fill import Size

SUITES: dict[str, tuple[str, Callable[[int], list[Figure]]]] = {
    "wire": ("Wire contract, one core", wire.measure),
    "decode": ("Instrument bytes to judged results, one core", decode.measure),
    "outbox": ("Outbox, every put durable", outbox.measure),
    "series": ("Time series, 200 probes, 5,000 readings a write", series.measure),
    "cameras": ("Camera pipeline, one core", cameras.measure),
}


def add_bench(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `bench` with one sub-command for each suite."""
    bench = subparsers.add_parser("bench", help="measure this machine")
    leaves = bench.add_subparsers(dest="suite", metavar="SUITE", required=True)
    for name, (title, _) in {**SUITES, "all": ("all of them", None)}.items():
        leaf = leaves.add_parser(name, help=title)
        leaf.add_argument("--runs", type=int, default=3)
        leaf.add_argument("--json", action="store_true")
        leaf.set_defaults(run=run_suites)
    leaf = leaves.choices["cameras"]
    leaf.add_argument("--seconds", type=float, default=40, help="of each run of an agent")
    leaf.add_argument("--cameras", type=int, default=cameras.TARGET_CAMERAS, help="of that agent")
    leaf.add_argument(
        "--soak", type=float, default=0, metavar="HOURS", help="then so many hours of camera time"
    )
    leaf.set_defaults(run=run_cameras)
    leaf = leaves.add_parser("soak", help="hours of camera time: does anything grow?")
    leaf.add_argument("--hours", type=float, default=24)
    leaf.set_defaults(run=run_soak)
    leaf = leaves.choices["outbox"]
    leaf.add_argument(
        "--days",
        type=int,
        default=0,
        help="also after so many days offline, beside one day (30: about four minutes)",
    )
    leaf.set_defaults(run=run_outbox)
    leaf = leaves.add_parser("ingest", help="broker to ledger, alerts, series and receipts")
    leaf.add_argument("--runs", type=int, default=3)
    leaf.add_argument("--seconds", type=float, default=6, help="about this long a run")
    leaf.add_argument("--series", choices=("influx", "sqlite"), default="")
    leaf.add_argument(
        "--peers",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="other bridges beside it, installed by pip (into FOLDER, to have them again)",
    )
    leaf.add_argument("--json", action="store_true")
    leaf.set_defaults(run=run_ingest)
    leaf = leaves.add_parser("console", help="pages on PostgreSQL, and open consoles")
    leaf.add_argument("--alerts", type=int, default=100_000)
    leaf.add_argument("--establishments", type=int, default=5000)
    leaf.add_argument("--streams", type=int, default=500, help="open consoles; 0: pages only")
    leaf.add_argument("--seconds", type=float, default=50, help="in turn, and again under load")
    leaf.add_argument("--raise", dest="raised", type=int, default=40, help="alerts on the streams")
    leaf.add_argument("--json", action="store_true")
    leaf.set_defaults(run=run_console)
    leaf = leaves.add_parser("indicators", help="a county's year, on SQLite and PostgreSQL")
    leaf.add_argument("--results", type=int, default=100_000, help="quick tests of the year")
    leaf.add_argument("--establishments", type=int, default=2000)
    leaf.add_argument("--runs", type=int, default=5)
    leaf.add_argument("--sqlite-only", action="store_true")
    leaf.add_argument("--json", action="store_true")
    leaf.set_defaults(run=run_indicators)
    leaf = leaves.add_parser("alerts", help="200 rules, 10,000 devices: rate, and how late")
    leaf.add_argument("--runs", type=int, default=3)
    leaf.add_argument("--seconds", type=float, default=8, help="of each run")
    leaf.add_argument("--json", action="store_true")
    leaf.set_defaults(run=run_alerts)


def run_suites(arguments: argparse.Namespace) -> int:
    """Run one suite, or all and then the rules and ingest."""
    names = list(SUITES) if arguments.suite == "all" else [arguments.suite]
    if not arguments.json:
        print(f"{machine()}\n")
    for name in names:
        title, measure = SUITES[name]
        figures = measure(arguments.runs)
        if arguments.json:
            print(msgspec.json.encode({"suite": name, "figures": figures}).decode(), flush=True)
        else:
            print(table(title, figures), flush=True)
    if arguments.suite == "all":
        arguments.seconds, arguments.series, arguments.peers = 6, "", None
        run_alerts(arguments)
        return run_ingest(arguments)
    return 0


def run_outbox(arguments: argparse.Namespace) -> int:
    """Durable puts; with --days, the outbox after a long outage. 1: it cannot be measured here."""
    code = run_suites(arguments)
    if not arguments.days:
        return code
    try:
        found = outbox_days.measure(arguments.days, arguments.runs)
    except BenchFailed as error:
        print(f"foodsentry bench: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(msgspec.json.encode(found).decode())
    else:
        print(outbox_days.as_table(found))
    return code


def run_cameras(arguments: argparse.Namespace) -> int:
    """Costs stage by stage, then real agents with real cameras. 1: it cannot be measured here."""
    try:
        found = cameras.report(
            arguments.runs,
            arguments.seconds,
            cameras=arguments.cameras,
            soak_hours=arguments.soak,
        )
    except BenchFailed as error:
        print(f"foodsentry bench: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(msgspec.json.encode(found).decode())
        return 0
    print(f"{found.machine}\n")
    print(table("Cameras, one core", found.figures))
    print(f"### An agent with RTSP cameras on one core\n\n{cameras.live_table(found.live)}")
    print(f"Memory of one more camera: {found.memory_mb_per_camera:.1f} MB.")
    if found.soak:
        print(f"\n### Soak\n\n{msgspec.json.encode(found.soak).decode()}")
    return 0


def run_soak(arguments: argparse.Namespace) -> int:
    """One line of JSON. 1: it cannot be measured here."""
    try:
        found = cameras.soak(arguments.hours)
    except BenchFailed as error:
        print(f"foodsentry bench: {error}", file=sys.stderr)
        return 1
    print(msgspec.json.encode(found).decode())
    return 0


def run_console(arguments: argparse.Namespace) -> int:
    """A city's console. 1: it cannot be measured here, or a stream missed an alert."""
    size = Size(arguments.establishments, arguments.alerts)
    try:
        found = console.measure(size, arguments.seconds, arguments.streams, arguments.raised)
    except BenchFailed as error:
        print(f"foodsentry bench: {error}", file=sys.stderr)
        return 1
    print(msgspec.json.encode(found).decode() if arguments.json else console.as_table(found))
    return 1 if found.streams and found.streams.missed else 0


def run_indicators(arguments: argparse.Namespace) -> int:
    """A year's indicators. 1: it cannot be measured here."""
    asked = arguments
    try:
        found = indicators.measure(
            asked.results, asked.establishments, asked.runs, sqlite_only=asked.sqlite_only
        )
    except BenchFailed as error:
        print(f"foodsentry bench: {error}", file=sys.stderr)
        return 1
    print(msgspec.json.encode(found).decode() if asked.json else indicators.as_table(found))
    return 0


def run_alerts(arguments: argparse.Namespace) -> int:
    """The rules, from an accepted event to its alert in the ledger."""
    found = alerts.measure(arguments.runs, arguments.seconds)
    print(msgspec.json.encode(found).decode() if arguments.json else alerts.as_table(found))
    return 0


def run_ingest(arguments: argparse.Namespace) -> int:
    """The gateway's intake, with one and with fifty readings a message. 1: something was lost."""
    try:
        found = ingest_report.report(
            arguments.runs,
            arguments.seconds,
            series=arguments.series,
            peers=arguments.peers is not None,
            environment=Path(arguments.peers) if arguments.peers else None,
        )
    except BenchFailed as error:
        print(f"foodsentry bench: {error}", file=sys.stderr)
        return 1
    print(msgspec.json.encode(found).decode() if arguments.json else ingest_report.as_table(found))
    return 1 if found.lost or found.duplicated else 0
