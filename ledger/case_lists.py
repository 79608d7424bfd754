"""Reading cases: one with all that happened to it, lists, counts, due, publications."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, tuple_

from contracts.casework import Case, CaseEvent, CaseKind
from contracts.casework_moves import case_of
from ledger.case_types import CaseCount, CaseRow, Publication
from ledger.schema import case_events, case_publications, cases
from ledger.sql import typed, typed_or_none


def get(conn: Connection, case_id: str) -> CaseRow | None:
    """The case of that id."""
    row = conn.execute(select(cases).where(cases.c.case_id == case_id)).one_or_none()
    return typed_or_none(row, CaseRow)


def by_number(conn: Connection, case_number: str) -> CaseRow | None:
    """The case of that number (``440703-2026-0001``)."""
    row = conn.execute(select(cases).where(cases.c.case_number == case_number)).one_or_none()
    return typed_or_none(row, CaseRow)


def events_of(conn: Connection, case_id: str) -> list[CaseEvent]:
    """All that happened to a case, in order."""
    found = select(case_events).where(case_events.c.case_id == case_id)
    return [typed(row, CaseEvent) for row in conn.execute(found.order_by(case_events.c.seq))]


def case(conn: Connection, row: CaseRow) -> Case:
    """A case with all that happened to it, for `casework_moves` and `casework_clocks`."""
    return case_of(row.case_id, row.kind, events_of(conn, row.case_id))


def list_in(
    conn: Connection,
    regions: Sequence[str] | None,
    *,
    states: Sequence[str] | None = None,
    overdue_at: datetime | None = None,
    kind: CaseKind | None = None,
    officer: str = "",
    establishment_id: str | None = None,
    sites: Sequence[str] | None = None,
    limit: int = 50,
    before: str | None = None,
) -> list[CaseRow]:
    """Cases in `regions` (None: anywhere), newest opened first; `before`: the last case_id seen.

    `overdue_at`: only what was due before that moment. `officer`: only what is dispatched to them.
    """
    query = select(cases)
    if regions is not None:
        query = query.where(cases.c.region.in_(regions))
    if sites is not None:
        query = query.where(cases.c.site.in_(sites))
    if states is not None:
        query = query.where(cases.c.state.in_(states))
    if overdue_at is not None:
        query = query.where(cases.c.due_at < overdue_at)
    if kind is not None:
        query = query.where(cases.c.kind == kind.value)
    if officer:
        query = query.where(cases.c.assignee == officer)
    if establishment_id is not None:
        query = query.where(cases.c.establishment_id == establishment_id)
    return _page(conn, query, limit, before)


def counts(conn: Connection, regions: Sequence[str] | None = None) -> list[CaseCount]:
    """Cases in `regions` (None: anywhere) by state and kind; every one, however it ended."""
    query = select(cases.c.state, cases.c.kind, func.count().label("count"))
    if regions is not None:
        query = query.where(cases.c.region.in_(regions))
    query = query.group_by(cases.c.state, cases.c.kind).order_by(cases.c.state, cases.c.kind)
    return [typed(row, CaseCount) for row in conn.execute(query)]


def overdue_count(conn: Connection, at: datetime, regions: Sequence[str] | None = None) -> int:
    """How many cases in `regions` have something overdue at `at`."""
    query = select(func.count()).select_from(cases).where(cases.c.due_at < at)
    if regions is not None:
        query = query.where(cases.c.region.in_(regions))
    return conn.scalar(query) or 0


def unknown_count(conn: Connection) -> int:
    """How many cases have a deadline that nobody can tell for want of a calendar."""
    return conn.scalar(select(func.count()).select_from(cases).where(cases.c.due_unknown)) or 0


def due(
    conn: Connection, at: datetime, limit: int = 100, regions: Sequence[str] | None = None
) -> list[CaseRow]:
    """Cases with something due up to `at`, the longest overdue first."""
    query = select(cases).where(cases.c.due_at <= at)
    if regions is not None:
        query = query.where(cases.c.region.in_(regions))
    rows = conn.execute(query.order_by(cases.c.due_at, cases.c.number).limit(limit))
    return [typed(row, CaseRow) for row in rows]


def publications(
    conn: Connection, establishment_id: str, at: datetime, limit: int = 50
) -> list[Publication]:
    """What the public may read of an establishment at `at`, newest first; nothing else is shown."""
    query = select(case_publications).where(
        case_publications.c.establishment_id == establishment_id,
        case_publications.c.published_at <= at,
        case_publications.c.expires_at > at,
        case_publications.c.ended_at.is_(None),
    )
    order = (case_publications.c.published_at.desc(), case_publications.c.case_id)
    rows = conn.execute(query.order_by(*order).limit(limit))
    return [typed(row, Publication) for row in rows]


def publication(conn: Connection, case_id: str) -> Publication | None:
    """A case's publication, also one that is over."""
    query = select(case_publications).where(case_publications.c.case_id == case_id)
    return typed_or_none(conn.execute(query).one_or_none(), Publication)


def _page(conn: Connection, query: Select[Any], limit: int, before: str | None) -> list[CaseRow]:
    place = (cases.c.opened_at, cases.c.number)
    if before is not None:
        last = conn.execute(select(*place).where(cases.c.case_id == before)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*place) < tuple_(*last))
    query = query.order_by(*(column.desc() for column in place)).limit(limit)
    return [typed(row, CaseRow) for row in conn.execute(query)]
