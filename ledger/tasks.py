"""Tasks 快检任务: who tests what, where, how many, by when; withdrawn, but never removed.

How far one is follows from uploads alone (`ledger.task_progress`); `done` and `late` of the row are
that count as it was last taken, for lists.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, tuple_, update

from ledger import journal, regions
from ledger.ids import new_id
from ledger.schema import sites, tasks
from ledger.sql import among_these, plain, typed, typed_or_none

State = Literal["open", "met", "overdue", "withdrawn"]
STATES: tuple[State, ...] = ("open", "overdue", "met", "withdrawn")
Place = tuple[datetime, str]
"""When a task is due, and its id: lists go by them."""


class Task(msgspec.Struct, frozen=True):
    """A task. It asks of a region; of an establishment or a site there, if one is named."""

    title: str
    region: str
    wanted: int
    """Samples."""
    starts_at: datetime
    """What was measured before then is not of this task."""
    due_at: datetime
    created_at: datetime
    id: str = msgspec.field(default_factory=new_id)
    establishment_id: str | None = None
    site: str | None = None
    officer_id: str | None = None
    """Who answers for it."""
    food_group: str = ""
    """Empty: any food."""
    items: tuple[str, ...] = ()
    """Codes of the items that each sample is tested for; empty: any."""
    note: str = ""
    created_by: str | None = None
    withdrawn_at: datetime | None = None
    withdrawn_by: str = ""
    withdraw_reason: str = ""
    done: int = 0
    late: int = 0

    def state(self, now: datetime) -> State:
        """Where it stands."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.done >= self.wanted:
            return "met"
        return "overdue" if now > self.due_at else "open"


class Sight(msgspec.Struct, frozen=True):
    """Which tasks somebody sees: those of their regions, and those from above that reach there."""

    regions: Collection[str]
    above: Collection[str] = ()
    """Regions that theirs lies in."""
    establishment_id: str | None = None
    sites: Collection[str] | None = None
    """Of an establishment's own people: their sites."""

    def condition(self) -> ColumnElement[bool]:
        """The same for a statement."""
        wide = and_(tasks.c.establishment_id.is_(None), tasks.c.site.is_(None))
        below = among_these(tasks.c.region, self.regions)
        from_above = and_(wide, among_these(tasks.c.region, self.above))
        if self.establishment_id is None:
            return or_(below, from_above)
        own = or_(
            tasks.c.establishment_id == self.establishment_id,
            among_these(tasks.c.site, self.sites or ()),
        )
        return or_(own, from_above, and_(wide, below))


def add(conn: Connection, new: Task) -> None:
    """Give one, and note it in the journal."""
    conn.execute(tasks.insert(), plain(new) | {"items": list(new.items)})
    note_given(conn, new)


def note_given(conn: Connection, one: Task) -> None:
    """Tell who follows the journal that a task is new or withdrawn."""
    body = {"task_id": one.id, "withdrawn": one.withdrawn_at is not None}
    journal.append(
        conn, journal.TASK, at=one.withdrawn_at or one.created_at, region=one.region,
        site=one.site or "", ref=one.id, body=body,
    )  # fmt: skip


def note_giver(conn: Connection, task_ids: Collection[str], officer_id: str) -> None:
    """Say who gave these, which nobody had said yet."""
    of = update(tasks).where(among_these(tasks.c.id, task_ids), tasks.c.created_by.is_(None))
    conn.execute(of.values(created_by=officer_id))


def get(conn: Connection, task_id: str, sight: Sight | None = None) -> Task | None:
    """The task of that id, if it is in sight."""
    found = select(tasks).where(tasks.c.id == task_id)
    if sight is not None:
        found = found.where(sight.condition())
    return typed_or_none(conn.execute(found).one_or_none(), Task)


def like(conn: Connection, title: str, region: str, due_at: datetime) -> Task | None:
    """The one in use of that title, region and day; a task's minute is the finest that counts."""
    minute = due_at.replace(second=0, microsecond=0)
    found = select(tasks).where(
        tasks.c.title == title,
        tasks.c.region == region,
        tasks.c.due_at.in_([due_at, minute]),
        tasks.c.withdrawn_at.is_(None),
    )
    return typed_or_none(conn.execute(found.limit(1)).one_or_none(), Task)


