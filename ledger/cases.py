"""Cases 处置单: opened from an alert or a result, moved by officers, closed, published.

The door to all of it. A move is what `casework_moves.apply` makes of the case as it stands, in one
transaction: the event, the row, the publication, the alerts, the audit entry and the journal. The
mover says which version they saw, so that of two at once one wins and the other is told. Nothing is
ever removed: the database itself refuses.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from contracts.casework import (
    CLOCK,
    Case,
    CaseEvent,
    CaseKind,
    FileRef,
    Given,
    Mover,
    Reason,
    Refusal,
)
from contracts.casework_clocks import Casework, clocks, next_due
from contracts.casework_data import Move
from contracts.casework_moves import Offer, after, apply, case_of, moves, opened, paused_since
from contracts.topics import Identity
from contracts.words import AlertState
from contracts.workdays import china_day
from ledger import alert_life, alerts, audit, case_alert_steps, case_links, journal, results
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
)
from ledger.case_people import check_mover, check_named
from ledger.case_proof import digest_of
from ledger.case_publications import keep_publication, waiting_to_expire
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
from ledger.regions import ancestors
from ledger.schema import alert_timeline, case_events, case_numbers, cases
from ledger.schema import results as result_table
from ledger.sql import insert_into, typed

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
]


def open_from_alert(
    conn: Connection,
    work: Casework,
    alert_id: str,
    officer: Officer,
    at: datetime,
    *,
    kind: CaseKind | None = None,
    note: str = "",
) -> tuple[CaseRow, bool]:
    """Open a case from an alert, which is acknowledged by it; False: it is in one already.

    `kind` None: of a quick test (of farm produce, whose rights reach furthest) if the alert rests
    on a result, else of a scene. Raises CaseRefused if there is no such alert, if it is closed, or
    if the officer may not act there.
    """
    try:
        # Locked, so that of two who open at once one does, and the other finds it opened.
        alert = alert_life.standing(conn, alert_id, lock=True)
    except alerts.AlertConflict:
        raise CaseRefused(Reason("no_alert")) from None
    check_mover(conn, officer, alert.region, alert.establishment_id)
    found = case_links.holding_alert(conn, alert_id)
    if found is None and alert.result_id is not None:
        _lock_result(conn, alert.result_id)
        found = case_links.holding_result(conn, alert.result_id)
        if found is not None and alert_id in case_links.alert_ids_of(conn, found.case_id):
            found = None  # that case is closed, and the alert has fired again since
        elif found is not None:
            case_links.add(conn, found.case_id, alerts=[alert_id])
    if found is not None:
        return found, False
    if alert.state is AlertState.CLOSED:
        raise CaseRefused(Reason("alert_closed"))
    told = select(alert_timeline.c.at).where(alert_timeline.c.alert_id == alert_id)
    known_at = conn.scalar(told.order_by(alert_timeline.c.id).limit(1)) or alert.raised_at
    known_at = min(known_at, at)
    result = results.get(conn, alert.result_id) if alert.result_id else None
    row = _open(
        conn,
        work,
        officer,
        at,
        kind=kind or (CaseKind.SCENE if alert.result_id is None else CaseKind.PRODUCE_TEST),
        who=Identity(alert.region, alert.site, alert.device),
        establishment_id=alert.establishment_id,
        severity=int(alert.severity),
        titles=(alert.title_zh, alert.title_en),
        known_at=known_at,
        occurred_at=result.captured_at if result else alert.raised_at,
        lab=alert.site if alert.result_id else "",
        note=note,
        alert_ids=[alert_id],
        result_ids=[result.result_id] if result else [],
    )
    return row, True


def open_from_result(
    conn: Connection,
    work: Casework,
    result_id: str,
    officer: Officer,
    at: datetime,
    *,
    kind: CaseKind | None = None,
    note: str = "",
) -> tuple[CaseRow, bool]:
    """Open a case from a quick test's result; False: it is in one already.

    `kind` None: farm produce, whose rights reach furthest. Raises CaseRefused.
    """
    _lock_result(conn, result_id)
    result = results.get(conn, result_id)
    if result is None:
        raise CaseRefused(Reason("no_result"))
    check_mover(conn, officer, result.region, result.establishment_id)
    found = case_links.holding_result(conn, result_id)
    if found is not None:
        return found, False
    measured = " ".join(filter(None, (result.value_text, result.unit)))
    title = " · ".join(filter(None, (result.sample_name, result.item, measured)))
    row = _open(
        conn,
        work,
        officer,
        at,
        kind=kind or CaseKind.PRODUCE_TEST,
        who=Identity(result.region, result.site, result.device),
        establishment_id=result.establishment_id,
        severity=None,
        titles=(title, title),
        known_at=min(result.received_at, at),
        occurred_at=result.captured_at,
        lab=result.site,
        note=note,
        alert_ids=case_links.open_alerts_of_result(conn, result_id),
        result_ids=[result_id],
    )
    return row, True


def offers(
    conn: Connection, work: Casework, row: CaseRow, officer: Officer, at: datetime
) -> tuple[Offer, ...]:
    """The moves of a case for an officer: what each needs, or why it cannot be made."""
    whole = case(conn, row)
    return moves(work, whole, Mover(officer.id, officer.role.value), at)


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
    files_of: FilesOf | None = None,
) -> CaseRow:
    """Move a case that the officer saw at `version`; returns it as it is afterwards.

    `key`: the request's own id (up to 64 characters): sent again, it changes nothing. `given.files`
    need ids only. Raises CaseRefused that says all that is missing; `.changed` if somebody else
    was first.
    """
    row, whole = _locked(conn, case_id)
    check_mover(conn, officer, row.region, row.establishment_id)
    if key and any(one.event_id == key and one.move == move_id for one in whole.events):
        return row
    if version != row.version:
        raise CaseRefused(Reason("changed", {"seen": str(version), "version": str(row.version)}))
    given = _with_files(conn, case_id, given, files_of)
    check_named(conn, work.rules, move_id, given, row.region)
    at = max(at, whole.events[-1].at)
    by = Mover(officer.id, officer.role.value)
    return _make(conn, work, row, whole, move_id, given, by, at, key or new_id())


def expire_due(conn: Connection, work: Casework, at: datetime, limit: int = 100) -> list[str]:
    """Book publications whose time is over at `at`; returns the ids of their cases.

    The public has not seen them since that moment, whether or not anybody books it.
    """
    made = []
    for case_id in waiting_to_expire(conn, at, limit):
        row, whole = _locked(conn, case_id)
        for one in work.rules.moves.values():
            if CLOCK in one.by:
                event = apply(work, whole, one.id, Given(), Mover("", CLOCK), at, new_id())
                if isinstance(event, CaseEvent):
                    _book(conn, work, row, whole, one, event)
                    made.append(case_id)
                    break
    return made


def rewind_unknown(conn: Connection, work: Casework, at: datetime, limit: int = 100) -> int:
    """Set deadlines that waited for a calendar; returns how many can be told now."""
    found = select(cases.c.case_id).where(cases.c.due_unknown).order_by(cases.c.number)
    told = 0
    for case_id in list(conn.scalars(found.limit(limit))):
        _, whole = _locked(conn, case_id)
        shown = _shown(work, whole, at)
        told += not shown["due_unknown"]
        conn.execute(update(cases).where(cases.c.case_id == case_id).values(shown))
    return told


def _open(
    conn: Connection,
    work: Casework,
    officer: Officer,
    at: datetime,
    *,
    kind: CaseKind,
    who: Identity,
    establishment_id: str | None,
    severity: int | None,
    titles: tuple[str, str],
    known_at: datetime,
    occurred_at: datetime,
    lab: str,
    note: str,
    alert_ids: Sequence[str],
    result_ids: Sequence[str],
) -> CaseRow:
    case_id = new_id()
    event = opened(
        work,
        by=Mover(officer.id, officer.role.value),
        at=at,
        known_at=known_at,
        occurred_at=min(occurred_at, known_at),
        event_id=new_id(),
        note=note,
        lab=lab,
    )
    whole = case_of(case_id, kind, [event])
    row = {
        "case_id": case_id,
        "case_number": _number(conn, who.region, at),
        "kind": kind.value,
        "state": event.state,
        "finding": event.finding.value,
        "outcome": "",
        "severity": severity,
        "title_zh": titles[0],
        "title_en": titles[1],
        "region": who.region,
        "site": who.site,
        "establishment_id": establishment_id,
        "opened_at": at,
        "opened_by": officer.id,
        "known_at": known_at,
        "changed_at": at,
        "version": 1,
        "assignee": "",
        "rules_version": work.rules.version,
        **_shown(work, whole, at),
    }
    made = typed(conn.execute(cases.insert().values(row).returning(*cases.c)).one(), CaseRow)
    case_links.add(conn, case_id, alerts=alert_ids, results=result_ids)
    _note(conn, made, event)
    case_alert_steps.take_on(conn, made, event)
    return made


def _number(conn: Connection, region: str, at: datetime) -> str:
    """The next number of the region's county in the year; given out once, without gaps."""
    path = ancestors(conn, region) or [region]
    county = path[-2] if len(path) > 1 else path[-1]
    year = china_day(at).year
    counted = insert_into(conn, case_numbers).values(county=county, year=year, last=1)
    counted = counted.on_conflict_do_update(
        index_elements=["county", "year"], set_={"last": case_numbers.c.last + 1}
    )
    serial = conn.scalar(counted.returning(case_numbers.c.last))
    return f"{county}-{year}-{serial:04d}"


