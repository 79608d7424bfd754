"""`foodsentry server …`: run the console; set an officer's password."""

import argparse
import getpass
import sys
from pathlib import Path

from contracts.clock import utc_now
from contracts.settings import load_settings
from ledger import audit, officers, officers_kept, sessions
from ledger.engine import writing
from ledger.migrate import LedgerOutdated
from server.passwords import Passwords, WeakPassword
from server.run import run_server
from server.settings import ServerSettings
from server.token_commands import add_token_commands


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the console's commands."""
    parser = subparsers.add_parser("server", help="the console: API, pages, live stream")
    leaves = parser.add_subparsers(dest="server_command", metavar="COMMAND", required=True)
    run = leaves.add_parser("run", help="serve the console until SIGTERM")
    run.add_argument("settings", type=Path, help="the server's TOML file")
    run.set_defaults(run=_run, long_running=True)
    add_token_commands(leaves)
    password = leaves.add_parser(
        "set-password", help="set an officer's password, end their sessions"
    )
    password.add_argument("settings", type=Path, help="the server's TOML file")
    password.add_argument("login", help="the officer's login")
    password.add_argument(
        "--password-file", type=Path, help="read it from this file instead of asking"
    )
    password.add_argument(
        "--must-change", action="store_true", help="they choose another one when they sign in"
    )
    password.set_defaults(run=_set_password)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.settings, ServerSettings)
    try:
        return run_server(settings, arguments.settings, arguments.stop)
    except LedgerOutdated as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1


def _set_password(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.settings, ServerSettings)
    if arguments.password_file:
        password = arguments.password_file.read_text("utf-8").strip("\r\n")
    else:
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            print("foodsentry: the two differ", file=sys.stderr)
            return 1
    try:
        hashed = Passwords().hash(password)
    except WeakPassword as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    with settings.ledger.opened(arguments.settings) as engine, writing(engine) as conn:
        officer = officers.by_login(conn, arguments.login)
        if officer is None:
            print(f"foodsentry: no officer {arguments.login!r}", file=sys.stderr)
            return 1
        officers.set_password(conn, officer.id, hashed)
        officers_kept.set_must_change(conn, officer.id, arguments.must_change)
        sessions.remove_of(conn, officer.id)
        who = f"officer/{officer.id}"
        audit.append(conn, "command line", "password_set", who, {}, utc_now())
    return 0
