"""The list of cases that officers work from: what is due soonest first, page by page, with counts.

What owes nothing at present (held up by an appeal, or done) comes after it, the newest first.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from ledger.case_types import CaseRow
from ledger.schema import cases
from ledger.sql import typed

Place = tuple[datetime | None, int]
"""When a case is due, and its number: the list goes by them."""


class Wanted(msgspec.Struct, frozen=True):
    """Which cases are meant; what is left empty leaves nothing out."""

    regions: Sequence[str]
    states: Sequence[str] = ()
    kind: str = ""
    assignee: str = ""
    establishment_id: str | None = None
    overdue_at: datetime | None = None
    """Only what was due before then."""


class Tally(msgspec.Struct, frozen=True):
    """How many cases in one state, how many of them overdue, how many somebody's own."""

    state: str
    count: int
    overdue: int
    mine: int


def find(conn: Connection, wanted: Wanted, limit: int, after: Place | None = None) -> list[CaseRow]:
    """Cases in the order of the list; `after`: the `place` of the last one seen."""
    query = _meant(select(cases), wanted)
    if after is not None:
        due_at, number = after
        later_none = and_(cases.c.due_at.is_(None), cases.c.number < number)
        if due_at is None:
            query = query.where(later_none)
        else:
            tied = and_(cases.c.due_at == due_at, cases.c.number < number)
            query = query.where(or_(cases.c.due_at > due_at, tied, cases.c.due_at.is_(None)))
    order = (cases.c.due_at.is_(None), cases.c.due_at, cases.c.number.desc())
    return [typed(row, CaseRow) for row in conn.execute(query.order_by(*order).limit(limit))]


def place(row: CaseRow) -> Place:
    """Where a case stands in the list."""
    return row.due_at, row.number


def tally(conn: Connection, wanted: Wanted, at: datetime, officer: str) -> list[Tally]:
    """Counts by state, whatever states `wanted` names."""
    late = case((cases.c.due_at < at, 1), else_=0)
    own = case((cases.c.assignee == officer, 1), else_=0)
    query = select(
        cases.c.state,
        func.count().label("count"),
        func.sum(late).label("overdue"),
        func.sum(own).label("mine"),
    )
    query = _meant(query, msgspec.structs.replace(wanted, states=())).group_by(cases.c.state)
    return [typed(row, Tally) for row in conn.execute(query)]


def _meant(query: Select[Any], wanted: Wanted) -> Select[Any]:
    where: list[ColumnElement[bool]] = [cases.c.region.in_(wanted.regions)]
    if wanted.states:
        where.append(cases.c.state.in_(wanted.states))
    if wanted.kind:
        where.append(cases.c.kind == wanted.kind)
    if wanted.assignee:
        where.append(cases.c.assignee == wanted.assignee)
    if wanted.establishment_id is not None:
        where.append(cases.c.establishment_id == wanted.establishment_id)
    if wanted.overdue_at is not None:
        where.append(cases.c.due_at < wanted.overdue_at)
    return query.where(*where)
