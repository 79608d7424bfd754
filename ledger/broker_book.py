"""Issuing, renewing and revoking accounts in the ledger, each with its entry in the audit chain."""

import getpass
from collections.abc import Mapping
from datetime import datetime

import msgspec

from contracts.certificates import Certificate
from ledger import audit, broker_accounts, devices
from ledger.broker_accounts import Account, IssuedCertificate
from ledger.broker_names import AccountError, Scope, checked_name, scope_of
from ledger.broker_secrets import Hashed, hashed
from ledger.engine import Connection


def actor() -> str:
    """Whom the audit chain names for what is done on the command line."""
    try:
        return f"console:{getpass.getuser()}"[:128]
    except (KeyError, OSError):
        return "console"


def set_password(
    conn: Connection, name: str, secret: str, at: datetime, *, renew: bool, by: str = ""
) -> None:
    """Give an account a new secret; with `renew` it must have had one. Raises AccountError.

    `by`: the officer who does so; empty: whoever sits at the command line.
    """
    by = by or actor()
    scope = checked_name(name, devices.list_in(conn))
    known = broker_accounts.get(conn, name, lock=True)
    has = known is not None and known.valid and bool(known.password_hash)
    if has and not renew:
        raise AccountError(f"{name}: has a password; `rotate` gives it a new one")
    if renew and not has:
        raise AccountError(f"{name}: has no password yet; `issue` gives it one")
    _put(conn, _renewed(known, name, scope, at, by), hashed(secret), at)
    _note(conn, by, "broker.rotate" if renew else "broker.issue", name, {}, at)


def book_certificate(conn: Connection, name: str, facts: Certificate, at: datetime) -> None:
    """Note a certificate before it is handed out. Raises AccountError."""
    scope = checked_name(name, devices.list_in(conn))
    known = broker_accounts.get(conn, name, lock=True)
    account = _renewed(known, name, scope, at, actor())
    broker_accounts.put(conn, account)
    broker_accounts.add_certificate(
        conn,
        IssuedCertificate(
            facts.serial, name, facts.not_before, facts.not_after, at, account.changed_by
        ),
    )
    detail = {"serial": facts.serial, "until": facts.not_after.isoformat()}
    _note(conn, actor(), "broker.certify", name, detail, at)


def revoke(conn: Connection, name: str, reason: str, at: datetime) -> int:
    """End an account with all its certificates; returns how many. Raises AccountError."""
    scope_of(name)
    known = broker_accounts.get(conn, name, lock=True)
    if known is None or not known.valid:
        raise AccountError(f"{name}: no account of that name is valid")
    broker_accounts.put(
        conn,
        msgspec.structs.replace(
            known,
            salt="",
            password_hash="",
            changed_at=at,
            changed_by=actor(),
            revoked_at=at,
            reason=reason,
        ),
    )
    ended = broker_accounts.revoke_certificates(conn, name, at)
    _note(conn, actor(), "broker.revoke", name, {"reason": reason, "certificates": ended}, at)
    return ended


def _renewed(known: Account | None, name: str, scope: Scope, at: datetime, by: str) -> Account:
    if known is None:
        return Account(name, at, at, by, scope.region, scope.site, scope.agent)
    return msgspec.structs.replace(known, changed_at=at, changed_by=by, revoked_at=None, reason="")


def _put(conn: Connection, account: Account, kept: Hashed, at: datetime) -> None:
    account = msgspec.structs.replace(
        account, salt=kept.salt, password_hash=kept.key, changed_at=at
    )
    broker_accounts.put(conn, account)


def _note(
    conn: Connection, by: str, action: str, name: str, detail: Mapping[str, object], at: datetime
) -> None:
    audit.append(conn, by, action, name, detail, at)
