"""Looks at kitchens' cameras: asking for one, seeing what comes, and who has looked."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Header, Query, Request
from starlette.responses import RedirectResponse, Response

from ledger import audit, journal, kept_frames, looks
from ledger.engine import Connection, reading, writing
from ledger.looks import LookRow
from server import looking
from server.access import Right, may
from server.desk import count_alerts, tally
from server.keeping import keepable
from server.looking import LookRefused
from server.needs import Changer, Need, Viewer
from server.pages import render
from server.problems import not_found
from server.routes.alerts import After, LastEvent
from server.routes.kitchens import render_camera, visible_camera
from server.routes.live import event_stream
from server.signing import Visit
from server.state import State
from server.streams import change_events, of_look

router = APIRouter(include_in_schema=False)
Asker = Annotated[Visit, Depends(Changer(Right.LOOK))]
SMALL_AGE_S = 600


def visible_look(conn: Connection, visit: Visit, look_id: str) -> LookRow:
    """The look, if this officer can see it. Raises Problem (404)."""
    row = looks.get(conn, look_id)
    if row is None or not visit.scope.covers_site(row.region, row.site):
        raise not_found("look")
    return row


@router.post("/kitchens/cameras/{site}/{camera}/look")
def ask_for_look(
    request: Request,
    state: Need,
    visit: Asker,
    site: str,
    camera: str,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Ask, and go where what comes is shown."""
    now = state.clock()
    try:
        with writing(state.engine) as conn:
            found = visible_camera(conn, state, visit, site, camera)
            look_id = looking.ask(conn, visit, found, reason, state.settings.looks, now)
    except LookRefused as error:
        return render_camera(
            request, state, visit, site, camera, trouble=error.kind, status=error.status
        )
    return RedirectResponse(f"/kitchens/looks/{look_id}", 303)


@router.get("/kitchens/looks")
def list_looks(
    request: Request,
    state: Need,
    visit: Viewer,
    site: Annotated[str, Query(max_length=64)] = "",
    camera: Annotated[str, Query(max_length=64)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Who looked at which kitchen, and why, the newest first."""
    with reading(state.engine) as conn:
        rows = looks.list_in(
            conn,
            visit.scope.listed,
            sites=looking.sites_of(visit, site),
            device=camera or None,
            limit=looking.PAGE + 1,
            offset=(page - 1) * looking.PAGE,
        )
        lines = looking.lines_of(rows[: looking.PAGE])
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "kitchens/looks.html",
        lines=lines,
        more=len(rows) > looking.PAGE,
        page=page,
        address=lambda number: "/kitchens/looks" + looking.query(site, camera, number),
        state_of=looking.state_of,
        counts=tally(counted),
    )


@router.get("/kitchens/looks/{look_id}")
def show_look(
    request: Request,
    state: Need,
    visit: Viewer,
    look_id: str,
    hold: bool = False,
    fragment: Annotated[str, Header(alias="HX-Request")] = "",
) -> Response:
    """What comes of a look; asked by htmx, only that part."""
    return render_look(request, state, visit, look_id, fragment=bool(fragment), hold=hold)


def render_look(
    request: Request,
    state: State,
    visit: Visit,
    look_id: str,
    *,
    fragment: bool = False,
    hold: bool = False,
    trouble: str = "",
    said: str = "",
    status: int = 200,
) -> Response:
    """A look's page, or its part that changes.

    `hold`: it stands still for whoever has no JavaScript; `trouble`: why a picture is not kept, of
    which `said` was given as reason.
    """
    now = state.clock()
    with reading(state.engine) as conn:
        cursor = journal.last_id(conn)
        row = visible_look(conn, visit, look_id)
        (line,) = looking.lines_of([row])
        kept = kept_frames.of_look(conn, look_id)
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "kitchens/look_now.html" if fragment else "kitchens/look.html",
        line=line,
        row=row,
        stands=looking.state_of(row, now),
        status=status,
        running=row.running(now),
        kept=kept,
        fragment=fragment,
        following=row.running(now) or any(one.pending(now) for one in kept),
        hold=hold or bool(trouble),
        acts=may(visit.officer, Right.ACT),
        keeps=keepable(row, now),
        trouble=trouble,
        said=said,
        again=may(visit.officer, Right.LOOK),
        cursor=cursor,
        counts=tally(counted),
    )


@router.get("/kitchens/looks/{look_id}/live")
def look_live(
    state: Need, visit: Viewer, look_id: str, after: After = 0, last_event: LastEvent = None
) -> Response:
    """The page's stream: says that something has come."""
    with reading(state.engine) as conn:
        visible_look(conn, visit, look_id)
    select = change_events(visit, of_look(look_id))
    return event_stream(state, visit, after if last_event is None else last_event, select)


@router.get("/kitchens/looks/{look_id}/picture")
def look_picture(
    state: Need, visit: Viewer, look_id: str, size: Literal["small", "full"] = "full"
) -> Response:
    """The newest picture of a look. Whoever asked, while it runs, is in the trail already."""
    return picture_answer(state, visit, look_id, size)


def picture_answer(
    state: State, visit: Visit, look_id: str, size: Literal["small", "full"]
) -> Response:
    """The picture, with its look in the audit trail. Raises Problem (404)."""
    now = state.clock()
    with reading(state.engine) as conn:
        row = visible_look(conn, visit, look_id)
        content = looks.picture(conn, look_id)
    if content is None:
        raise not_found("picture")
    if row.asked_by != visit.officer.id or not row.running(now):
        with writing(state.engine) as conn:
            action = "look_viewed" if size == "full" else "look_listed"
            detail = {"sha256": row.sha256, "site": row.site, "camera": row.device}
            audit.append(conn, visit.actor, action, f"look/{look_id}", detail, now)
    headers = {"etag": f'"{row.sha256}"', "cache-control": "no-store"}
    if size == "small":
        headers["cache-control"] = f"private, max-age={SMALL_AGE_S}"
    return Response(content, media_type="image/jpeg", headers=headers)
