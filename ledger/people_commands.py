"""`foodsentry ledger …` for people: duties, contacts, orphans and cards."""

import argparse
import sys
from collections.abc import Callable, Sequence

from contracts.clock import utc_now
from contracts.settings import SettingsError
from contracts.workdays import CHINA
from ledger import (
    audit,
    cards,
    duties,
    establishments,
    officers,
    regions,
)
from ledger.alert_types import AlertConflict
from ledger.engine import Connection, Engine, reading, writing
from ledger.sheet_commands import add_import_arguments, import_file

Leaf = Callable[..., argparse.ArgumentParser]


def add_leaves(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", leaf: Leaf) -> None:
    """Add the commands of people to `foodsentry ledger`."""
    for name, help_ in (
        ("duties", "who is on duty where, when"),
        ("contacts", "how people are reached"),
    ):
        parser = commands.add_parser(name, help=help_, description=help_)
        below = parser.add_subparsers(metavar="COMMAND", required=True)
        load = leaf("import", f"take over a CSV file: {help_}", import_file, into=below)
        add_import_arguments(load)
        load.set_defaults(kind=name)
        if name == "duties":
            listing = leaf("list", "duties of now and later", _list_duties, into=below)
            listing.add_argument("--region", default="", help="only there and below")
    listed = leaf("cards", "an establishment's yellow and red cards", _list_cards)
    listed.add_argument("establishment", help="its id")
    annul = leaf("annul-card", "take a card back, with a reason", _annul)
    annul.add_argument("card", help="its id, from `cards`")
    annul.add_argument("--login", required=True, help="the officer who decides it")
    annul.add_argument("--reason", required=True)
    orphans = leaf("orphans", "establishments without a responsible officer", _orphans)
    orphans.add_argument("--region", default="", help="only there and below")


def _annul(engine: Engine, arguments: argparse.Namespace) -> int:
    with writing(engine) as conn:
        officer = officers.by_login(conn, arguments.login)
        if officer is None:
            raise SettingsError(f"--login: {arguments.login} is not known")
        try:
            done = cards.annul(conn, arguments.card, officer.id, utc_now(), arguments.reason)
        except AlertConflict as error:
            raise SettingsError(str(error)) from None
        if done:
            detail = {"reason": arguments.reason}
            audit.append(conn, officer.id, "card.annul", arguments.card, detail, utc_now())
    print("annulled" if done else "it was annulled before")
    return 0


def _list_cards(engine: Engine, arguments: argparse.Namespace) -> int:
    with reading(engine) as conn:
        for card in cards.of_establishment(conn, arguments.establishment):
            annulled = f"\tannulled: {card.annul_reason}" if card.annulled_at else ""
            at = f"{card.at.astimezone(CHINA):%Y-%m-%d %H:%M}"
            print(f"{card.id}\t{card.colour}\t{at}\t{card.reason}{annulled}")
    return 0


def _list_duties(engine: Engine, arguments: argparse.Namespace) -> int:
    with reading(engine) as conn:
        for duty in duties.list_in(conn, _below(conn, arguments.region), until_after=utc_now()):
            officer = officers.get(conn, duty.officer_id)
            times = "–".join(
                f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}" for at in (duty.starts_at, duty.ends_at)
            )
            print(f"{duty.region}\t{officer.login if officer else duty.officer_id}\t{times}")
    return 0


def _orphans(engine: Engine, arguments: argparse.Namespace) -> int:
    """1 if there is one."""
    with reading(engine) as conn:
        found = establishments.orphans(conn, _below(conn, arguments.region))
    for one in found:
        owner = one.establishment
        print(f"{owner.region}\t{owner.id}\t{owner.name}\t{one.why}")
    print(f"{len(found)} establishments without a responsible officer", file=sys.stderr)
    return 1 if found else 0


def _below(conn: Connection, region: str) -> Sequence[str]:
    if not region:
        return [one.code for one in regions.all_regions(conn)]
    below = regions.subtree(conn, region)
    if not below:
        raise SettingsError(f"--region: {region} is not known")
    return below
