"""The alert desk, one alert's page, and their live streams."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from contracts.words import Severity
from ledger import audit, journal
from ledger.alerts import AlertRow
from ledger.engine import Connection, reading, writing
from server.access import Right, may
from server.alert_file import AlertFile, read_alert_file
from server.changes import visible_alert
from server.desk import DeskFilter, alert_lines, count_alerts, find_alerts, tally
from server.judging import offered
from server.needs import Need, Viewer
from server.pages import render, words_of
from server.routes.live import LiveRows, event_stream
from server.signing import Visit
from server.state import State
from server.streams import change_events, desk_events, of_alert

router = APIRouter(include_in_schema=False)
StateName = Literal["open", "firing", "acknowledged", "resolved", "closed"]
AskedState = Annotated[StateName, Query(alias="state")]
AskedClass = Annotated[Literal["", "1", "2", "3"], Query(alias="class")]
After = Annotated[int, Query(ge=0)]
LastEvent = Annotated[int | None, Header(alias="Last-Event-ID", ge=0)]


def _filter(state: StateName, severity: str) -> DeskFilter:
    return DeskFilter(state, Severity(int(severity)) if severity else None)


@router.get("/alerts")
def desk(
    request: Request,
    state: Need,
    visit: Viewer,
    asked_state: AskedState = "open",
    asked_class: AskedClass = "",
    before: str | None = None,
    fragment: Annotated[str, Header(alias="HX-Request")] = "",
) -> Response:
    """The list; with `before`, asked by htmx, only the lines that follow."""
    wanted = _filter(asked_state, asked_class)
    with reading(state.engine) as conn:
        cursor = journal.last_id(conn)
        rows, more = find_alerts(conn, visit.scope, wanted, before)
        lines = alert_lines(conn, rows)
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "alerts/more.html" if fragment and before else "alerts/desk.html",
        wanted=wanted,
        lines=lines,
        more=lines[-1].alert.alert_id if more else None,
        counts=tally(counted, wanted.severity),
        cursor=cursor,
        acts=may(visit.officer, Right.ACKNOWLEDGE),
    )


@router.get("/alerts/live")
async def desk_live(
    request: Request,
    state: Need,
    rows: LiveRows,
    visit: Viewer,
    after: After = 0,
    asked_state: AskedState = "open",
    asked_class: AskedClass = "",
    last_event: LastEvent = None,
) -> Response:
    """The desk's stream: lines that come, change or go, and the new counts."""
    wanted = _filter(asked_state, asked_class)
    select = desk_events(rows, visit, words_of(request), wanted)
    return event_stream(state, visit, after if last_event is None else last_event, select)


@router.get("/alerts/{alert_id}")
def one_alert(request: Request, state: Need, visit: Viewer, alert_id: str) -> Response:
    """The alert's page; that somebody looked at its evidence is audited."""
    with reading(state.engine) as conn:
        alert = visible_alert(conn, visit, alert_id)
        file = _file(conn, state, visit, alert)
        cursor = journal.last_id(conn)
        counted = count_alerts(conn, visit.scope)
    if file.shows_evidence:
        _audit_view(state, visit, alert_id)
    return render(
        request,
        "alerts/alert.html",
        file=file,
        counts=tally(counted),
        cursor=cursor,
        acts=may(visit.officer, Right.ACT),
        takes=may(visit.officer, Right.ACKNOWLEDGE),
        answers=may(visit.officer, Right.ANSWER),
        limits=state.limit_lines,
    )


@router.get("/alerts/{alert_id}/state")
def alert_state(request: Request, state: Need, visit: Viewer, alert_id: str) -> Response:
    """The part of the page that changes: state, actions, timeline."""
    return state_part(request, state, visit, alert_id)


@router.get("/alerts/{alert_id}/line")
def alert_line(request: Request, state: Need, visit: Viewer, alert_id: str) -> Response:
    """The alert's line on the desk, for one whose picture was still on its way."""
    return line_part(request, state, visit, alert_id)


@router.get("/alerts/{alert_id}/live")
async def alert_live(
    state: Need, visit: Viewer, alert_id: str, after: After = 0, last_event: LastEvent = None
) -> Response:
    """The page's stream: says that the alert has changed; of one out of sight it says nothing."""
    select = change_events(visit, of_alert(alert_id))
    return event_stream(state, visit, after if last_event is None else last_event, select)


def line_part(
    request: Request, state: State, visit: Visit, alert_id: str, *, status: int = 200
) -> Response:
    """An alert's line on the desk."""
    with reading(state.engine) as conn:
        (line,) = alert_lines(conn, [visible_alert(conn, visit, alert_id)])
    acts = may(visit.officer, Right.ACKNOWLEDGE)
    return render(request, "alerts/line.html", status=status, line=line, acts=acts)


def state_part(
    request: Request,
    state: State,
    visit: Visit,
    alert_id: str,
    *,
    status: int = 200,
    trouble: str = "",
) -> Response:
    """The part of an alert's page that changes."""
    with reading(state.engine) as conn:
        file = _file(conn, state, visit, visible_alert(conn, visit, alert_id))
    return render(
        request,
        "alerts/state.html",
        status=status,
        file=file,
        acts=may(visit.officer, Right.ACT),
        takes=may(visit.officer, Right.ACKNOWLEDGE),
        answers=may(visit.officer, Right.ANSWER),
        trouble=trouble,
    )


def _file(conn: Connection, state: State, visit: Visit, alert: AlertRow) -> AlertFile:
    return read_alert_file(
        conn, alert, state.causes, offered(state, alert), visit.officer, state.clock()
    )


def _audit_view(state: State, visit: Visit, alert_id: str) -> None:
    with writing(state.engine) as conn:
        audit.append(conn, visit.actor, "evidence_viewed", f"alert/{alert_id}", {}, state.clock())
