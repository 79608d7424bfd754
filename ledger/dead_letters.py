"""Dead letters: messages that could not be read, with bytes and reason, to replay later."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select, update

from ledger.schema import dead_letters
from ledger.sql import typed, typed_or_none


class DeadLetter(msgspec.Struct, frozen=True):
    """One message as it came. `replayed_at` is set once it was taken in after a fix."""

    id: int
    topic: str
    payload: bytes
    reason: str
    at: datetime
    replayed_at: datetime | None = None


def add(conn: Connection, topic: str, payload: bytes, reason: str, at: datetime) -> int:
    """Keep a message; returns its id."""
    row = {"topic": topic, "payload": payload, "reason": reason, "at": at}
    key = conn.execute(dead_letters.insert(), row).inserted_primary_key
    return int(key[0]) if key else 0


def list(
    conn: Connection, limit: int = 100, before: int | None = None, *, waiting_only: bool = False
) -> Sequence[DeadLetter]:
    """Newest first; `before` is the id of the last one already seen."""
    found = select(dead_letters).order_by(dead_letters.c.id.desc()).limit(limit)
    if before is not None:
        found = found.where(dead_letters.c.id < before)
    if waiting_only:
        found = found.where(dead_letters.c.replayed_at.is_(None))
    return [typed(row, DeadLetter) for row in conn.execute(found)]


def get(conn: Connection, letter_id: int) -> DeadLetter | None:
    """The letter of that id."""
    row = conn.execute(select(dead_letters).where(dead_letters.c.id == letter_id)).one_or_none()
    return typed_or_none(row, DeadLetter)


def mark_replayed(conn: Connection, letter_id: int, at: datetime) -> None:
    """Note that it was taken in at last."""
    changed = update(dead_letters).where(dead_letters.c.id == letter_id)
    conn.execute(changed.values(replayed_at=at))


def count_waiting(conn: Connection) -> int:
    """How many have not been replayed."""
    waiting = select(func.count()).where(dead_letters.c.replayed_at.is_(None))
    return conn.scalar(waiting.select_from(dead_letters)) or 0
