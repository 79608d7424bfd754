"""Signed-in sessions. Only a hash of the token is kept: to read it is not to take it over."""

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from ledger.schema import sessions
from ledger.sql import plain, typed, typed_or_none

NAME_LENGTH = 16


class Session(msgspec.Struct, frozen=True):
    """One sign-in of an officer."""

    token_hash: str
    officer_id: str
    csrf: str
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime
    address: str | None = None
    """Where it was begun from."""
    browser: str | None = None
    """What tells its owner which one it is: "Chrome, Android"."""
    way: Literal["password", "oidc"] = "password"

    @property
    def name(self) -> str:
        """What the session is called where its owner looks at it; no secret."""
        return self.token_hash[:NAME_LENGTH]


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


def of_officer(conn: Connection, officer_id: str, at: datetime) -> list[Session]:
    """An officer's sessions that have not expired at `at`, the last used first."""
    found = select(sessions).where(sessions.c.officer_id == officer_id, sessions.c.expires_at > at)
    rows = conn.execute(found.order_by(sessions.c.last_seen_at.desc(), sessions.c.token_hash))
    return [typed(row, Session) for row in rows]


def remove_named(conn: Connection, officer_id: str, name: str) -> bool:
    """End the officer's session of that name; False if there is none."""
    ended = delete(sessions).where(
        sessions.c.officer_id == officer_id,
        func.substr(sessions.c.token_hash, 1, NAME_LENGTH) == name,
    )
    return conn.execute(ended).rowcount > 0


def remove_others(conn: Connection, officer_id: str, kept: str) -> int:
    """End all of an officer's sessions but the one with that token hash; returns how many."""
    ended = delete(sessions).where(
        sessions.c.officer_id == officer_id, sessions.c.token_hash != kept
    )
    return conn.execute(ended).rowcount


def remove_of(conn: Connection, officer_id: str) -> int:
    """End all of an officer's sessions; returns how many there were."""
    return conn.execute(delete(sessions).where(sessions.c.officer_id == officer_id)).rowcount


def purge(conn: Connection, at: datetime) -> int:
    """Forget those that have expired; returns how many."""
    return conn.execute(delete(sessions).where(sessions.c.expires_at <= at)).rowcount
