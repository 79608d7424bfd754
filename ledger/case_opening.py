"""How a case is opened: from an alert or from a quick test's result, with a number of its own."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from contracts.casework import CaseKind, Mover, Reason
from contracts.casework_clocks import Casework
from contracts.casework_moves import case_of, opened
from contracts.topics import Identity
from contracts.words import AlertState
from contracts.workdays import china_day
from ledger import alert_life, alerts, case_alert_steps, case_links, results, sites
from ledger.case_book import note_event, shown
from ledger.case_people import check_mover
from ledger.case_types import CaseRefused, CaseRow
from ledger.ids import new_id
from ledger.officers import Officer
from ledger.regions import ancestors
from ledger.schema import alert_timeline, case_numbers, cases
from ledger.schema import results as result_table
from ledger.sql import insert_into, typed


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
        lab=_room(conn, alert.site) if alert.result_id else "",
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
    # Alerts before results, as who opens from an alert locks them.
    alert_ids = case_links.open_alerts_of_result(conn, result_id)
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
        lab=_room(conn, result.site),
        note=note,
        alert_ids=alert_ids,
        result_ids=[result_id],
    )
    return row, True


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
        **shown(work, whole, at),
    }
    made = typed(conn.execute(cases.insert().values(row).returning(*cases.c)).one(), CaseRow)
    case_links.add(conn, case_id, alerts=alert_ids, results=result_ids)
    case_alert_steps.take_on(conn, made, event)
    note_event(conn, made, event)
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


def _room(conn: Connection, site: str) -> str:
    """What the room of the quick test is called: where was tested may not test again."""
    found = sites.get(conn, site)
    return (found.name if found else "") or site
