"""Who is on duty where, and whom an alert concerns: rosters over the region tree."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, or_, select

from ledger import regions
from ledger.alert_types import AlertRow
from ledger.officers import Officer
from ledger.schema import duties, establishments, officers
from ledger.sql import among, insert_into, plain, typed
from ledger.staff import LEVELS, TOP, Duty, Responsible, Staff

__all__ = [
    "LEVELS",
    "TOP",
    "Duty",
    "Responsible",
    "Staff",
    "add",
    "list_in",
    "remove",
    "responsible",
    "staff",
]


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


def remove(conn: Connection, duty_id: str) -> bool:
    """Take a duty off the roster; False if it was not on it."""
    return conn.execute(delete(duties).where(duties.c.id == duty_id)).rowcount > 0


def list_in(conn: Connection, codes: Sequence[str], *, until_after: datetime) -> list[Duty]:
    """Duties for `codes` that end after a moment, by beginning."""
    found = select(duties).where(duties.c.region.in_(codes), duties.c.ends_at > until_after)
    rows = conn.execute(found.order_by(duties.c.starts_at, duties.c.region, duties.c.id))
    return [typed(row, Duty) for row in rows]


_ROSTER = select(duties).where(
    among(duties.c.region, "regions"),
    duties.c.starts_at <= bindparam("until"),
    duties.c.ends_at > bindparam("since"),
)
_IN_CHARGE = select(establishments.c.id, establishments.c.officer_id).where(
    among(establishments.c.id, "establishments"), establishments.c.officer_id.is_not(None)
)
_OFFICERS = (
    select(officers)
    .where(
        officers.c.active,
        or_(
            and_(among(officers.c.region, "regions"), officers.c.role.in_(LEVELS)),
            among(officers.c.establishment_id, "establishments"),
            among(officers.c.id, "officers"),
        ),
    )
    .order_by(officers.c.login)
)


def staff(
    conn: Connection,
    paths: Mapping[str, Sequence[str]],
    establishment_ids: Collection[str],
    since: datetime,
    until: datetime,
) -> Staff:
    """Whoever may be asked about these places and establishments, at a moment of that span.

    `paths`: as `regions.paths` gives them.
    """
    given = {
        "regions": {region for path in paths.values() for region in path},
        "establishments": establishment_ids,
    }
    span = {"since": since, "until": until}
    roster = [typed(row, Duty) for row in conn.execute(_ROSTER, given | span)]
    in_charge: dict[str, str] = {}
    if establishment_ids:
        in_charge = dict(conn.execute(_IN_CHARGE, given).all())
    named = {duty.officer_id for duty in roster} | set(in_charge.values())
    found = conn.execute(_OFFICERS, given | {"officers": named})
    return Staff(paths, (typed(row, Officer) for row in found), roster, in_charge)


def responsible(conn: Connection, alert: AlertRow, level: int, at: datetime) -> Responsible:
    """Whom an alert concerns at `level` (0 town, 1 county, 2 city) at `at`: see `Staff`."""
    paths = regions.paths(conn, (alert.region,))
    own = () if alert.establishment_id is None else (alert.establishment_id,)
    return staff(conn, paths, own, at, at).responsible(alert, level, at)
