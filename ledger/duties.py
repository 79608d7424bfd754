"""Who is on duty where, and whom an alert concerns: rosters over the region tree."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, select

from ledger import regions
from ledger.alert_types import AlertRow
from ledger.ids import new_id
from ledger.officers import Officer, Role
from ledger.schema import duties, establishments, officers
from ledger.sql import insert_into, plain, typed, typed_or_none

LEVELS = (Role.TOWN, Role.COUNTY, Role.CITY)
"""Who is asked at level 0, 1 and 2."""
TOP = len(LEVELS) - 1


class Duty(msgspec.Struct, frozen=True):
    """An officer is on duty for a region and all below it, from `starts_at` until `ends_at`."""

    region: str
    officer_id: str
    starts_at: datetime
    ends_at: datetime
    id: str = msgspec.field(default_factory=new_id)


class Responsible(msgspec.Struct, frozen=True):
    """Whom an alert concerns now."""

    officers: tuple[Officer, ...]
    establishment_people: tuple[Officer, ...]
    """The establishment's own, told at the same time."""
    orphan: bool
    """Nobody is there at the level that was asked for; `officers` are of the next that has any."""
    level: int
    """The level of `officers`."""


def add(conn: Connection, *new: Duty) -> int:
    """Put duties on the roster; returns how many. One that begins likewise gets the new end."""
    for duty in new:
        statement = insert_into(conn, duties).values(plain(duty))
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["region", "officer_id", "starts_at"],
                set_={"ends_at": duty.ends_at},
            )
        )
    return len(new)


def find(conn: Connection, duty: Duty) -> datetime | None:
    """Until when a duty of that officer, region and beginning lasts; None if there is none."""
    query = select(duties.c.ends_at).where(
        duties.c.region == duty.region,
        duties.c.officer_id == duty.officer_id,
        duties.c.starts_at == duty.starts_at,
    )
    return conn.scalar(query)


def remove(conn: Connection, duty_id: str) -> bool:
    """Take a duty off the roster; False if it was not on it."""
    return conn.execute(delete(duties).where(duties.c.id == duty_id)).rowcount > 0


def list_in(conn: Connection, codes: Sequence[str], *, until_after: datetime) -> list[Duty]:
    """Duties for `codes` that end after a moment, by beginning."""
    found = select(duties).where(duties.c.region.in_(codes), duties.c.ends_at > until_after)
    rows = conn.execute(found.order_by(duties.c.starts_at, duties.c.region, duties.c.id))
    return [typed(row, Duty) for row in rows]


def responsible(conn: Connection, alert: AlertRow, level: int, at: datetime) -> Responsible:
    """Whom an alert of this place concerns at `level` (0 town, 1 county, 2 city) at `at`.

    At each level: who is on duty for the nearest region, with the establishment's own officer at
    level 0; else every active officer of that role in the nearest region that has any; else the
    next level. Nobody at all leaves `officers` empty, at the top level.
    """
    path = regions.ancestors(conn, alert.region)
    found: tuple[Officer, ...] = ()
    asked = level
    for asked in range(level, TOP + 1):
        found = _at_level(conn, alert, path, asked, at)
        if found:
            break
    own = people(conn, alert.establishment_id)
    return Responsible(found, own, orphan=not found or asked != level, level=asked)


def _at_level(
    conn: Connection, alert: AlertRow, path: Sequence[str], level: int, at: datetime
) -> tuple[Officer, ...]:
    role = LEVELS[level]
    on_duty = (
        select(officers, duties.c.region.label("duty_region"))
        .join(duties, duties.c.officer_id == officers.c.id)
        .where(
            duties.c.region.in_(path),
            duties.c.starts_at <= at,
            duties.c.ends_at > at,
            officers.c.role == role.value,
            officers.c.active,
        )
        .order_by(officers.c.login)
    )
    found = _nearest(
        [(row.duty_region, typed(row, Officer)) for row in conn.execute(on_duty)], path
    )
    own = _own_officer(conn, alert.establishment_id) if level == 0 else None
    if own is not None and own.id not in {one.id for one in found}:
        found = (own, *found)
    if found:
        return found
    all_of_them = select(officers).where(
        officers.c.region.in_(path), officers.c.role == role.value, officers.c.active
    )
    rows = conn.execute(all_of_them.order_by(officers.c.login))
    return _nearest([(row.region, typed(row, Officer)) for row in rows], path)


def _nearest(found: Sequence[tuple[str, Officer]], path: Sequence[str]) -> tuple[Officer, ...]:
    """Those of the first region on the way up that has any, each once."""
    for region in path:
        here = {officer.id: officer for at, officer in found if at == region}
        if here:
            return tuple(here.values())
    return ()


def _own_officer(conn: Connection, establishment_id: str | None) -> Officer | None:
    if establishment_id is None:
        return None
    query = (
        select(officers)
        .join(establishments, establishments.c.officer_id == officers.c.id)
        .where(establishments.c.id == establishment_id, officers.c.active)
    )
    return typed_or_none(conn.execute(query).one_or_none(), Officer)


def people(conn: Connection, establishment_id: str | None) -> tuple[Officer, ...]:
    """An establishment's own people who are active."""
    if establishment_id is None:
        return ()
    query = select(officers).where(
        officers.c.establishment_id == establishment_id, officers.c.active
    )
    return tuple(typed(row, Officer) for row in conn.execute(query.order_by(officers.c.login)))
