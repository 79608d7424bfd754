"""Failed sign-ins, kept in the ledger so that all servers share one rate limit."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, func, select

from ledger.schema import login_failures


class Failures(msgspec.Struct, frozen=True):
    """How often it failed lately, and when last."""

    by_login: int
    by_address: int
    last_at: datetime | None


def failed(conn: Connection, login: str, address: str, at: datetime) -> None:
    """Note one failed attempt."""
    row = {"login": _cut(login), "address": _cut(address), "at": at}
    conn.execute(login_failures.insert(), row)


def recent_failures(conn: Connection, login: str, address: str, since: datetime) -> Failures:
    """Failed attempts after `since` under this login, and from this address."""
    lately = select(func.count(), func.max(login_failures.c.at)).where(login_failures.c.at > since)
    logins = conn.execute(lately.where(login_failures.c.login == _cut(login))).one()
    places = conn.execute(lately.where(login_failures.c.address == _cut(address))).one()
    times = [at for at in (logins[1], places[1]) if at is not None]
    return Failures(logins[0], places[0], max(times, default=None))


def clear(conn: Connection, login: str) -> None:
    """Forget a login's failures: it has signed in."""
    conn.execute(delete(login_failures).where(login_failures.c.login == _cut(login)))


def purge(conn: Connection, before: datetime) -> int:
    """Forget attempts older than `before`; returns how many."""
    return conn.execute(delete(login_failures).where(login_failures.c.at < before)).rowcount


def _cut(value: str) -> str:
    return value[:128]
