"""Officers: the people who sign in, with a role over a region and everything below it."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Literal

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from ledger.ids import new_id
from ledger.schema import officers
from ledger.sql import among, plain, typed, typed_or_none


class Role(StrEnum):
    """What somebody may do, within their region's subtree."""

    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    GRID = "grid"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Officer(msgspec.Struct, frozen=True):
    """A person. An empty `password_hash` means that nobody can sign in as them yet."""

    login: str
    name: str
    role: Role
    region: str
    id: str = msgspec.field(default_factory=new_id)
    password_hash: str = ""
    establishment_id: str | None = None
    """For operators: whose room or kitchen they run."""
    active: bool = True
    language: Literal["zh", "en"] | None = None
    """What they are written in; None: as the channel is set."""
    must_change: bool = False
    """They must choose a new password before they do anything else."""


def add(conn: Connection, new: Officer) -> None:
    """Add one."""
    conn.execute(officers.insert(), plain(new))


_NAMES = select(officers.c.id, officers.c.name).where(among(officers.c.id, "officers"))
_GET = select(officers).where(officers.c.id == bindparam("officer"))
_THOSE = select(officers).where(among(officers.c.id, "officers"))
_BY_LOGIN = select(officers).where(officers.c.login == bindparam("login"))


def get(conn: Connection, officer_id: str) -> Officer | None:
    """The officer of that id."""
    return typed_or_none(conn.execute(_GET, {"officer": officer_id}).one_or_none(), Officer)


def names(conn: Connection, officer_ids: Collection[str]) -> dict[str, str]:
    """Names of officers by their ids; those that are not known are left out."""
    return dict(conn.execute(_NAMES, {"officers": officer_ids}).all())


def those(conn: Connection, officer_ids: Collection[str]) -> dict[str, Officer]:
    """Officers by their ids, active or not; those that are not known are left out."""
    found = conn.execute(_THOSE, {"officers": officer_ids}) if officer_ids else ()
    return {row.id: typed(row, Officer) for row in found}


def by_login(conn: Connection, login: str) -> Officer | None:
    """The officer who signs in under that name, active or not."""
    return typed_or_none(conn.execute(_BY_LOGIN, {"login": login}).one_or_none(), Officer)


def list_in(conn: Connection, regions: Sequence[str]) -> list[Officer]:
    """Officers of `regions`, by region and login."""
    found = select(officers).where(officers.c.region.in_(regions))
    rows = conn.execute(found.order_by(officers.c.region, officers.c.login))
    return [typed(row, Officer) for row in rows]


def of_establishment(conn: Connection, establishment_id: str) -> list[Officer]:
    """An establishment's own people, also those who may not sign in any more."""
    found = select(officers).where(
        officers.c.establishment_id == establishment_id, officers.c.role == Role.OPERATOR.value
    )
    return [typed(row, Officer) for row in conn.execute(found.order_by(officers.c.login))]


def set_password(conn: Connection, officer_id: str, password_hash: str) -> None:
    """Replace the password's hash; whoever sets it says themselves whether it must be changed."""
    changed = update(officers).where(officers.c.id == officer_id)
    conn.execute(changed.values(password_hash=password_hash))


def set_language(conn: Connection, login: str, language: Literal["zh", "en"]) -> bool:
    """Write to somebody in that language; False if there is no such login."""
    changed = update(officers).where(officers.c.login == login)
    return conn.execute(changed.values(language=language)).rowcount > 0


def set_active(conn: Connection, officer_id: str, active: bool) -> None:
    """Let somebody sign in, or no longer."""
    conn.execute(update(officers).where(officers.c.id == officer_id).values(active=active))
