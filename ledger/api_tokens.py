"""Tokens by which other city systems ask. Only a hash is kept: to read it is not to have the token.

A token stands for the officer who made it, with fewer rights: some scopes, a part of the region.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, select, update

from ledger.ids import new_id
from ledger.schema import api_tokens
from ledger.sql import plain, typed, typed_or_none

USED_EVERY = timedelta(minutes=10)
"""A token's last use is noted at most this often."""


class ApiToken(msgspec.Struct, frozen=True):
    """One token. It holds no secret."""

    token_hash: str
    shown: str
    """The beginning of the token, by which people tell it."""
    name: str
    scopes: tuple[str, ...]
    region: str
    """It reaches this and all below, as far as its maker does."""
    officer_id: str
    created_at: datetime
    expires_at: datetime
    id: str = msgspec.field(default_factory=new_id)
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    def usable(self, at: datetime) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and at < self.expires_at


def add(conn: Connection, new: ApiToken) -> None:
    """Add one."""
    conn.execute(api_tokens.insert(), plain(new) | {"scopes": list(new.scopes)})


def get(conn: Connection, token_id: str) -> ApiToken | None:
    """The token of that id."""
    found = select(api_tokens).where(api_tokens.c.id == token_id)
    return typed_or_none(conn.execute(found).one_or_none(), ApiToken)


def by_hash(conn: Connection, token_hash: str) -> ApiToken | None:
    """The token of that hash, usable or not."""
    found = select(api_tokens).where(api_tokens.c.token_hash == token_hash)
    return typed_or_none(conn.execute(found).one_or_none(), ApiToken)


def list_in(conn: Connection, regions: Sequence[str]) -> list[ApiToken]:
    """The tokens over `regions`, those that are gone too, the newest first."""
    found = select(api_tokens).where(api_tokens.c.region.in_(regions))
    rows = conn.execute(found.order_by(api_tokens.c.created_at.desc(), api_tokens.c.id))
    return [typed(row, ApiToken) for row in rows]


def used(conn: Connection, token: ApiToken, at: datetime) -> None:
    """Note that it was used."""
    conn.execute(update(api_tokens).where(api_tokens.c.id == token.id).values(last_used_at=at))


def revoke(conn: Connection, token_id: str, by: str, at: datetime) -> bool:
    """End it for good; False if there is none, or it was revoked before."""
    found = update(api_tokens).where(api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None))
    return conn.execute(found.values(revoked_at=at, revoked_by=by)).rowcount > 0
