"""One alert's page, its parts, and its live stream."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import JSONResponse, Response

from contracts.topics import Identity
from ledger import audit, devices, journal
from ledger.alerts import AlertRow
from ledger.engine import Connection, reading, writing
from server.access import Right, may
from server.alert_context import context_chart, read_context
from server.alert_file import AlertFile, read_alert_file
from server.changes import visible_alert
from server.desk import count_alerts, line_on, tally
from server.desk_filter import read_filter, sought_of
from server.judging import offered
from server.needs import Need, Viewer
from server.pages import render, words_of
from server.routes.live import event_stream
from server.signing import Visit
from server.state import State
from server.streams import change_events, of_alert

router = APIRouter(include_in_schema=False)
After = Annotated[int, Query(ge=0)]
LastEvent = Annotated[int | None, Header(alias="Last-Event-ID", ge=0)]


@router.get("/alerts/{alert_id}")
def one_alert(request: Request, state: Need, visit: Viewer, alert_id: str) -> Response:
    """The alert's page; that somebody looked at its evidence is audited."""
    with reading(state.engine) as conn:
        alert = visible_alert(conn, visit, alert_id)
        file = _file(conn, state, visit, alert)
        context = read_context(conn, alert, file.device, visit.scope, state.clock())
        cursor = journal.last_id(conn)
        counted = count_alerts(conn, visit.scope)
    if file.shows_evidence:
        _audit_view(state, visit, alert_id)
    return render(
        request,
        "alerts/alert.html",
        file=file,
        context=context,
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


@router.get("/alerts/{alert_id}/chart")
def alert_chart(request: Request, state: Need, visit: Viewer, alert_id: str) -> Response:
    """What the alert's device measured around that time, for the chart."""
    with reading(state.engine) as conn:
        alert = visible_alert(conn, visit, alert_id)
        device = devices.get(conn, Identity(alert.region, alert.site, alert.device))
        drawn = context_chart(
            conn, state.series, state.limit_lines, alert, device, words_of(request), state.clock()
        )
    return JSONResponse(drawn)


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
    """An alert's line as the desk that asks for it (htmx tells its address) shows it."""
    query = request.headers.get("hx-current-url", "").partition("?")[2].partition("#")[0]
    wanted = read_filter(dict(parse_qsl(query)), visit.scope).wanted
    with reading(state.engine) as conn:
        alert = visible_alert(conn, visit, alert_id)
        sought = sought_of(conn, visit, wanted, state.clock())
        line = line_on(conn, alert, sought, wanted)
    takes = may(visit.officer, Right.ACKNOWLEDGE)
    return render(
        request, "alerts/line.html",
        status=status, line=line, takes=takes, picks=takes, wanted=wanted,
    )  # fmt: skip


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
