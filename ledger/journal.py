"""The journal: one row for every change that others follow (console, retained alerts).

Ids grow, and become visible in their order: a reader that has seen id n will never meet a smaller
one later. Rows are written when their transaction commits (see `journal_buffer`).
"""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select

from ledger.journal_buffer import flush, hold
from ledger.schema import journal
from ledger.sql import typed

ALERT_RAISED = "alert.raised"
ALERT_ACKNOWLEDGED = "alert.acknowledged"
ALERT_DISPOSING = "alert.disposing"
ALERT_REVIEWED = "alert.reviewed"
ALERT_RETURNED = "alert.returned"
ALERT_PAUSED = "alert.paused"
ALERT_RESUMED = "alert.resumed"
ALERT_ESCALATED = "alert.escalated"
ALERT_DUE = "alert.due"
"""Its next deadline was set: of interest to whoever shows it, no news to anybody else."""
ALERT_RESOLVED = "alert.resolved"
ALERT_CLOSED = "alert.closed"
ALERT_JUDGED = "alert.judged"
ALERT_ANSWERED = "alert.answered"
CARD = "card.given"
CARD_ANNULLED = "card.annulled"
CASE = "case"
"""A case was opened or moved: its row, with the move as `event`."""
RESULT = "result"
SAMPLE = "sample"
"""A room told something new of one; its body has number and tasks."""
TASK = "task"
"""One was given or withdrawn."""
STALL = "stall"
"""Stalls of a site were registered, changed, closed or opened again."""
OBSERVATION = "observation"
DEVICE = "device"
LOOK = "look"
"""A look at a camera was sent, or answered."""
SILENCE = "silence"


class JournalRow(msgspec.Struct, frozen=True):
    """One change. `ref` is the id of what changed: alert id, result id, observation id, source."""

    id: int
    at: datetime
    kind: str
    region: str
    site: str
    ref: str
    body: dict[str, Any]


def append(
    conn: Connection,
    kind: str,
    *,
    at: datetime,
    region: str,
    site: str,
    ref: str,
    body: dict[str, Any],
) -> None:
    """Note a change; it becomes visible with the transaction's commit."""
    row = {"kind": kind, "at": at, "region": region, "site": site, "ref": ref, "body": body}
    hold(conn, row)


def after(conn: Connection, cursor: int, limit: int = 500) -> list[JournalRow]:
    """Rows with an id greater than `cursor`, in order."""
    flush(conn)
    found = select(journal).where(journal.c.id > cursor).order_by(journal.c.id).limit(limit)
    return [typed(row, JournalRow) for row in conn.execute(found)]


class Told(msgspec.Struct, frozen=True):
    """A row without its body: where something was tested or asked."""

    id: int
    kind: str
    site: str


def told_after(conn: Connection, cursor: int, limit: int) -> list[Told]:
    """Rows after `cursor` in order, for who needs no more than kind and place."""
    flush(conn)
    columns = (journal.c.id, journal.c.kind, journal.c.site)
    asked: Select[Any] = select(*columns).where(journal.c.id > cursor)
    return [typed(row, Told) for row in conn.execute(asked.order_by(journal.c.id).limit(limit))]


def last_id(conn: Connection) -> int:
    """The newest id; 0 if nothing was ever noted."""
    flush(conn)
    return conn.scalar(select(func.max(journal.c.id))) or 0
