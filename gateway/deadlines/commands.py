"""`foodsentry gateway check-escalation`: checks policies and calendars, and says what they mean."""

import argparse
import sys
from datetime import date, timedelta
from pathlib import Path

from contracts.clock import utc_now
from contracts.words import Due
from contracts.workdays import Calendar, CalendarMissing, china_day
from gateway.deadlines.policy import read_policies

CONFIGS = Path(__file__).resolve().parents[2] / "firmware_configs"
AHEAD = timedelta(days=31)


def add_check_escalation(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    check = commands.add_parser(
        "check-escalation", help="check escalation policies and working calendars"
    )
    check.add_argument(
        "policies", type=Path, nargs="?", default=CONFIGS / "escalation", help="file or folder"
    )
    check.add_argument("--calendars", type=Path, default=CONFIGS / "calendars", help="folder")
    check.set_defaults(run=check_escalation)


def check_escalation(arguments: argparse.Namespace) -> int:
    """1 if the calendar ends within a month from now. Raises SettingsError for a faulty file."""
    book = read_policies(arguments.policies)
    calendar = Calendar.read(arguments.calendars)
    for policy in book.policies:
        for one in sorted(policy.classes, key=lambda one: one.severity):
            for kind in Due:
                deadline = one.deadline(kind)
                if deadline is not None:
                    cards = "\tcards" if deadline.cards else ""
                    print(
                        f"{policy.id}\tversion {policy.version}\tclass {one.severity:d}\t{kind}"
                        f"\t{deadline.within}\tthen {deadline.again}\t[{deadline.mark}]{cards}"
                    )
    years = ", ".join(str(year) for year in sorted(calendar.years))
    print(f"{len(book.policies)} policies, calendars of {years}, no fault found", file=sys.stderr)
    return _covered(calendar, china_day(utc_now()))


def _covered(calendar: Calendar, today: date) -> int:
    try:
        calendar.is_workday(today)
        calendar.is_workday(today + AHEAD)
    except CalendarMissing as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    return 0