def withdraw(conn: Connection, task_id: str, officer_id: str, reason: str, at: datetime) -> bool:
    """Ask for it no more; it stays with its reason. False if it was withdrawn before."""
    change = (
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.withdrawn_at.is_(None))
        .values(withdrawn_at=at, withdrawn_by=officer_id, withdraw_reason=reason)
        .returning(*tasks.c)
    )
    row = typed_or_none(conn.execute(change).one_or_none(), Task)
    if row is not None:
        note_given(conn, row)
    return row is not None


def find(
    conn: Connection,
    sight: Sight,
    state: State | None,
    now: datetime,
    limit: int,
    after: Place | None = None,
    *,
    regions: Sequence[str] | None = None,
    only: Sequence[ColumnElement[bool]] = (),
) -> list[Task]:
    """Tasks of a state: those to be done by what is due first, the others the latest first.

    `only`: what else must hold of them (`due_between`, `task_duty.Whose.condition`).
    """
    rising = state in ("open", "overdue")
    place = tuple_(tasks.c.due_at, tasks.c.id)
    found = select(tasks).where(sight.condition(), *only)
    if state is not None:
        found = found.where(standing(now) == state)
    if regions is not None:
        found = found.where(among_these(tasks.c.region, regions))
    if after is not None:
        found = found.where(place > after if rising else place < after)
    order = (tasks.c.due_at, tasks.c.id)
    found = found.order_by(*(order if rising else (one.desc() for one in order)))
    return [typed(row, Task) for row in conn.execute(found.limit(limit))]


def counts(conn: Connection, sight: Sight, now: datetime) -> dict[State, int]:
    """How many stand where."""
    state = standing(now).label("state")
    asked = select(state, func.count().label("n")).where(sight.condition()).group_by(state)
    told = {row.state: int(row.n) for row in conn.execute(asked)}
    return {one: told.get(one, 0) for one in STATES}


def count_soon(conn: Connection, sight: Sight, now: datetime, soon: timedelta) -> int:
    """How many are not met and due within `soon` from now."""
    near = (sight.condition(), standing(now) == "open", due_between(now, now + soon))
    return conn.scalar(select(func.count()).select_from(tasks).where(*near)) or 0


def asked_since(conn: Connection, due_since: datetime) -> list[Task]:
    """Those not withdrawn that are due after a moment, by what is due first."""
    found = select(tasks).where(tasks.c.withdrawn_at.is_(None), tasks.c.due_at > due_since)
    return [
        typed(row, Task) for row in conn.execute(found.order_by(tasks.c.due_at, tasks.c.id))
    ]  # fmt: skip


class Reach(msgspec.Struct, frozen=True):
    """Where a site lies."""

    establishment_id: str | None
    above: frozenset[str]
    """Its region and those above."""

    def covered_by(self, task: Task, site: str) -> bool:
        """Whether what is tested at the site is what the task asks for, as to the place."""
        if task.site is not None:
            return task.site == site
        if task.establishment_id is not None:
            return task.establishment_id == self.establishment_id
        return task.region in self.above


def reaches(conn: Connection, site_ids: Collection[str]) -> dict[str, Reach]:
    """Where these sites lie."""
    asked = select(sites.c.id, sites.c.region, sites.c.establishment_id).where(
        among_these(sites.c.id, sorted(site_ids))
    )
    rows: list[Any] = list(conn.execute(asked))
    paths = regions.paths(conn, sorted({row.region for row in rows}))
    return {row.id: Reach(row.establishment_id, frozenset(paths[row.region])) for row in rows}


def keep_counts(conn: Connection, counted: dict[str, tuple[int, int]]) -> None:
    """Store how far these tasks are: samples that count, and those that came too late."""
    for task_id, (done, late) in sorted(counted.items()):
        changed = or_(tasks.c.done != done, tasks.c.late != late)
        of = update(tasks).where(tasks.c.id == task_id, changed)
        conn.execute(of.values(done=done, late=late))


def due_between(start: datetime, end: datetime) -> ColumnElement[bool]:
    """That a task is due within a span, its ends included."""
    return and_(tasks.c.due_at >= start, tasks.c.due_at <= end)


def standing(now: datetime) -> ColumnElement[str]:
    """The state of a task by what was counted last, for a statement."""
    return case(
        (tasks.c.withdrawn_at.is_not(None), "withdrawn"),
        (tasks.c.done >= tasks.c.wanted, "met"),
        (tasks.c.due_at < now, "overdue"),
        else_="open",
    )
