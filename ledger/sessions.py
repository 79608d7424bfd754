"""Signed-in sessions. Only a hash of the token is kept: to read it is not to take it over."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, select, update

from ledger.schema import sessions
from ledger.sql import plain, typed_or_none


class Session(msgspec.Struct, frozen=True):
    """One sign-in of an officer."""

    token_hash: str
    officer_id: str
    csrf: str
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime


def add(conn: Connection, new: Session) -> None:
    """Begin a session."""
    conn.execute(sessions.insert(), plain(new))


def get(conn: Connection, token_hash: str, at: datetime) -> Session | None:
    """The session of that token's hash, unless it has expired at `at`."""
    found = select(sessions).where(sessions.c.token_hash == token_hash, sessions.c.expires_at > at)
    return typed_or_none(conn.execute(found).one_or_none(), Session)


def touch(conn: Connection, token_hash: str, at: datetime) -> None:
    """Note that it was used."""
    used = update(sessions).where(sessions.c.token_hash == token_hash)
    conn.execute(used.values(last_seen_at=at))


def remove(conn: Connection, token_hash: str) -> None:
    """End a session."""
    conn.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def remove_of(conn: Connection, officer_id: str) -> int:
    """End all of an officer's sessions; returns how many there were."""
    return conn.execute(delete(sessions).where(sessions.c.officer_id == officer_id)).rowcount


def purge(conn: Connection, at: datetime) -> int:
    """Forget those that have expired; returns how many."""
    return conn.execute(delete(sessions).where(sessions.c.expires_at <= at)).rowcount
