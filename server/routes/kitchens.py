"""Bright kitchens 明厨亮灶: the wall of cameras by region, who is blind, one camera."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from contracts.topics import Identity
from contracts.workdays import china_day
from ledger import journal, kitchen_meals, kitchens, looks, sites
from ledger.engine import Connection, reading
from ledger.kitchens import Camera
from server import looking
from server.access import Right, may
from server.desk import Names, count_alerts, tally
from server.kitchen_filter import LOW_PERCENT, KitchenFilter
from server.kitchen_wall import BLIND_PAGE, PAGE, Share, lines_of, read_blind, read_wall
from server.needs import Need, Viewer
from server.pages import render
from server.problems import not_found
from server.routes.alerts import After, LastEvent
from server.routes.live import event_stream
from server.signing import Visit
from server.state import State
from server.streams import change_events, of_devices

router = APIRouter(include_in_schema=False)
LOOKS_SHOWN = 8
DAYS = 14
"""So far back one camera's page shows meals and blindness."""
Page = Annotated[int, Query(ge=1, le=10_000)]


def _filter(
    region: Annotated[str, Query(max_length=64)] = "",
    show: Literal["", "trouble", "live", "doubtful", "blind", "resting", "unknown"] = "",
    words: Annotated[str, Query(alias="q", max_length=64)] = "",
    low: Literal["", "1"] = "",
) -> KitchenFilter:
    return KitchenFilter(region, show, words.strip(), low == "1")


Wanted = Annotated[KitchenFilter, Depends(_filter)]


def visible_camera(conn: Connection, state: State, visit: Visit, site: str, camera: str) -> Camera:
    """The camera, if this officer can see it. Raises Problem (404)."""
    at = sites.get(conn, site)
    if at is None or not visit.scope.covers_site(at.region, at.id):
        raise not_found("camera")
    found = kitchens.one(conn, Identity(at.region, site, camera), state.clock())
    if found is None:
        raise not_found("camera")
    return found


@router.get("/kitchens")
def show_wall(
    request: Request,
    state: Need,
    visit: Viewer,
    wanted: Wanted,
    page: Page = 1,
    fragment: Annotated[str, Header(alias="HX-Request")] = "",
) -> Response:
    """The wall; asked by htmx, only its lists."""
    with reading(state.engine) as conn:
        cursor = journal.last_id(conn)
        wall = read_wall(conn, visit, wanted, state.clock(), page)
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "kitchens/lists.html" if fragment else "kitchens/wall.html",
        wall=wall,
        wanted=wanted,
        page=page,
        pages=-(-wall.total // PAGE),
        cursor=cursor,
        low=LOW_PERCENT,
        counts=tally(counted),
    )


@router.get("/kitchens/live")
async def kitchens_live(
    state: Need, visit: Viewer, after: After = 0, last_event: LastEvent = None
) -> Response:
    """The wall's stream: says that some device has changed."""
    select = change_events(visit, of_devices)
    return event_stream(state, visit, after if last_event is None else last_event, select)


@router.get("/kitchens/blind")
def list_blind(
    request: Request, state: Need, visit: Viewer, wanted: Wanted, page: Page = 1
) -> Response:
    """Who cannot be seen, the longest first, and who was told."""
    with reading(state.engine) as conn:
        lines, total = read_blind(conn, visit, wanted, state.clock(), page)
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "kitchens/blind.html",
        lines=lines,
        total=total,
        wanted=wanted,
        page=page,
        pages=-(-total // BLIND_PAGE),
        counts=tally(counted),
    )


@router.get("/kitchens/cameras/{site}/{camera}")
def show_camera(request: Request, state: Need, visit: Viewer, site: str, camera: str) -> Response:
    """One camera."""
    return render_camera(request, state, visit, site, camera)


def render_camera(
    request: Request,
    state: State,
    visit: Visit,
    site: str,
    camera: str,
    *,
    trouble: str = "",
    status: int = 200,
) -> Response:
    """One camera's page; `trouble`: why a look was not asked for."""
    now = state.clock()
    with reading(state.engine) as conn:
        found = visible_camera(conn, state, visit, site, camera)
        (line,) = lines_of(conn, [found], Names(conn), now)
        first = china_day(now) - timedelta(days=DAYS - 1)
        meals = kitchen_meals.of_camera(conn, found.identity, first)
        spells = kitchens.blind_spells(conn, found.identity, now - timedelta(days=DAYS))
        rows = looks.list_in(conn, [found.region], sites=[site], device=camera, limit=LOOKS_SHOWN)
        lines = looking.lines_of(rows)
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "kitchens/camera.html",
        status=status,
        lines=lines,
        running=rows[0] if rows and rows[0].running(now) else None,
        state_of=looking.state_of,
        may_look=may(visit.officer, Right.LOOK),
        trouble=trouble,
        line=line,
        meals=meals,
        spells=spells,
        share=Share,
        counts=tally(counted),
    )
