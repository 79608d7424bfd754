"""`foodsentry gateway check-rules`: whether rule files are sound, and what they may say."""

import argparse
import sys
from pathlib import Path

from contracts.limits import load_limits
from contracts.settings import SettingsError
from gateway.alerts.examples import failing
from gateway.run import CONFIGS, book_of


def add_rules(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    check = commands.add_parser(
        "check-rules", help="check rule files, run their examples, list the rules"
    )
    check.add_argument(
        "rules", type=Path, nargs="?", default=CONFIGS / "rules", help="file or folder"
    )
    check.add_argument(
        "--limits", type=Path, default=CONFIGS / "limits" / "storage_temperatures.csv"
    )
    check.set_defaults(run=check_rules)


def check_rules(arguments: argparse.Namespace) -> int:
    """1 if a rule does not do what its examples say. Raises SettingsError."""
    book = book_of(arguments.rules, arguments.limits)
    tests = load_limits(CONFIGS / "limits")
    failed = [
        f"{arguments.rules}: rule {rule.id}: {fault}"
        for rule in book.rules
        for fault in failing(book, tests, rule)
    ]
    for rule in book.rules:
        told = f"{len(rule.example)} examples"
        print(
            f"{rule.id}\tversion {rule.version}\tclass {rule.severity:d}\t{told}\t{rule.title_zh}"
        )
    if failed:
        raise SettingsError("\n".join(failed))
    examples = sum(len(rule.example) for rule in book.rules)
    print(f"{len(book.rules)} rules, {examples} examples, no fault found", file=sys.stderr)
    return 0
