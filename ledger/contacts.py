"""How people are reached: a person's channels and addresses, in the order they are tried."""

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, update

from ledger.ids import new_id
from ledger.schema import contacts
from ledger.sql import among, insert_into, plain, typed


class Contact(msgspec.Struct, frozen=True):
    """One way to reach an officer; `channel` is a name of the gateway's [notify] settings."""

    officer_id: str
    channel: str
    address: str
    position: int = 0
    """Lower ones are tried first."""
    active: bool = True
    id: str = msgspec.field(default_factory=new_id)


def put(conn: Connection, *new: Contact) -> int:
    """Add contacts; a known address of the same channel gets the new position and is active or not.

    Returns how many.
    """
    for contact in new:
        statement = insert_into(conn, contacts).values(plain(contact))
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["officer_id", "channel", "address"],
                set_={"position": contact.position, "active": contact.active},
            )
        )
    return len(new)


_IN_ORDER = select(contacts).order_by(contacts.c.position, contacts.c.channel, contacts.c.id)
_OF = _IN_ORDER.where(contacts.c.officer_id == bindparam("officer"))
_ACTIVE_OF = _OF.where(contacts.c.active)
_ACTIVE_OF_THESE = _IN_ORDER.where(contacts.c.active, among(contacts.c.officer_id, "officers"))


def of(conn: Connection, officer_id: str, *, active_only: bool = True) -> list[Contact]:
    """An officer's contacts in the order they are tried."""
    rows = conn.execute(_ACTIVE_OF if active_only else _OF, {"officer": officer_id})
    return [typed(row, Contact) for row in rows]


def of_these(conn: Connection, officer_ids: Collection[str]) -> dict[str, list[Contact]]:
    """The active contacts of each of these officers, in the order they are tried."""
    found: dict[str, list[Contact]] = {officer: [] for officer in officer_ids}
    for row in conn.execute(_ACTIVE_OF_THESE, {"officers": officer_ids}):
        found[row.officer_id].append(typed(row, Contact))
    return found


def set_active(conn: Connection, contact_id: str, active: bool) -> bool:
    """Use a contact, or no longer; False if there is none."""
    change = update(contacts).where(contacts.c.id == contact_id)
    return conn.execute(change.values(active=active)).rowcount > 0


def remove(conn: Connection, contact_id: str) -> bool:
    """Forget a contact; False if there is none."""
    return conn.execute(delete(contacts).where(contacts.c.id == contact_id)).rowcount > 0
