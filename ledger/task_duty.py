"""Who answers for a task 快检任务, and what of theirs is overdue or soon over.

The officer that the task names; if it names nobody who is active, whoever answers for its place:
officers of its own region, the one in charge of its establishment. Who gave it is told, too, and so
are the people of the establishment that it was given to.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from ledger.schema import establishments, officers, sites, tasks
from ledger.sql import among_these
from ledger.tasks import Sight, due_between, standing

TOLD = timedelta(days=14)
"""So long after it was due a task that is not met is spoken of unasked; the list keeps all."""


class Whose(msgspec.Struct, frozen=True):
    """Somebody, as far as tasks may be theirs."""

    officer_id: str
    region: str
    """Of which they answer for what names nobody; empty: of none."""
    establishment_id: str | None = None
    """Of an establishment's own people."""
    sites: Collection[str] = ()

    def condition(self) -> ColumnElement[bool]:
        """That a task is theirs, for a statement."""
        if self.establishment_id is not None:
            return or_(
                tasks.c.establishment_id == self.establishment_id,
                among_these(tasks.c.site, self.sites),
            )
        active = select(officers.c.id).where(officers.c.active)
        nobody = or_(tasks.c.officer_id.is_(None), tasks.c.officer_id.not_in(active))
        charged = select(establishments.c.id).where(
            establishments.c.officer_id == self.officer_id, establishments.c.retired_at.is_(None)
        )
        rooms = select(sites.c.id).where(sites.c.establishment_id.in_(charged))
        places: list[ColumnElement[bool]] = [
            tasks.c.establishment_id.in_(charged),
            tasks.c.site.in_(rooms),
        ]
        if self.region:
            places.append(tasks.c.region == self.region)
        return or_(
            tasks.c.officer_id == self.officer_id,
            tasks.c.created_by == self.officer_id,
            and_(nobody, or_(*places)),
        )


class Pressing(msgspec.Struct, frozen=True):
    """How many of somebody's tasks press."""

    overdue: int = 0
    """Not met, and due within the last `TOLD`."""
    soon: int = 0
    """Not met, and due before long."""


def pressing(
    conn: Connection, sight: Sight, whose: Whose, now: datetime, soon: timedelta
) -> Pressing:
    """Count them, by what was counted of their uploads last: one statement."""
    state = standing(now)
    late = and_(state == "overdue", due_between(now - TOLD, now))
    near = and_(state == "open", due_between(now, now + soon))
    asked = select(
        func.coalesce(func.sum(case((late, 1), else_=0)), 0).label("overdue"),
        func.coalesce(func.sum(case((near, 1), else_=0)), 0).label("soon"),
    ).where(
        sight.condition(),
        whose.condition(),
        tasks.c.withdrawn_at.is_(None),
        due_between(now - TOLD, now + soon),
    )
    row = conn.execute(asked).one()
    return Pressing(int(row.overdue), int(row.soon))
