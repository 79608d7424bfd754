"""Codes of the public pages: which place a code opens, and how an old one is renewed.

A code that was renewed opens nothing any more, unless it was given a time of grace; it is never
given out again, so that whoever scans an old sticker learns that it is old.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, select, update

from ledger import establishment_events, establishments
from ledger.establishment_events import NewEvent
from ledger.establishments import Establishment
from ledger.ids import new_public_code
from ledger.schema import establishments as places
from ledger.schema import retired_codes

LONGEST_GRACE = timedelta(days=30)


class Opened(msgspec.Struct, frozen=True):
    """What a code leads to."""

    establishment: Establishment | None
    """Whose page it opens; None: it was renewed and opens nothing."""
    renewed_at: datetime | None = None
    """Since when there is a newer one; None: it is the present one."""
    good_until: datetime | None = None
    """How long an old one opens the page yet."""


class Renewed(msgspec.Struct, frozen=True):
    """An establishment with its new code."""

    id: str
    name: str
    region: str
    old: str
    new: str


def opened(conn: Connection, code: str, at: datetime) -> Opened | None:
    """What `code` leads to at `at`; None: there never was such a code, or its place is retired."""
    present = establishments.by_public_code(conn, code)
    if present is not None:
        return Opened(present)
    row = conn.execute(select(retired_codes).where(retired_codes.c.code == code)).one_or_none()
    if row is None:
        return None
    owner = establishments.get(conn, row.establishment_id)
    if owner is None or owner.retired_at is not None:
        return None
    good = row.good_until is not None and at < row.good_until
    return Opened(owner if good else None, row.retired_at, row.good_until if good else None)


def renew(
    conn: Connection,
    wanted: Sequence[Establishment],
    officer: str,
    reason: str,
    at: datetime,
    grace: timedelta = timedelta(),
) -> list[Renewed]:
    """Give these establishments new codes; the old ones open their pages for `grace` yet.

    `officer` is an id. Raises ValueError for a grace that is negative or beyond LONGEST_GRACE.
    """
    if not timedelta() <= grace <= LONGEST_GRACE:
        raise ValueError(f"a grace of {grace} is not within 0 and {LONGEST_GRACE}")
    made = []
    for one in wanted:
        new = new_public_code()
        changed = update(places).where(
            places.c.id == one.id, places.c.public_code == one.public_code
        )
        if conn.execute(changed.values(public_code=new)).rowcount != 1:
            continue  # somebody renewed it a moment ago
        conn.execute(
            retired_codes.insert(),
            {
                "code": one.public_code,
                "establishment_id": one.id,
                "retired_at": at,
                "retired_by": officer,
                "reason": reason,
                "good_until": at + grace if grace else None,
            },
        )
        made.append(Renewed(one.id, one.name, one.region, one.public_code, new))
    days = grace / timedelta(days=1)
    body = {"after": {"grace_days": days}}
    establishment_events.note(conn, [NewEvent(one.id, "code_renewed", body) for one in made], at)
    return made
