"""The gateway's commands: run, what is missing, the dead letters; and those of its rooms."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from contracts.settings import SettingsError, load_settings
from gateway.accounts.commands import add_accounts
from gateway.deadlines.commands import add_check_escalation
from gateway.hindsight_command import add_replay
from gateway.notify.commands import add_notify
from gateway.notify.silence_commands import add_silences
from gateway.replay import replay
from gateway.rules_command import add_rules
from gateway.run import read_book, run_gateway
from gateway.settings import GatewaySettings
from gateway.setup_command import add_setup
from ledger import dead_letters, missing, regions
from ledger.dead_letters import DeadLetter
from ledger.engine import Engine, LedgerDown, reading
from timeseries.port import SeriesDown
from timeseries.settings import open_store


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `foodsentry gateway …`."""
    parser = subparsers.add_parser("gateway", help="take events in, raise alerts")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = commands.add_parser("run", help="run a gateway until it is asked to stop")
    run.add_argument("settings", type=Path, help="settings file (TOML)")
    run.set_defaults(run=_run, long_running=True)
    add_setup(commands)
    gaps = commands.add_parser("missing", help="what is not here, where, and since when")
    gaps.add_argument("--settings", type=Path, required=True, help="the gateway's settings")
    gaps.add_argument("--region", default="", help="only in this region and what lies below it")
    gaps.add_argument("--json", action="store_true", help="one JSON array")
    gaps.set_defaults(run=_missing_data)
    _add_dead_letters(commands)
    add_accounts(commands)
    add_notify(commands)
    add_silences(commands)
    add_rules(commands)
    add_replay(commands)
    add_check_escalation(commands)


def _add_dead_letters(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("dead-letters", help="messages that could not be read")
    leaves = parser.add_subparsers(metavar="COMMAND", required=True)
    listing = leaves.add_parser("list", help="newest first")
    listing.add_argument("--limit", type=int, default=50)
    listing.add_argument("--all", action="store_true", help="also those that were replayed")
    listing.set_defaults(run=_list)
    show = leaves.add_parser("show", help="one message: topic, reason and bytes")
    show.add_argument("id", type=int)
    show.set_defaults(run=_show)
    replay = leaves.add_parser("replay", help="take messages in after a fix")
    replay.add_argument("id", type=int, nargs="*", help="none: every one that waits")
    replay.set_defaults(run=_replay)
    for leaf in (listing, show, replay):
        leaf.add_argument("--settings", type=Path, required=True, help="the gateway's settings")


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.settings, GatewaySettings)
    return run_gateway(settings, arguments.settings, arguments.stop)


def _missing_data(arguments: argparse.Namespace) -> int:
    """1 if something is missing."""
    with _ledger(arguments) as engine, reading(engine) as conn:
        below = regions.subtree(conn, arguments.region) if arguments.region else None
        if below == []:
            raise SettingsError(f"--region: {arguments.region} is not known")
        found = missing.find(conn, utc_now(), below)
    if arguments.json:
        print(msgspec.json.encode(found).decode())
    for gap in () if arguments.json else found:
        since = f"{gap.since:%Y-%m-%d %H:%M:%S} UTC" if gap.since else "never heard"
        numbers = ",".join(f"{first}-{last}" for first, last in gap.ranges)
        named = f"epoch {gap.epoch} {numbers}" if numbers else gap.detail
        print(f"{gap.kind}\t{gap.agent.source}\t{gap.events}\tsince {since}\t{named}")
    return 1 if found else 0


def _list(arguments: argparse.Namespace) -> int:
    with _ledger(arguments) as engine, reading(engine) as conn:
        letters = dead_letters.list(conn, arguments.limit, waiting_only=not arguments.all)
    for letter in letters:
        replayed = " (replayed)" if letter.replayed_at else ""
        print(f"{letter.id}\t{letter.at.isoformat()}\t{letter.topic}\t{letter.reason}{replayed}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    with _ledger(arguments) as engine, reading(engine) as conn:
        letter = dead_letters.get(conn, arguments.id)
    if letter is None:
        return _missing(arguments.id)
    print(f"topic:  {letter.topic}\nreason: {letter.reason}\nat:     {letter.at.isoformat()}")
    print(f"bytes:  {len(letter.payload)}\n")
    sys.stdout.flush()
    sys.stdout.buffer.write(letter.payload + b"\n")
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.settings, GatewaySettings)
    book = read_book(settings.alerts, arguments.settings.parent)
    store = open_store(settings.series, arguments.settings.parent)
    failed = 0
    try:
        with _ledger(arguments) as engine:
            for letter in _chosen(engine, arguments.id):
                refused = replay(letter, engine, store, book, utc_now)
                failed += bool(refused)
                print(f"{letter.id}\t{'refused: ' + refused if refused else 'taken in'}")
    except (LedgerDown, SeriesDown) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    finally:
        store.close()
    return 1 if failed else 0


def _chosen(engine: Engine, ids: Sequence[int]) -> list[DeadLetter]:
    with reading(engine) as conn:
        if ids:
            found = [dead_letters.get(conn, one) for one in ids]
            for one, letter in zip(ids, found, strict=True):
                if letter is None:
                    _missing(one)
            return [letter for letter in found if letter is not None]
        return list(reversed(dead_letters.list(conn, 100_000, waiting_only=True)))


def _ledger(arguments: argparse.Namespace) -> AbstractContextManager[Engine]:
    settings = load_settings(arguments.settings, GatewaySettings)
    return settings.ledger.opened(arguments.settings)


def _missing(letter_id: int) -> int:
    print(f"foodsentry: there is no dead letter {letter_id}", file=sys.stderr)
    return 1
