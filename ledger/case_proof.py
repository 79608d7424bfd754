"""Proof that no step of a case was changed, removed or put in: events against the audit chain.

Each event's digest stands in the audit entry that was written with it, and each audit entry's hash
covers the one before. Whoever changes an event would have to change the whole chain after it.
"""

import hashlib
from datetime import UTC

import msgspec
from sqlalchemy import Connection, select

from contracts.casework import CaseEvent
from ledger.schema import audit, case_events
from ledger.sql import typed

ACTION = "case_moved"


class CaseFault(msgspec.Struct, frozen=True):
    """A step that does not hold."""

    case_id: str
    version: int
    what: str
    """``changed``, ``missing`` (in the audit chain, and not here) or ``unproven`` (the reverse)."""


def digest_of(case_id: str, event: CaseEvent) -> str:
    """SHA-256 of the event's canonical JSON, with its case."""
    content = msgspec.to_builtins(event) | {
        "case_id": case_id,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "counts_at": event.counts_at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def verify(conn: Connection) -> tuple[int, list[CaseFault]]:
    """How many steps there are, and which do not hold. The chain itself: `audit.verify`."""
    proven: dict[tuple[str, int], str] = {}
    entries = select(audit.c.subject, audit.c.detail).where(audit.c.action == ACTION)
    for entry in conn.execute(entries.order_by(audit.c.id)):
        detail = msgspec.json.decode(entry.detail)
        proven[entry.subject.removeprefix("case/"), detail["version"]] = detail["digest"]
    faults, count = [], 0
    rows = conn.execute(select(case_events).order_by(case_events.c.id))
    for row in rows:
        count += 1
        noted = proven.pop((row.case_id, row.seq), None)
        if noted is None:
            faults.append(CaseFault(row.case_id, row.seq, "unproven"))
        elif digest_of(row.case_id, typed(row, CaseEvent)) != noted:
            faults.append(CaseFault(row.case_id, row.seq, "changed"))
    faults += [CaseFault(case_id, version, "missing") for case_id, version in sorted(proven)]
    return count, faults