def _lock_result(conn: Connection, result_id: str) -> None:
    held = select(result_table.c.number).where(result_table.c.result_id == result_id)
    conn.execute(held.with_for_update())


def _locked(conn: Connection, case_id: str) -> tuple[CaseRow, Case]:
    """A case, held until the commit. Raises CaseRefused."""
    found = select(cases).where(cases.c.case_id == case_id).with_for_update()
    row = conn.execute(found).one_or_none()
    if row is None:
        raise CaseRefused(Reason("no_case"))
    standing = typed(row, CaseRow)
    return standing, case(conn, standing)


def _with_files(conn: Connection, case_id: str, given: Given, files_of: FilesOf | None) -> Given:
    if not given.files:
        return given
    known = {file.id: file for file in (files_of(conn, case_id) if files_of else ())}
    unknown = sorted({file.id for file in given.files} - set(known))
    if unknown:
        raise CaseRefused(Reason("unknown_file", {"ids": ", ".join(unknown)[:200]}))
    wanted = dict.fromkeys(file.id for file in given.files)
    files = tuple(FileRef(one, known[one].kind, known[one].sha256) for one in wanted)
    return msgspec.structs.replace(given, files=files)


def _make(
    conn: Connection,
    work: Casework,
    row: CaseRow,
    whole: Case,
    move_id: str,
    given: Given,
    by: Mover,
    at: datetime,
    event_id: str,
) -> CaseRow:
    event = apply(work, whole, move_id, given, by, at, event_id)
    if isinstance(event, Refusal):
        raise CaseRefused(*event.reasons)
    return _book(conn, work, row, whole, work.rules.moves[move_id], event)


