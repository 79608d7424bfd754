"""Keeping officers: found by region, role and name; changed; and who must remain."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Select, func, or_, select, update

from ledger import duties
from ledger.establishments import Establishment
from ledger.officers import Officer, Role
from ledger.schema import alerts, establishments, officers, regions, sessions
from ledger.sql import typed


class OfficerFilter(msgspec.Struct, frozen=True):
    """Which officers are wanted; what is empty or None asks for nothing."""

    words: str = ""
    """In the name or the login."""
    role: Role | None = None
    active: bool | None = None


class OpenWork(msgspec.Struct, frozen=True):
    """What an officer leaves behind who goes now."""

    duties: tuple[duties.Duty, ...]
    establishments: tuple[Establishment, ...]
    """Those that they are responsible for."""
    alerts: int
    """Open ones that they have taken on."""

    def __bool__(self) -> bool:
        return bool(self.duties or self.establishments or self.alerts)


def find(
    conn: Connection, codes: Collection[str], wanted: OfficerFilter, limit: int, offset: int = 0
) -> tuple[list[Officer], int]:
    """A page of the officers of these regions, by region and login, and how many there are."""
    found = _wanted(codes, wanted)
    total = conn.scalar(select(func.count()).select_from(found.subquery())) or 0
    page = found.order_by(officers.c.region, officers.c.login).limit(limit).offset(offset)
    return [typed(row, Officer) for row in conn.execute(page)], total


def _wanted(codes: Collection[str], wanted: OfficerFilter) -> Select[tuple[str]]:
    found = select(officers).where(officers.c.region.in_(sorted(codes)))
    if wanted.words:
        found = found.where(
            or_(
                officers.c.name.contains(wanted.words, autoescape=True),
                officers.c.login.contains(wanted.words, autoescape=True),
            )
        )
    if wanted.role is not None:
        found = found.where(officers.c.role == wanted.role.value)
    if wanted.active is not None:
        found = found.where(officers.c.active == wanted.active)
    return found


def change(
    conn: Connection,
    officer_id: str,
    *,
    name: str,
    role: Role,
    region: str,
    establishment_id: str | None,
) -> None:
    """Give an officer another name, role or place."""
    values = {
        "name": name,
        "role": role.value,
        "region": region,
        "establishment_id": establishment_id,
    }
    conn.execute(update(officers).where(officers.c.id == officer_id).values(values))


def set_must_change(conn: Connection, officer_id: str, must: bool) -> None:
    """Whether they must choose a new password before they do anything else."""
    conn.execute(update(officers).where(officers.c.id == officer_id).values(must_change=must))


def other_admins(conn: Connection, officer_id: str) -> int:
    """How many others are active administrators of a whole tree; held so until the commit."""
    roots = select(regions.c.code).where(regions.c.parent.is_(None))
    found = select(officers.c.id).where(
        officers.c.role == Role.ADMIN.value,
        officers.c.active,
        officers.c.region.in_(roots),
    )
    # Two administrators who dismiss each other at the same moment: one of them waits here.
    held = list(conn.scalars(found.order_by(officers.c.id).with_for_update()))
    return len([one for one in held if one != officer_id])


def last_seen(conn: Connection, officer_ids: Collection[str]) -> dict[str, datetime]:
    """When each was last here with a session that has not ended."""
    seen = select(sessions.c.officer_id, func.max(sessions.c.last_seen_at).label("at"))
    rows = conn.execute(
        seen.where(sessions.c.officer_id.in_(sorted(officer_ids))).group_by(sessions.c.officer_id)
    )
    return {row.officer_id: row.at for row in rows}


def open_work(conn: Connection, officer: Officer, at: datetime, limit: int = 50) -> OpenWork:
    """What would be left behind: duties to come, establishments, alerts taken on."""
    everywhere = list(conn.scalars(select(regions.c.code)))
    to_come = duties.list_in(conn, everywhere, until_after=at)
    own = (
        select(establishments)
        .where(establishments.c.officer_id == officer.id)
        .order_by(establishments.c.name)
        .limit(limit)
    )
    taken = select(func.count()).where(
        alerts.c.acknowledged_by == officer.id, alerts.c.closed_at.is_(None)
    )
    return OpenWork(
        duties=tuple(one for one in to_come if one.officer_id == officer.id)[:limit],
        establishments=tuple(typed(row, Establishment) for row in conn.execute(own)),
        alerts=conn.scalar(taken.select_from(alerts)) or 0,
    )
