"""The audit chain: who did what to what; each entry's hash covers the one before it.

hash = SHA-256 of the previous entry's hash and the entry's canonical JSON (sorted keys; without
`region` where it is not known). Whoever has noted the newest hash can later tell whether anything
before it was changed, removed, put in, or moved out of an auditor's sight.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, func, or_, select, text

from ledger.audit_places import region_of
from ledger.schema import audit
from ledger.sql import typed

LOCK_KEY = 0x66730002
"""PostgreSQL advisory lock under which the chain grows."""
GENESIS = "0" * 64


class AuditEntry(msgspec.Struct, frozen=True):
    """One link. `detail` is canonical JSON text."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
    previous_hash: str
    hash: str
    region: str | None = None
    """Where the subject lay, or else the actor; None: nowhere in particular."""


class Verification(msgspec.Struct, frozen=True):
    """What following the chain has shown."""

    entries: int
    """How many entries hold."""
    head: str
    """Hash of the newest entry that holds."""
    broken_id: int | None = None
    reason: str = ""


def append(
    conn: Connection,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    at: datetime,
) -> str:
    """Add an entry; returns its hash. Others who append wait until this transaction ends."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
    newest = select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)
    last = conn.execute(newest).one_or_none()
    entry = AuditEntry(
        id=last.id + 1 if last else 1,
        at=at.astimezone(UTC),
        actor=actor,
        action=action,
        subject=subject,
        detail=msgspec.json.encode(dict(detail), order="sorted").decode(),
        previous_hash=last.hash if last else GENESIS,
        hash="",
        region=region_of(conn, actor, subject),
    )
    digest = _hash(entry)
    conn.execute(audit.insert(), msgspec.structs.asdict(entry) | {"hash": digest})
    return digest


class Filter(msgspec.Struct, frozen=True):
    """Which entries are wanted; what is empty or None asks for nothing."""

    regions: Collection[str] | None = None
    """Only what lay in these; None: everywhere."""
    nowhere: bool = False
    """With `regions`: also what lay nowhere in particular."""
    actor: str = ""
    action: str = ""
    subject: str = ""
    """How the subject begins, e.g. ``alert/``."""
    since: datetime | None = None
    until: datetime | None = None


def entries(
    conn: Connection, limit: int = 100, before: int | None = None, wanted: Filter | None = None
) -> list[AuditEntry]:
    """Newest first; `before` is the id of the last one already seen."""
    found = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        found = found.where(audit.c.id < before)
    if wanted is not None:
        found = found.where(*_conditions(wanted))
    return [typed(row, AuditEntry) for row in conn.execute(found)]


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    if wanted.regions is not None:
        within = audit.c.region.in_(sorted(wanted.regions))
        yield or_(within, audit.c.region.is_(None)) if wanted.nowhere else within
    if wanted.actor:
        yield audit.c.actor == wanted.actor
    if wanted.action:
        yield audit.c.action == wanted.action
    if wanted.subject:
        yield audit.c.subject.startswith(wanted.subject, autoescape=True)
    if wanted.since is not None:
        yield audit.c.at >= wanted.since
    if wanted.until is not None:
        yield audit.c.at < wanted.until


def actions(conn: Connection) -> list[str]:
    """Every kind of action there is, sorted."""
    # One look into the index a kind: the kinds are few, the entries are many.
    found: list[str] = []
    last = ""
    while (
        action := conn.scalar(select(func.min(audit.c.action)).where(audit.c.action > last))
    ) is not None:
        found.append(action)
        last = action
    return found


def verify(conn: Connection) -> Verification:
    """Follow the whole chain from its beginning; stops at the first link that does not hold."""
    head, count = GENESIS, 0
    while part := _part(conn, count):
        for entry in part:
            if entry.id != count + 1:
                return Verification(count, head, entry.id, f"entry {count + 1} is missing")
            if entry.previous_hash != head:
                return Verification(count, head, entry.id, "does not follow the entry before it")
            if entry.hash != _hash(entry):
                return Verification(count, head, entry.id, "content does not have its hash")
            head, count = entry.hash, count + 1
    return Verification(count, head)


def _part(conn: Connection, after: int) -> list[AuditEntry]:
    found = select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(1000)
    return [typed(row, AuditEntry) for row in conn.execute(found)]


def _hash(entry: AuditEntry) -> str:
    covered: dict[str, Any] = {
        "id": entry.id,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
    }
    if entry.region is not None:
        covered["region"] = entry.region
    body = msgspec.json.encode(covered, order="sorted")
    return hashlib.sha256(entry.previous_hash.encode() + body).hexdigest()
