"""The `foodsentry` command: gathers the sub-commands of every package that is installed.

Exit status: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted; a sub-command may define
more.
"""

import argparse
import importlib
import importlib.util
import signal
import sys
import threading
from collections.abc import Iterable, Sequence

from contracts.settings import SettingsError
from foodsentry.logs import configure_logs

ROOMS = {
    "edge_agent": ("edge", "instrument", "vision", "vault"),
    "gateway": ("gateway",),
    "server": ("server",),
    "ledger": ("ledger",),
    "models": ("models",),
    "foodsentry": ("demo", "district", "pictures", "bench", "fleet"),
}
"""Packages with a `commands` module (``add_commands(subparsers)``), and the commands it brings."""


def rooms_for(argv: Sequence[str]) -> list[str]:
    """The rooms that must be loaded for a command line: one if it names a command, else all.

    Loading them all costs seconds on a small box.
    """
    named = {command: room for room, commands in ROOMS.items() for command in commands}
    return next(([named[word]] for word in argv if word in named), list(ROOMS))


def build_parser(rooms: Iterable[str] = ROOMS) -> argparse.ArgumentParser:
    """The command line. A room whose libraries are not installed is left out, and said so."""
    parser = argparse.ArgumentParser(prog="foodsentry", description="FoodSentry 邑食无忧")
    parser.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warning", "error")
    )
    parser.add_argument("--log-format", default="text", choices=("text", "json"))
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    missing = []
    for room in rooms:
        if importlib.util.find_spec(room) is None:
            continue
        try:
            commands = importlib.import_module(f"{room}.commands")
        except ModuleNotFoundError as error:
            missing.append(f"{room} (needs {error.name})")
            continue
        commands.add_commands(subparsers)
    if missing:
        parser.epilog = "Not installed here: " + ", ".join(missing)
    return parser


def stop_on_signals() -> threading.Event:
    """An event that the first SIGTERM or SIGINT sets; a second one ends the process at once."""
    stop = threading.Event()

    def ask(number: int, _frame: object) -> None:
        if stop.is_set():
            raise SystemExit(128 + number)
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def _hash_password(password: str) -> str:
    """What the ledger keeps of a password; the hashing belongs to the server's room."""
    passwords = importlib.import_module("server.passwords")
    hashed: str = passwords.Passwords().hash(password)
    return hashed


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; returns its exit status.

    A sub-command is a function of the parsed arguments. A long-running one (it sets
    ``long_running=True``) finds in ``arguments.stop`` the event that asks it to end gracefully.
    """
    given = sys.argv[1:] if argv is None else argv
    arguments = build_parser(rooms_for(given)).parse_args(given)
    configure_logs(arguments.log_level, arguments.log_format)
    if importlib.util.find_spec("argon2") is not None:
        arguments.hash_password = _hash_password
    if getattr(arguments, "long_running", False):
        arguments.stop = stop_on_signals()
    try:
        status: int = arguments.run(arguments)
    except SettingsError as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return status


if __name__ == "__main__":
    sys.exit(main())
