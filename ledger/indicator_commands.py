"""`foodsentry ledger …` for indicators: check the definitions; freeze, show and verify months."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from contracts.casework_file import read_casework
from contracts.clock import utc_now
from contracts.indicators import FOLDER, read_indicators
from contracts.settings import SettingsError
from contracts.workdays import china_day
from ledger import audit, indicator_snapshots
from ledger.engine import Engine, reading, writing
from ledger.indicator_data import CALENDARS, read_data
from ledger.indicators import STATEMENTS

Leaf = Callable[..., argparse.ArgumentParser]
ACTOR = "console"


def add_leaves(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", leaf: Leaf) -> None:
    """Add the commands of indicators to `foodsentry ledger`."""
    help_ = "check the definitions of indicators, and say what they mean"
    check = commands.add_parser("check-indicators", help=help_, description=help_)
    check.add_argument("indicators", type=Path, nargs="?", default=FOLDER, help="file or folder")
    check.set_defaults(run=check_indicators)
    freeze = leaf("freeze-indicators", "freeze the numbers of months that are over", _freeze)
    freeze.add_argument("--month", default="", metavar="YYYY-MM", help="default: all that are due")
    freeze.add_argument("--indicators", type=Path, default=FOLDER, help="file or folder")
    freeze.add_argument("--calendars", type=Path, default=CALENDARS, help="folder")
    show = leaf("show-indicators", "print the frozen numbers of a month", _show)
    show.add_argument("month", metavar="YYYY-MM")
    show.add_argument("--region", default="", help="code; default: every region")
    leaf("verify-indicators", "follow the chain of frozen numbers; status 1 if broken", _verify)


def check_indicators(arguments: argparse.Namespace) -> int:
    """Raises SettingsError for what contradicts itself, or names what there is not."""
    data, cases = read_indicators(arguments.indicators), read_casework()
    known = {counted for counted, _ in STATEMENTS}
    today = china_day(utc_now())
    for one in data.all:
        where = f"{arguments.indicators}: indicator.{one.id}"
        if one.denominator not in known:
            raise SettingsError(f"{where}.denominator: nothing finds {one.denominator!r}")
        for key, given, there in (
            ("states", one.states, cases.states),
            ("outcomes", one.outcomes, cases.outcomes),
        ):
            unknown = sorted(set(given) - set(there))
            if unknown:
                raise SettingsError(f"{where}.{key}: casework has no {unknown[0]!r}")
        parts = " / ".join(filter(None, (one.numerator, one.denominator)))
        target = "" if one.target is None else f"{one.target:g} {one.unit} [{one.target_mark}]"
        print(f"{one.id}\t{one.kind}\t{parts}\t{target}\t[{one.mark}]")
    print(
        f"{len(data.all)} definitions ({len(data.on(today))} today), "
        f"{len(data.populations)} populations, no fault found",
        file=sys.stderr,
    )
    return 0


def _freeze(engine: Engine, arguments: argparse.Namespace) -> int:
    data = read_data(arguments.indicators, arguments.calendars)
    now = utc_now()
    try:
        with writing(engine) as conn:
            wanted = indicator_snapshots.due(conn, now)
            if arguments.month:
                wanted = [indicator_snapshots.read_month(arguments.month)]
            for period in wanted:
                made = indicator_snapshots.freeze(
                    conn, data.indicators, data.basis, period, now, ACTOR
                )
                print(f"{period.name}\t{made or 'was frozen before'}")
    except ValueError as error:
        raise SettingsError(f"--month: {error}") from None
    if not wanted:
        print("nothing to freeze")
    return 0


def _show(engine: Engine, arguments: argparse.Namespace) -> int:
    with reading(engine) as conn:
        codes = [arguments.region] if arguments.region else None
        found = indicator_snapshots.of_period(conn, arguments.month, codes)
    if not found:
        print(f"foodsentry: {arguments.month} is not frozen", file=sys.stderr)
        return 1
    for one in found:
        value = "-" if one.value is None else f"{one.value:g}"
        print(f"{one.region}\t{one.indicator}\t{value}\t{one.part}\t{one.whole}\t{one.hash[:12]}")
    return 0


def _verify(engine: Engine, _arguments: argparse.Namespace) -> int:
    with reading(engine) as conn:
        chain, held = audit.verify(conn), indicator_snapshots.verify(conn)
    if chain.broken_id is not None:
        print(f"the audit chain is broken at entry {chain.broken_id}: {chain.reason}")
        return 1
    if held.fault:
        print(f"{held.fault}; {held.rows} numbers before it hold")
        return 1
    print(f"{held.rows} numbers hold; head {held.head}")
    return 0
