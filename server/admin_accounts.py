"""An agent's way in at the broker: which account it needs, whether it has one, a new secret."""

import msgspec

from ledger import broker_accounts, broker_book, devices
from ledger.broker_names import AccountError, names_due
from ledger.broker_secrets import new_secret
from ledger.devices import DeviceKind
from ledger.engine import Connection, writing
from ledger.sheets.lists import Listed
from server.access import Right, may
from server.admin_sheets import row_of
from server.problems import Problem
from server.signing import Visit
from server.state import State


class AccountLine(msgspec.Struct, frozen=True):
    """What an agent's account is called, and what it has."""

    name: str
    has_password: bool
    revoked: bool
    may_issue: bool


def account_of(conn: Connection, visit: Visit, row: Listed) -> AccountLine | None:
    """The account of an agent in use; None for other devices."""
    cells, region = row.standing.cells, row.standing.region
    if cells["kind"] != DeviceKind.AGENT or row.standing.retired_at is not None:
        return None
    place = f"{region}/{cells['site']}"
    due = names_due(devices.list_in(conn, None, cells["site"]))
    own = f"{place}/{cells['device']}"
    name = own if own in due else place
    known = broker_accounts.get(conn, name)
    return AccountLine(
        name=name,
        has_password=known is not None and known.valid and bool(known.password_hash),
        revoked=known is not None and not known.valid,
        may_issue=may(visit.officer, Right.SETUP),
    )


def issue(state: State, visit: Visit, row_id: str) -> tuple[str, str]:
    """A new secret for an agent's account; the old one ends. Returns its name and the secret.

    The ledger keeps what proves the secret only: it is told here, once. Raises Problem.
    """
    secret = new_secret()
    with writing(state.engine) as conn:
        account = account_of(conn, visit, row_of(conn, visit, "devices", row_id))
        if account is None:
            raise Problem(409, "no-agent", "only an agent in use signs in at the broker")
        try:
            broker_book.set_password(
                conn, account.name, secret, state.clock(),
                renew=account.has_password, by=visit.actor,
            )  # fmt: skip
        except AccountError as error:
            raise Problem(409, "no-agent", str(error)) from None
    return account.name, secret
