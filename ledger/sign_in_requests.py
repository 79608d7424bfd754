"""Sign-ins on their way to an identity provider: kept until they come back, once, or run out."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete

from ledger.schema import sign_in_requests
from ledger.sql import plain, typed_or_none


class SignInRequest(msgspec.Struct, frozen=True):
    """One of them; of its state only a hash is kept."""

    state_hash: str
    nonce: str
    verifier: str
    target: str
    """The page that was asked for."""
    expires_at: datetime


def put(conn: Connection, new: SignInRequest, at: datetime) -> None:
    """Keep it; forget those that have run out at `at`."""
    conn.execute(delete(sign_in_requests).where(sign_in_requests.c.expires_at <= at))
    conn.execute(sign_in_requests.insert(), plain(new))


def take(conn: Connection, state_hash: str, at: datetime) -> SignInRequest | None:
    """Use it up; None if there is none, or it was used, or has run out."""
    used = delete(sign_in_requests).where(
        sign_in_requests.c.state_hash == state_hash, sign_in_requests.c.expires_at > at
    )
    row = conn.execute(used.returning(*sign_in_requests.c)).one_or_none()
    return typed_or_none(row, SignInRequest)
