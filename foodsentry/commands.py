"""`foodsentry demo`, `district`, `pictures`, `bench` and `fleet`."""

import argparse
import sys
from pathlib import Path

from foodsentry.bench.commands import add_bench
from foodsentry.demo.processes import ProcessFailed
from foodsentry.demo.run import DemoFailed, DemoOptions, run_demo
from foodsentry.district.commands import add_district
from foodsentry.fleet.commands import add_fleet
from foodsentry.pictures.commands import add_pictures


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the front door's own sub-commands."""
    demo = subparsers.add_parser("demo", help="the demo town, whole, on this machine")
    demo.add_argument("--folder", type=Path, default=Path(".demo"), help="made anew at each start")
    demo.add_argument("--port", type=int, default=8000, help="of the console; 0: any free one")
    demo.add_argument("--headless", action="store_true", help="open no browser")
    demo.add_argument("--for", dest="for_s", type=float, metavar="SECONDS", help="then report")
    demo.add_argument("--report", type=Path, metavar="FILE.json", help="write what was measured")
    demo.set_defaults(run=demo_command, long_running=True)
    add_district(subparsers)
    add_pictures(subparsers)
    add_bench(subparsers)
    add_fleet(subparsers)


def demo_command(arguments: argparse.Namespace) -> int:
    """Run the demo. 0: nothing lost, nothing twice; 1: otherwise, or it could not run."""
    options = DemoOptions(
        folder=arguments.folder,
        port=arguments.port,
        headless=arguments.headless,
        for_s=arguments.for_s,
        report=arguments.report,
    )
    try:
        return run_demo(options, arguments.stop)
    except (DemoFailed, ProcessFailed, OSError) as error:
        print(f"foodsentry demo: {error}", file=sys.stderr)
        return 1
