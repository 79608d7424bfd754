"""`foodsentry ledger …`: make the tables, load regions, add officers, verify audit and evidence."""

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from contracts.clock import utc_now
from contracts.settings import SettingsError, read_secret
from ledger import (
    audit,
    case_commands,
    dossier_commands,
    evidence_commands,
    indicator_commands,
    migrate,
    officers,
    people_commands,
    regions,
    sheet_commands,
)
from ledger.engine import Engine, LedgerDown, open_engine, reading, writing
from ledger.region_files import read_regions

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
ACTOR = "console"
"""Who the audit chain names for what is done on the command line."""


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `ledger` and its commands."""
    room = subparsers.add_parser("ledger", help="the book of record")
    commands = room.add_subparsers(dest="ledger_command", metavar="COMMAND", required=True)

    def leaf(
        name: str, help_: str, work: Callable[..., int], into: Commands = commands
    ) -> argparse.ArgumentParser:
        parser = into.add_parser(name, help=help_, description=help_)
        parser.add_argument(
            "--ledger",
            default="",
            metavar="URL",
            help="sqlite:///path or postgresql+psycopg://…; default: $FOODSENTRY_LEDGER_URL",
        )
        parser.set_defaults(run=lambda arguments: _run(work, arguments))
        return parser

    evidence_commands.add_leaves(leaf)
    people_commands.add_leaves(commands, leaf)
    case_commands.add_leaves(commands, leaf)
    indicator_commands.add_leaves(commands, leaf)
    sheet_commands.add_leaves(leaf)
    dossier_commands.add_leaves(leaf)
    leaf("migrate", "make the tables, or bring them to this version", _migrate)
    leaf("verify-audit", "follow the audit chain; status 1 if it is broken", _verify_audit)
    load = leaf("load-regions", "add the regions of a TOML file, or renew them", _load_regions)
    load.add_argument("file", type=Path)
    add = leaf("add-officer", "add somebody who may sign in", _add_officer)
    add.add_argument("login")
    add.add_argument("--name", required=True)
    add.add_argument("--role", required=True, choices=[role.value for role in officers.Role])
    add.add_argument("--region", required=True, help="code; rights reach from it downwards")
    add.add_argument("--password-file", default="", help="default: asked for on the terminal")
    add.add_argument("--language", choices=("zh", "en"), help="of messages to them")
    language = leaf("set-language", "write to somebody in this language", _set_language)
    language.add_argument("login")
    language.add_argument("language", choices=("zh", "en"))


def _run(work: Callable[[Engine, argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    url = read_secret("", "FOODSENTRY_LEDGER_URL", "") if not arguments.ledger else arguments.ledger
    if not url:
        raise SettingsError("--ledger: no database URL")
    try:
        engine = open_engine(url)
    except ValueError as error:
        raise SettingsError(f"--ledger: {error}") from None
    try:
        if work is not _migrate:
            migrate.check(engine)
        return work(engine, arguments)
    except (LedgerDown, migrate.LedgerOutdated) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    finally:
        engine.dispose()


def _migrate(engine: Engine, _arguments: argparse.Namespace) -> int:
    before = migrate.current(engine)
    migrate.upgrade(engine)
    after = migrate.current(engine)
    print(f"{after}: nothing to do" if before == after else f"{before or 'empty'} → {after}")
    return 0


def _verify_audit(engine: Engine, _arguments: argparse.Namespace) -> int:
    with reading(engine) as conn:
        found = audit.verify(conn)
    if found.broken_id is not None:
        print(f"broken at entry {found.broken_id}: {found.reason}; {found.entries} before it hold")
        return 1
    print(f"{found.entries} entries hold; head {found.head}")
    return 0


def _load_regions(engine: Engine, arguments: argparse.Namespace) -> int:
    loaded = read_regions(arguments.file)
    with writing(engine) as conn:
        regions.add(conn, *loaded)
        detail = {"file": arguments.file.name, "regions": len(loaded)}
        audit.append(conn, ACTOR, "regions.load", arguments.file.name, detail, utc_now())
    print(f"{len(loaded)} regions")
    return 0


def _add_officer(engine: Engine, arguments: argparse.Namespace) -> int:
    # Hashing is the server's business; the command line's front door lends it.
    hash_password: Callable[[str], str] | None = getattr(arguments, "hash_password", None)
    if hash_password is None:
        raise SettingsError("ledger add-officer: the server's libraries are not installed here")
    with reading(engine) as conn:
        if regions.get(conn, arguments.region) is None:
            raise SettingsError(f"--region: {arguments.region} is not known; load regions first")
        if officers.by_login(conn, arguments.login) is not None:
            raise SettingsError(f"login: {arguments.login} is taken")
    try:
        hashed = hash_password(_password(arguments.password_file))
    except ValueError as error:
        raise SettingsError(f"password: {error}") from None
    officer = officers.Officer(
        login=arguments.login,
        name=arguments.name,
        role=officers.Role(arguments.role),
        region=arguments.region,
        password_hash=hashed,
        language=arguments.language,
    )
    with writing(engine) as conn:
        officers.add(conn, officer)
        detail = {"login": officer.login, "role": officer.role.value, "region": officer.region}
        audit.append(conn, ACTOR, "officer.add", officer.id, detail, utc_now())
    print(officer.id)
    return 0


def _set_language(engine: Engine, arguments: argparse.Namespace) -> int:
    with writing(engine) as conn:
        if not officers.set_language(conn, arguments.login, arguments.language):
            raise SettingsError(f"login: {arguments.login} is not known")
        detail = {"login": arguments.login, "language": arguments.language}
        audit.append(conn, ACTOR, "officer.language", arguments.login, detail, utc_now())
    return 0


def _password(file: str) -> str:
    if file:
        return read_secret(file, "", "--password-file") or ""
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise ValueError("the two differ")
    return first
