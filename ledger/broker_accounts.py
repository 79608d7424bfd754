"""Accounts at the broker: who may sign in, under which hash, with which certificates.

The broker's own files are made of these rows (`gateway/accounts/`), or it asks them itself. A
secret is never kept here, only what proves one.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, update

from ledger.schema import broker_accounts, broker_certificates
from ledger.sql import insert_into, plain, typed, typed_or_none


class Account(msgspec.Struct, frozen=True):
    """One name at the broker. Without region and site it is a service of the city."""

    name: str
    issued_at: datetime
    changed_at: datetime
    changed_by: str
    region: str = ""
    site: str = ""
    agent: str = ""
    """Empty: it speaks for the whole site, which has one agent."""
    salt: str = ""
    password_hash: str = ""
    """Hexadecimal; empty: it has certificates only."""
    revoked_at: datetime | None = None
    reason: str = ""

    @property
    def valid(self) -> bool:
        """Whether it may sign in."""
        return self.revoked_at is None


class IssuedCertificate(msgspec.Struct, frozen=True):
    """A client certificate that was issued for an account."""

    serial: str
    """Hexadecimal, lower case."""
    account: str
    not_before: datetime
    not_after: datetime
    issued_at: datetime
    issued_by: str
    revoked_at: datetime | None = None


def put(conn: Connection, account: Account) -> None:
    """Add an account, or take over all of it but its certificates."""
    row = plain(account)
    added = insert_into(conn, broker_accounts).values(row)
    conn.execute(added.on_conflict_do_update(index_elements=["name"], set_=row))


def get(conn: Connection, name: str, *, lock: bool = False) -> Account | None:
    """The account of that name; with `lock`, nobody else changes it until the end."""
    found = select(broker_accounts).where(broker_accounts.c.name == name)
    row = conn.execute(found.with_for_update() if lock else found).one_or_none()
    return typed_or_none(row, Account)


def list_all(conn: Connection) -> list[Account]:
    """Every account, revoked ones too, by name."""
    found = select(broker_accounts).order_by(broker_accounts.c.name)
    return [typed(row, Account) for row in conn.execute(found)]


def add_certificate(conn: Connection, certificate: IssuedCertificate) -> None:
    """Note a certificate before it leaves the house. Raises LedgerRefused for a taken serial."""
    conn.execute(broker_certificates.insert(), plain(certificate))


def certificates(conn: Connection, account: str | None = None) -> Sequence[IssuedCertificate]:
    """Certificates (of one account), the longest-lived first."""
    found = select(broker_certificates).order_by(
        broker_certificates.c.not_after.desc(), broker_certificates.c.serial
    )
    if account is not None:
        found = found.where(broker_certificates.c.account == account)
    return [typed(row, IssuedCertificate) for row in conn.execute(found)]


def revoke_certificates(conn: Connection, account: str, at: datetime) -> int:
    """Revoke every certificate of an account; returns how many were not revoked yet."""
    valid = (broker_certificates.c.account == account) & broker_certificates.c.revoked_at.is_(None)
    return conn.execute(update(broker_certificates).where(valid).values(revoked_at=at)).rowcount
