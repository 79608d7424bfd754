"""Cases 处置单: opened from an alert or a result, moved by officers, closed, published.

The door to all of it. A move is what `casework_moves.apply` makes of the case as it stands, in one
transaction: the event, the row, the publication, the alerts, the audit entry and the journal. The
mover says which version they saw, so that of two at once one wins and the other is told. Nothing is
ever removed: the database itself refuses.
"""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, update

from contracts.casework import CLOCK, CaseEvent, FileRef, Given, Mover, Reason, Refusal
from contracts.casework_clocks import Casework
from contracts.casework_moves import Offer, apply, moves
from ledger import attachments
from ledger.bulk import to_json
from ledger.case_book import book, locked, shown
from ledger.case_links import alerts_of, holding_alert, of_alert, of_alerts, results_of
from ledger.case_lists import (
    by_number,
    case,
    counts,
    due,
    events_of,
    get,
    list_in,
    overdue_count,
    publication,
    publications,
    unknown_count,
)
from ledger.case_opening import open_from_alert, open_from_result
from ledger.case_people import check_mover, check_named
from ledger.case_publications import waiting_to_expire
from ledger.case_types import (
    CaseCount,
    CaseRefused,
    CaseRow,
    FilesOf,
    Publication,
    StoredFile,
)
from ledger.ids import new_id
from ledger.officers import Officer
from ledger.schema import cases

__all__ = [
    "CaseCount",
    "CaseRefused",
    "CaseRow",
    "Publication",
    "StoredFile",
    "alerts_of",
    "by_number",
    "case",
    "counts",
    "due",
    "events_of",
    "expire_due",
    "get",
    "holding_alert",
    "list_in",
    "move",
    "of_alert",
    "of_alerts",
    "offers",
    "open_from_alert",
    "open_from_result",
    "overdue_count",
    "publication",
    "publications",
    "results_of",
    "rewind_unknown",
    "unknown_count",
    "waiting_to_expire",
]


KEY_LENGTH = 64


def offers(
    conn: Connection, work: Casework, row: CaseRow, officer: Officer, at: datetime
) -> tuple[Offer, ...]:
    """The moves of a case for an officer: what each needs, or why it cannot be made."""
    whole = case(conn, row)
    # As `move` does: the clocks of two servers may differ a little.
    return moves(work, whole, Mover(officer.id, officer.role.value), max(at, whole.events[-1].at))


def move(
    conn: Connection,
    work: Casework,
    case_id: str,
    move_id: str,
    given: Given,
    officer: Officer,
    at: datetime,
    *,
    version: int,
    key: str = "",
    files_of: FilesOf = attachments.of_case,
) -> CaseRow:
    """Move a case that the officer saw at `version`; returns it as it is afterwards.

    `key`: the request's own id (up to 64 characters): sent again, it changes nothing. `given.files`
    need ids only. Raises CaseRefused that says all that is missing; `.changed` if somebody else
    was first.
    """
    if len(key) > KEY_LENGTH:
        raise ValueError(f"key: longer than {KEY_LENGTH} characters")
    row, whole = locked(conn, case_id)
    check_mover(conn, officer, row.region, row.establishment_id)
    if key and any(one.event_id == key and one.move == move_id for one in whole.events):
        return row
    if version != row.version:
        raise CaseRefused(Reason("changed", {"seen": str(version), "version": str(row.version)}))
    # As it will be read again: the proof covers what is kept.
    given = msgspec.json.decode(to_json(given), type=Given)
    given = _with_files(conn, case_id, given, files_of)
    check_named(conn, work.rules, move_id, given, row.region)
    at = max(at, whole.events[-1].at)
    by = Mover(officer.id, officer.role.value)
    event = apply(work, whole, move_id, given, by, at, key or new_id())
    if isinstance(event, Refusal):
        raise CaseRefused(*event.reasons)
    return book(conn, work, row, whole, work.rules.moves[move_id], event)


def expire_due(conn: Connection, work: Casework, at: datetime, limit: int = 100) -> list[str]:
    """Book publications whose time is over at `at`; returns the ids of their cases.

    The public has not seen them since that moment, whether or not anybody books it.
    """
    made = []
    for case_id in waiting_to_expire(conn, at, limit):
        row, whole = locked(conn, case_id)
        for one in work.rules.moves.values():
            if CLOCK in one.by:
                event = apply(work, whole, one.id, Given(), Mover("", CLOCK), at, new_id())
                if isinstance(event, CaseEvent):
                    book(conn, work, row, whole, one, event)
                    made.append(case_id)
                    break
    return made


def rewind_unknown(conn: Connection, work: Casework, at: datetime, limit: int = 100) -> int:
    """Set deadlines that waited for a calendar; returns how many can be told now."""
    found = select(cases.c.case_id).where(cases.c.due_unknown).order_by(cases.c.number)
    told = 0
    for case_id in list(conn.scalars(found.limit(limit))):
        _, whole = locked(conn, case_id)
        standing = shown(work, whole, at)
        told += not standing["due_unknown"]
        conn.execute(update(cases).where(cases.c.case_id == case_id).values(standing))
    return told


def _with_files(conn: Connection, case_id: str, given: Given, files_of: FilesOf) -> Given:
    if not given.files:
        return given
    known = {file.id: file for file in files_of(conn, case_id)}
    unknown = sorted({file.id for file in given.files} - set(known))
    if unknown:
        raise CaseRefused(Reason("unknown_file", {"ids": ", ".join(unknown)[:200]}))
    wanted = dict.fromkeys(file.id for file in given.files)
    files = tuple(FileRef(one, known[one].kind, known[one].sha256) for one in wanted)
    return msgspec.structs.replace(given, files=files)
