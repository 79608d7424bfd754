"""`foodsentry gateway replay`: what would have been raised under these rules, beside what was."""

import argparse
from datetime import datetime, time
from pathlib import Path

import msgspec

from contracts.settings import SettingsError, load_settings
from gateway.alerts.day_times import LOCAL
from gateway.alerts.hindsight import Hindsight, replay
from gateway.run import book_of, limits_of, read_book
from gateway.settings import GatewaySettings
from ledger import devices, regions
from ledger.engine import reading
from timeseries.settings import open_store


def add_replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "replay", help="what stored facts would raise under these rules, beside what was raised"
    )
    parser.add_argument("--settings", type=Path, required=True, help="the gateway's settings")
    parser.add_argument("--from", dest="since", type=_moment, required=True, help="day or time")
    parser.add_argument("--to", dest="until", type=_moment, required=True, help="day or time")
    parser.add_argument("--rules", type=Path, help="file or folder; none: the gateway's own")
    parser.add_argument("--limits", type=Path, help="CSV of storage limits")
    parser.add_argument("--region", default="", help="only in this region and what lies below it")
    parser.add_argument("--site", default="", help="only at this site")
    parser.add_argument("--no-readings", action="store_true", help="leave the time series alone")
    parser.add_argument("--list", action="store_true", help="name every alert that differs")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.settings, GatewaySettings)
    base = arguments.settings.parent
    if arguments.since >= arguments.until:
        raise SettingsError("--from: not before --to")
    limits = arguments.limits or limits_of(settings.alerts, base)
    if arguments.rules:
        book = book_of(arguments.rules, limits)
    else:
        book = read_book(settings.alerts, base)
    store = None if arguments.no_readings else open_store(settings.series, base)
    try:
        with settings.ledger.opened(arguments.settings) as engine, reading(engine) as conn:
            below = regions.subtree(conn, arguments.region) if arguments.region else None
            if below == []:
                raise SettingsError(f"--region: {arguments.region} is not known")
            chosen = [
                device
                for device in devices.registry(conn).values()
                if (below is None or device.region in below)
                and (not arguments.site or device.site == arguments.site)
            ]
            found = replay(conn, store, book, chosen, arguments.since, arguments.until)
    finally:
        if store is not None:
            store.close()
    if arguments.json:
        print(msgspec.json.encode(found).decode())
    else:
        print(as_table(found, everything=arguments.list), end="")
    return 0


def as_table(found: Hindsight, *, everything: bool = False) -> str:
    """The two beside each other, rule by rule; with `everything` each alert that differs."""
    span = f"{_told(found.since)} – {_told(found.until)}"
    head = ("rule", "class", "would", "was", "both", "only now", "only then")
    rows = [
        (line.rule, line.severity, line.would, line.was, line.both, line.more, line.fewer)
        for line in found.lines
    ]
    lines = [f"{span}, {found.facts} facts", "", "\t".join(head)]
    lines += ["\t".join(map(str, row)) for row in rows]
    if everything:
        lines += ["", "only now:"]
        lines += [f"{_told(one.at)}\t{one.fingerprint}\t{one.title_zh}" for one in found.more]
        lines += ["", "only then:"]
        lines += [f"{_told(one.raised_at)}\t{one.fingerprint}" for one in found.fewer]
    if found.not_played:
        lines += ["", f"without history, not played: {', '.join(found.not_played)}"]
    return "\n".join(lines) + "\n"


def _told(at: datetime) -> str:
    return f"{at.astimezone(LOCAL):%Y-%m-%d %H:%M}"


def _moment(text: str) -> datetime:
    """A day (its beginning) or a time; without a zone China's."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a day nor a time") from None
    if len(text) == 10:
        at = datetime.combine(at.date(), time())
    return at if at.tzinfo else at.replace(tzinfo=LOCAL)
