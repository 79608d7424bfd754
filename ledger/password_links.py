"""One-time links by which somebody sets their own password; only a hash of the token is kept.

An officer has one at most: a new one takes the old one's place. Using it removes it.
"""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, select

from ledger.schema import password_links
from ledger.sql import plain, typed_or_none


class PasswordLink(msgspec.Struct, frozen=True):
    """A link that was made for an officer by another."""

    token_hash: str
    officer_id: str
    made_by: str
    made_at: datetime
    expires_at: datetime


def put(conn: Connection, new: PasswordLink) -> None:
    """Make it the officer's only one."""
    remove_of(conn, new.officer_id)
    conn.execute(password_links.insert(), plain(new))


def find(conn: Connection, token_hash: str, at: datetime) -> PasswordLink | None:
    """The link of that token's hash, if it may still be used at `at`."""
    found = select(password_links).where(
        password_links.c.token_hash == token_hash, password_links.c.expires_at > at
    )
    return typed_or_none(conn.execute(found).one_or_none(), PasswordLink)


def take(conn: Connection, token_hash: str, at: datetime) -> PasswordLink | None:
    """Use it up: of two who use it at the same moment, one gets it."""
    used = delete(password_links).where(
        password_links.c.token_hash == token_hash, password_links.c.expires_at > at
    )
    row = conn.execute(used.returning(*password_links.c)).one_or_none()
    return typed_or_none(row, PasswordLink)


def of_officer(conn: Connection, officer_id: str, at: datetime) -> PasswordLink | None:
    """The officer's link, if there is one that may still be used."""
    found = select(password_links).where(
        password_links.c.officer_id == officer_id, password_links.c.expires_at > at
    )
    return typed_or_none(conn.execute(found).one_or_none(), PasswordLink)


def remove_of(conn: Connection, officer_id: str) -> None:
    """Let no link of the officer's work any more."""
    conn.execute(delete(password_links).where(password_links.c.officer_id == officer_id))
