"""Devices and their health, live."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from ledger import journal
from ledger.engine import reading
from ledger.missing import MissingKind
from server.desk import count_alerts, tally
from server.device_list import read_devices
from server.missing_list import read_missing
from server.needs import Need, Viewer
from server.pages import render
from server.routes.alerts import After, LastEvent
from server.routes.live import event_stream
from server.streams import change_events, of_devices

router = APIRouter(include_in_schema=False)
PAGE = 25
"""Sites on a page; those in trouble come first."""
GAPS = 100
"""Gaps on a page of their own."""


@router.get("/devices")
def list_devices(
    request: Request,
    state: Need,
    visit: Viewer,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    fragment: Annotated[str, Header(alias="HX-Request")] = "",
) -> Response:
    """The page; asked by htmx, only its lists."""
    with reading(state.engine) as conn:
        cursor = journal.last_id(conn)
        found = read_devices(conn, visit.scope, state.clock(), page, PAGE)
        missing = read_missing(conn, visit.scope, state.clock())
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "devices/lists.html" if fragment else "devices/devices.html",
        missing=missing,
        found=found.found,
        page=page,
        pages=-(-found.sites // PAGE),
        numbers=found.numbers,
        cursor=cursor,
        counts=tally(counted),
    )


@router.get("/devices/missing")
def list_missing(
    request: Request,
    state: Need,
    visit: Viewer,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Every gap in the data."""
    with reading(state.engine) as conn:
        gaps = read_missing(conn, visit.scope, state.clock())
        counted = count_alerts(conn, visit.scope)
    kinds = [line.gap.kind for line in gaps]
    return render(
        request,
        "devices/missing.html",
        gaps=gaps[(page - 1) * GAPS : page * GAPS],
        tally={one.value: kinds.count(one) for one in MissingKind},
        page=page,
        pages=-(-len(gaps) // GAPS),
        counts=tally(counted),
    )


@router.get("/devices/live")
async def devices_live(
    state: Need, visit: Viewer, after: After = 0, last_event: LastEvent = None
) -> Response:
    """The page's stream: says that some device has changed."""
    select = change_events(visit, of_devices)
    return event_stream(state, visit, after if last_event is None else last_event, select)
