"""How a step of a case is written: row, event, publication, alerts, audit entry and journal."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from contracts.casework import CLOCK, Case, CaseEvent, Reason
from contracts.casework_clocks import Casework, clocks, next_due
from contracts.casework_data import Move
from contracts.casework_moves import after, paused_since
from contracts.casework_reminders import first_reminder
from ledger import audit, case_alert_steps, journal
from ledger.case_lists import case
from ledger.case_proof import ACTION, digest_of
from ledger.case_publications import keep_publication
from ledger.case_types import CaseRefused, CaseRow
from ledger.schema import case_events, cases
from ledger.sql import typed


def locked(conn: Connection, case_id: str) -> tuple[CaseRow, Case]:
    """A case, held until the commit. Raises CaseRefused."""
    found = select(cases).where(cases.c.case_id == case_id).with_for_update()
    row = conn.execute(found).one_or_none()
    if row is None:
        raise CaseRefused(Reason("no_case"))
    standing = typed(row, CaseRow)
    return standing, case(conn, standing)


def book(
    conn: Connection, work: Casework, row: CaseRow, before: Case, made: Move, event: CaseEvent
) -> CaseRow:
    """Write what a move made. The row is held by `locked`."""
    whole = after(before, event)
    ends = made.alert == "close" or work.rules.states[event.state].end
    changed = update(cases).where(cases.c.case_id == row.case_id, cases.c.version == before.version)
    values: dict[str, Any] = {
        "state": event.state,
        "finding": event.finding.value,
        "outcome": whole.outcome,
        "changed_at": event.at,
        "closed_at": row.closed_at or (event.at if ends else None),
        "reopened": row.reopened + made.reopens,
        "reopened_at": event.at if made.reopens else None if ends else row.reopened_at,
        "version": whole.version,
        "assignee": whole.assignee,
        "rules_version": event.rules_version,
        **shown(work, whole, event.at),
    }
    now = typed(conn.execute(changed.values(values).returning(*cases.c)).one(), CaseRow)
    keep_publication(conn, work, now, whole, made, event)
    case_alert_steps.carry(conn, now, made, event)
    note_event(conn, now, event)
    return now


def shown(work: Casework, whole: Case, at: datetime) -> dict[str, Any]:
    """The part of a case's clocks that lists go by."""
    faces = clocks(work, whole, at)
    next_ = next_due(faces)
    unknown = [
        face
        for face in faces
        if face.state == "unknown" and face.clock.role == "duty" and face.ended_at is None
    ]
    return {
        "paused_since": paused_since(work.rules, whole),
        "due_at": next_.due_at if next_ else None,
        "due_clock": next_.clock.id if next_ else unknown[0].clock.id if unknown else "",
        "due_unknown": bool(unknown),
        "remind_at": first_reminder(faces, at),
    }


def note_event(conn: Connection, row: CaseRow, event: CaseEvent) -> None:
    """Keep the event, chain it into the audit, and tell those who follow the journal.

    Last in a transaction: whoever appends to the audit chain makes all others wait.
    """
    digest = digest_of(row.case_id, event)
    content = msgspec.to_builtins(event) | {"case_id": row.case_id, "digest": digest}
    content |= {"at": event.at, "counts_at": event.counts_at}
    conn.execute(case_events.insert(), content)
    detail = {
        "number": row.case_number,
        "move": event.move,
        "version": event.seq,
        "digest": digest,
    }
    audit.append(conn, event.actor or CLOCK, ACTION, f"case/{row.case_id}", detail, event.at)
    journal.append(
        conn,
        journal.CASE,
        at=event.at,
        region=row.region,
        site=row.site,
        ref=row.case_id,
        body=msgspec.to_builtins(row) | {"event": event.move},
    )
