"""Messages to webhooks: those that wait, in order for each object, and how those before fared."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, func, or_, select, update

from ledger.schema import webhook_deliveries
from ledger.sql import insert_into, typed, typed_or_none

State = Literal["waiting", "sent", "dead"]


class NewDelivery(msgspec.Struct, frozen=True):
    """A message for one webhook."""

    message_id: str
    event: str
    ref: str
    """What it is about: of one object, messages go out in order."""
    body: bytes


class Delivery(msgspec.Struct, frozen=True):
    """A message and how it fared."""

    id: int
    webhook_id: str
    message_id: str
    event: str
    ref: str
    body: str
    state: State
    tries: int
    created_at: datetime
    first_try_at: datetime | None
    last_try_at: datetime | None
    next_at: datetime | None
    status: int | None
    """What the receiver last answered; None: nothing."""
    answer: str
    """Why it failed, or the beginning of what was answered."""


def message_id(webhook_id: str, position: int) -> str:
    """The id of what a webhook is told of a journal row: the same for every repetition."""
    return "msg_" + hashlib.sha256(f"{webhook_id}#{position}".encode()).hexdigest()[:24]


def enqueue(conn: Connection, webhook_id: str, new: Sequence[NewDelivery], at: datetime) -> None:
    """Let these wait; what waits or went already is left as it is."""
    rows = [
        {
            "webhook_id": webhook_id,
            "message_id": one.message_id,
            "event": one.event,
            "ref": one.ref,
            "body": one.body.decode(),
            "state": "waiting",
            "tries": 0,
            "created_at": at,
            "answer": "",
        }
        for one in new
    ]
    if rows:
        conn.execute(insert_into(conn, webhook_deliveries).on_conflict_do_nothing(), rows)


def waiting(conn: Connection, webhook_id: str) -> int:
    """How many wait."""
    table = webhook_deliveries
    found = select(func.count()).where(table.c.webhook_id == webhook_id, table.c.state == "waiting")
    return conn.scalar(found.select_from(table)) or 0


def due(conn: Connection, webhook_id: str, at: datetime, limit: int) -> list[Delivery]:
    """The first that waits of each object, if it may be tried now; oldest first."""
    table = webhook_deliveries
    first = (
        select(func.min(table.c.id))
        .where(table.c.webhook_id == webhook_id, table.c.state == "waiting")
        .group_by(table.c.ref)
    )
    found = select(table).where(
        table.c.id.in_(first), or_(table.c.next_at.is_(None), table.c.next_at <= at)
    )
    return [typed(row, Delivery) for row in conn.execute(found.order_by(table.c.id).limit(limit))]


def get(conn: Connection, webhook_id: str, key: str) -> Delivery | None:
    """That webhook's message of that id."""
    table = webhook_deliveries
    found = select(table).where(table.c.webhook_id == webhook_id, table.c.message_id == key)
    return typed_or_none(conn.execute(found).one_or_none(), Delivery)


def list_of(
    conn: Connection, webhook_id: str, limit: int, before: int | None = None
) -> list[Delivery]:
    """A webhook's messages, the newest first; `before`: the last id seen."""
    table = webhook_deliveries
    found = select(table).where(table.c.webhook_id == webhook_id)
    if before is not None:
        found = found.where(table.c.id < before)
    rows = conn.execute(found.order_by(table.c.id.desc()).limit(limit))
    return [typed(row, Delivery) for row in rows]


def settle(
    conn: Connection,
    one: Delivery,
    state: State,
    at: datetime,
    *,
    status: int | None,
    answer: str,
    next_at: datetime | None = None,
) -> None:
    """How a try went."""
    found = update(webhook_deliveries).where(webhook_deliveries.c.id == one.id)
    conn.execute(
        found.values(
            state=state,
            tries=one.tries + 1,
            first_try_at=one.first_try_at or at,
            last_try_at=at,
            next_at=next_at,
            status=status,
            answer=answer[:400],
        )
    )


def again(conn: Connection, one: Delivery) -> None:
    """Let it wait once more, under its old id: for the receiver it is the same message."""
    found = update(webhook_deliveries).where(webhook_deliveries.c.id == one.id)
    conn.execute(found.values(state="waiting", first_try_at=None, next_at=None))


def purge(conn: Connection, before: datetime) -> int:
    """Forget what does not wait and was made before then; returns how many."""
    table = webhook_deliveries
    found = delete(table).where(table.c.created_at < before, table.c.state != "waiting")
    return conn.execute(found).rowcount