def _book(
    conn: Connection, work: Casework, row: CaseRow, before: Case, made: Move, event: CaseEvent
) -> CaseRow:
    """Write what a move made. The row is held by `_locked`."""
    whole = after(before, event)
    ends = made.alert == "close" or work.rules.states[event.state].end
    changed = update(cases).where(cases.c.case_id == row.case_id, cases.c.version == before.version)
    values: dict[str, Any] = {
        "state": event.state,
        "finding": event.finding.value,
        "outcome": whole.outcome,
        "changed_at": event.at,
        "closed_at": row.closed_at or (event.at if ends else None),
        "version": whole.version,
        "assignee": whole.assignee,
        "rules_version": event.rules_version,
        **_shown(work, whole, event.at),
    }
    now = typed(conn.execute(changed.values(values).returning(*cases.c)).one(), CaseRow)
    _note(conn, now, event)
    keep_publication(conn, work, now, whole, made, event)
    case_alert_steps.carry(conn, now, made, event)
    return now


def _shown(work: Casework, whole: Case, at: datetime) -> dict[str, Any]:
    """The part of a case's clocks that lists go by."""
    faces = clocks(work, whole, at)
    next_ = next_due(faces)
    unknown = [face for face in faces if face.state == "unknown" and face.clock.role == "duty"]
    return {
        "paused_since": paused_since(work.rules, whole),
        "due_at": next_.due_at if next_ else None,
        "due_clock": next_.clock.id if next_ else unknown[0].clock.id if unknown else "",
        "due_unknown": bool(unknown),
    }


def _note(conn: Connection, row: CaseRow, event: CaseEvent) -> None:
    """Keep the event, chain it into the audit, and tell those who follow the journal."""
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
    audit.append(conn, event.actor, "case_moved", f"case/{row.case_id}", detail, event.at)
    journal.append(
        conn,
        journal.CASE,
        at=event.at,
        region=row.region,
        site=row.site,
        ref=row.case_id,
        body=msgspec.to_builtins(row) | {"event": event.move},
    )
