"""`foodsentry server token …`: make, list and revoke the tokens of other city systems."""

import argparse
import sys
from pathlib import Path

from contracts.clock import utc_now
from contracts.settings import load_settings
from ledger import api_tokens, officers, regions
from ledger.engine import reading, writing
from server import tokens
from server.access import Right, may
from server.scopes import SCOPES
from server.settings import ServerSettings
from server.tokens import TokenRefused, TokenWish

ACTOR = "command line"


def add_token_commands(
    leaves: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add them below `server`."""
    parser = leaves.add_parser("token", help="tokens by which other city systems ask the API")
    parts = parser.add_subparsers(dest="token_command", metavar="COMMAND", required=True)
    make = parts.add_parser("make", help="make one in an officer's name, and print it once")
    make.add_argument("settings", type=Path, help="the server's TOML file")
    make.add_argument("login", help="the officer in whose name it asks (admin or city)")
    make.add_argument("--name", required=True, help="what the other system is called")
    make.add_argument(
        "--scope", action="append", required=True, metavar="SCOPE", help=", ".join(SCOPES)
    )
    make.add_argument("--region", default="", help="it and all below; default: the officer's")
    make.add_argument("--days", type=int, default=180, help="days until it ends (180)")
    make.set_defaults(run=_make)
    listing = parts.add_parser("list", help="list them")
    listing.add_argument("settings", type=Path, help="the server's TOML file")
    listing.set_defaults(run=_list)
    revoke = parts.add_parser("revoke", help="end one for good")
    revoke.add_argument("settings", type=Path, help="the server's TOML file")
    revoke.add_argument("token", help="its id, as `list` shows it")
    revoke.set_defaults(run=_revoke)


def _make(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.settings, ServerSettings)
    now = utc_now()
    with settings.ledger.opened(arguments.settings) as engine, writing(engine) as conn:
        maker = officers.by_login(conn, arguments.login)
        if maker is None or not maker.active or not may(maker, Right.CONNECT):
            return _refuse(f"no active officer {arguments.login!r} who may make tokens")
        region = arguments.region or maker.region
        wish = TokenWish(arguments.name, tuple(arguments.scope), region, arguments.days)
        longest = settings.api.token_days
        try:
            made, secret = tokens.make(conn, maker, wish, now, longest_days=longest)
        except TokenRefused as error:
            return _refuse(str(error))
        tokens.note_made(conn, ACTOR, made, now)
    print(secret)
    print(f"id {made.id}, ends {made.expires_at:%Y-%m-%d}", file=sys.stderr)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.settings, ServerSettings)
    now = utc_now()
    with settings.ledger.opened(arguments.settings) as engine, reading(engine) as conn:
        every = [one.code for one in regions.all_regions(conn)]
        for one in api_tokens.list_in(conn, every):
            state = "revoked" if one.revoked_at else "usable" if one.usable(now) else "expired"
            used = f"{one.last_used_at:%Y-%m-%d}" if one.last_used_at else "never"
            told = (one.id, f"{one.shown}…", state, f"{one.expires_at:%Y-%m-%d}", used)
            print("\t".join((*told, one.region, one.name, ",".join(one.scopes))))
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.settings, ServerSettings)
    with settings.ledger.opened(arguments.settings) as engine, writing(engine) as conn:
        found = api_tokens.get(conn, arguments.token)
        if found is None:
            return _refuse(f"no token {arguments.token!r}")
        if not tokens.revoke(conn, ACTOR, found, utc_now()):
            return _refuse("it was revoked before")
    return 0


def _refuse(said: str) -> int:
    print(f"foodsentry: {said}", file=sys.stderr)
    return 1
