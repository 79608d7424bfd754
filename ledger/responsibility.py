"""Which alerts concern one officer: `duties.responsible` the other way round, as a condition.

Who is responsible depends on an alert's region, level and establishment only, so that it is worked
out once for every region and level, and the database does the rest.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, FromClause, and_, or_, select

from ledger.duties import LEVELS, TOP
from ledger.officers import Officer
from ledger.schema import duties, establishments, officers, regions

Staff = Mapping[tuple[int, str], frozenset[str]]
"""Officers by level and region."""


class Mine(msgspec.Struct, frozen=True):
    """Where an officer is asked."""

    officer_id: str
    on_duty: tuple[str, ...]
    """Regions for which it is on duty at level 0, beside the establishments' own officers."""
    asked: tuple[tuple[str, ...], ...]
    """By level: regions for which it is asked where no establishment's own officer is."""

    def concerns(self, alerts: FromClause) -> ColumnElement[bool]:
        """Whether a row of `alerts` or of an alias is this officer's, or was taken on by it.

        A closed one was theirs if they acknowledged it or disposed of it, or would be asked now.
        """
        t = alerts.c
        joined = establishments.join(officers, officers.c.id == establishments.c.officer_id)
        owned = select(establishments.c.id).select_from(joined).where(officers.c.active)
        own = owned.where(officers.c.id == self.officer_id)
        at_first = t.level == 0
        ownerless = or_(
            t.level != 0, t.establishment_id.is_(None), t.establishment_id.not_in(owned)
        )
        return or_(
            t.acknowledged_by == self.officer_id,
            t.disposed_by == self.officer_id,
            and_(at_first, t.establishment_id.in_(own)),
            and_(at_first, t.region.in_(self.on_duty)),
            and_(
                ownerless,
                or_(
                    *(
                        and_(t.level == level, t.region.in_(codes))
                        for level, codes in enumerate(self.asked)
                    )
                ),
            ),
        )


def mine(conn: Connection, officer: Officer, codes: Sequence[str], at: datetime) -> Mine:
    """Where among the regions `codes` this officer is asked at `at`."""
    parents = {
        row.code: row.parent for row in conn.execute(select(regions.c.code, regions.c.parent))
    }
    roles = {role.value: level for level, role in enumerate(LEVELS)}
    able = [officers.c.role.in_(roles), officers.c.active]
    now_on_duty = (
        select(officers.c.role, duties.c.region, officers.c.id)
        .join(duties, duties.c.officer_id == officers.c.id)
        .where(duties.c.starts_at <= at, duties.c.ends_at > at, *able)
    )
    every = select(officers.c.role, officers.c.region, officers.c.id).where(*able)
    on_duty = _staff((roles[role], region, who) for role, region, who in conn.execute(now_on_duty))
    staff = _staff((roles[role], region, who) for role, region, who in conn.execute(every))
    paths = {code: _path(parents, code) for code in codes}
    asked = tuple(
        tuple(code for code in codes if officer.id in _asked(on_duty, staff, paths[code], level))
        for level in range(TOP + 1)
    )
    first = tuple(code for code in codes if officer.id in _nearest(on_duty, paths[code], 0))
    return Mine(officer.id, first, asked)


def _staff(found: Iterable[tuple[int, str, str]]) -> Staff:
    made: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for level, region, who in found:
        made[level, region].add(who)
    return {key: frozenset(people) for key, people in made.items()}


def _path(parents: Mapping[str, str | None], code: str) -> list[str]:
    path: list[str] = []
    at: str | None = code
    while at is not None and at in parents and at not in path:
        path.append(at)
        at = parents[at]
    return path


def _nearest(staff: Staff, path: Sequence[str], level: int) -> frozenset[str]:
    return next((found for code in path if (found := staff.get((level, code)))), frozenset())


def _asked(on_duty: Staff, staff: Staff, path: Sequence[str], level: int) -> frozenset[str]:
    """Who is asked at `level` or, where nobody is, at the next one above that has somebody."""
    for at in range(level, TOP + 1):
        if found := _nearest(on_duty, path, at) or _nearest(staff, path, at):
            return found
    return frozenset()
