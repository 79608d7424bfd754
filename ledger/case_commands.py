"""`foodsentry ledger …` for cases: check the data, verify what happened, book what is over."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from contracts.casework import CLOCK
from contracts.casework_clocks import Casework
from contracts.casework_data import Rules
from contracts.casework_file import FOLDER, read_casework
from contracts.clock import utc_now
from contracts.settings import SettingsError
from contracts.workdays import Calendar, CalendarMissing
from ledger import audit, case_proof, cases
from ledger.engine import Engine, reading, writing
from ledger.officers import Role

CALENDARS = FOLDER.parent / "calendars"
LONGEST_DAYS = 20
"""The longest deadline in working days is checked from today on."""
Leaf = Callable[..., argparse.ArgumentParser]


def add_leaves(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", leaf: Leaf) -> None:
    """Add the commands of cases to `foodsentry ledger`."""
    help_ = "check casework's data and calendars, and say what they mean"
    check = commands.add_parser("check-casework", help=help_, description=help_)
    _add_data(check)
    check.set_defaults(run=check_casework)
    leaf("verify-cases", "hold every step of every case against the audit chain", _verify)
    expire = leaf("expire-publications", "book publications whose time is over", _expire)
    _add_data(expire)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("casework", type=Path, nargs="?", default=FOLDER, help="file or folder")
    parser.add_argument("--calendars", type=Path, default=CALENDARS, help="folder")


def check_casework(arguments: argparse.Namespace) -> int:
    """1 if the calendar ends before a deadline that begins today. Raises SettingsError."""
    rules = read_casework(arguments.casework)
    calendar = Calendar.read(arguments.calendars)
    _check_roles(rules, arguments.casework)
    for clock in rules.clocks:
        marks = ", ".join(f"{one} [{rules.basis[one].mark}]" for one in clock.basis)
        ends = " until work ends" if clock.last_day == "work" else ""
        print(f"{clock.id}\t{clock.role}\t{clock.length}{ends}\t{marks}")
    print(
        f"version {rules.version}: {len(rules.states)} states, {len(rules.moves)} moves, "
        f"{len(rules.clocks)} clocks, no fault found",
        file=sys.stderr,
    )
    try:
        calendar.add_workdays(utc_now(), LONGEST_DAYS)
    except CalendarMissing as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    return 0


def _check_roles(rules: Rules, where: Path) -> None:
    known = {role.value for role in Role} | {CLOCK}
    for move in rules.moves.values():
        unknown = sorted(set(move.by) - known)
        if unknown:
            raise SettingsError(f"{where}: move.{move.id}.by: there is no role {unknown[0]!r}")
    unknown = sorted(rules.own_time - known)
    if unknown:
        raise SettingsError(f"{where}: own_time: there is no role {unknown[0]!r}")


def _verify(engine: Engine, _arguments: argparse.Namespace) -> int:
    with reading(engine) as conn:
        chain = audit.verify(conn)
        count, faults = case_proof.verify(conn)
    for fault in faults:
        print(f"case {fault.case_id}, step {fault.version}: {fault.what}")
    if chain.broken_id is not None:
        print(f"the audit chain is broken at entry {chain.broken_id}: {chain.reason}")
        return 1
    if not faults:
        print(f"{count} steps hold; head {chain.head}")
    return 1 if faults else 0


def _expire(engine: Engine, arguments: argparse.Namespace) -> int:
    work = Casework(read_casework(arguments.casework), Calendar.read(arguments.calendars))
    now = utc_now()
    with writing(engine) as conn:
        done = cases.expire_due(conn, work, now)
        told = cases.rewind_unknown(conn, work, now)
    print(f"{len(done)} publications are over, {told} deadlines can be told now")
    return 0
