"""Who was told of what in a case: once each, whatever is restarted and however many gateways run.

A telling is kept in the transaction that makes the message of it. `what` names it within the case:
a step, a question to a second officer, a stage of a duty.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select, update

from ledger.case_types import CaseRow
from ledger.journal import CASE
from ledger.schema import case_tellings, cases, journal
from ledger.sql import insert_into, typed


class Telling(msgspec.Struct, frozen=True):
    """Somebody is told something of a case."""

    case_id: str
    what: str
    recipient: str
    """Officer id."""
    at: datetime


class CaseChange(msgspec.Struct, frozen=True):
    """A row of the journal about a case."""

    id: int
    case_id: str
    version: int
    event: str
    """The move, or what was asked of a second officer."""
    at: datetime


def keep(conn: Connection, tellings: Iterable[Telling]) -> list[Telling]:
    """Keep them; returns those that are new."""
    new = []
    for one in tellings:
        put = insert_into(conn, case_tellings).values(msgspec.structs.asdict(one))
        if conn.execute(put.on_conflict_do_nothing()).rowcount:
            new.append(one)
    return new


def of_case(conn: Connection, case_id: str) -> list[Telling]:
    """Who was told what of a case, the newest first."""
    found = select(case_tellings).where(case_tellings.c.case_id == case_id)
    ordered = found.order_by(case_tellings.c.at.desc(), case_tellings.c.what)
    return [typed(row, Telling) for row in conn.execute(ordered)]


def changes(conn: Connection, after: int, limit: int) -> tuple[list[CaseChange], int]:
    """What happened to cases after that journal id, in order, and how far that reaches."""
    newest = conn.scalar(select(func.max(journal.c.id))) or 0
    found = (
        select(journal)
        .where(journal.c.id > after, journal.c.id <= newest, journal.c.kind == CASE)
        .order_by(journal.c.id)
        .limit(limit)
    )
    rows = [
        CaseChange(row.id, row.ref, row.body["version"], row.body["event"], row.at)
        for row in conn.execute(found)
    ]
    return rows, rows[-1].id if len(rows) == limit else max(newest, after)


def anything(conn: Connection, after: int, at: datetime) -> bool:
    """Whether there is news of cases, or a reminder is due."""
    newest = conn.scalar(select(func.max(journal.c.id))) or 0
    return newest > after or bool(conn.scalar(_due(at).with_only_columns(cases.c.number).limit(1)))


def take_due(conn: Connection, at: datetime, limit: int) -> Sequence[CaseRow]:
    """Cases in which a reminder is due, the longest first; locked until the commit."""
    held = _due(at).order_by(cases.c.remind_at, cases.c.number).limit(limit)
    found = conn.execute(held.with_for_update(skip_locked=True))
    return [typed(row, CaseRow) for row in found]


def remind_next(conn: Connection, case_id: str, at: datetime | None) -> None:
    """When somebody is to be reminded next."""
    conn.execute(update(cases).where(cases.c.case_id == case_id).values(remind_at=at))


def _due(at: datetime) -> Select[Any]:
    return select(cases).where(cases.c.remind_at <= at)
