"""Establishments: the list, the file of one, its charts' figures and its QR code."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from ledger import establishments, sites
from ledger.devices import DeviceKind
from ledger.engine import Connection, reading
from ledger.establishments import Establishment
from server import charts
from server.access import Right, may
from server.desk import count_alerts, tally
from server.establishment_file import (
    DAYS,
    devices_of,
    find_establishments,
    places,
    read_establishment_file,
    recent_tests,
)
from server.needs import Costly, Need, Viewer
from server.pages import render, words_of
from server.problems import not_found
from server.qr import qr_svg
from server.signing import Visit

router = APIRouter(include_in_schema=False)
PAGE = 50


def visible_establishment(conn: Connection, visit: Visit, establishment_id: str) -> Establishment:
    """The establishment, if this officer can see it. Raises Problem (404)."""
    one = establishments.get(conn, establishment_id)
    if one is None or not visit.scope.covers(one.region, one.id):
        raise not_found("establishment")
    return one


@router.get("/establishments")
def list_establishments(
    request: Request,
    state: Need,
    visit: Viewer,
    search: Annotated[str, Query(alias="q", max_length=64)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """The list, by region and name."""
    with reading(state.engine) as conn:
        found, total = find_establishments(
            conn, visit.scope, search.strip(), PAGE, (page - 1) * PAGE
        )
        lines = places(conn, found)
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "establishments/list.html",
        lines=lines,
        total=total,
        search=search.strip(),
        page=page,
        pages=-(-total // PAGE),
        counts=tally(counted),
    )


@router.get("/establishments/{establishment_id}")
def one_establishment(
    request: Request, state: Need, visit: Viewer, establishment_id: str
) -> Response:
    """The file."""
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
        file = read_establishment_file(conn, one, state.clock())
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "establishments/file.html",
        file=file,
        counts=tally(counted),
        states=state.casework.rules.states,
        days=DAYS,
        hours=round(state.settings.chart_days * 24),
        limits=state.limit_lines,
        acts=may(visit.officer, Right.ACT),
    )


@router.get("/establishments/{establishment_id}/charts/{kind}", dependencies=[Costly])
def chart(
    request: Request,
    state: Need,
    visit: Viewer,
    establishment_id: str,
    kind: Literal["temperature", "inhibition"],
    device: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """What a chart draws, as JSON; with `device`, of that probe alone."""
    now = state.clock()
    words = words_of(request)
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
        tests = recent_tests(conn, one.id, now) if kind == "inhibition" else []
        found = devices_of(conn, sites.of_establishment(conn, one.id))
    drawn: dict[str, Any]
    if kind == "inhibition":
        drawn = charts.inhibition(tests, state.limit_lines, words, now, DAYS)
    else:
        probes = [
            one for one in found if one.kind is DeviceKind.PROBE and device in ("", one.device)
        ]
        days = state.settings.chart_days
        drawn = charts.temperatures(state.series, probes, state.limit_lines, words, now, days)
    return JSONResponse(drawn)


@router.get("/establishments/{establishment_id}/qr.svg")
def qr(state: Need, visit: Viewer, establishment_id: str) -> Response:
    """The QR code that opens the establishment's public page."""
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
    target = f"{state.settings.public_base_url}/p/{one.public_code}"
    age = int(timedelta(hours=1).total_seconds())
    headers = {"cache-control": f"private, max-age={age}"}
    return Response(qr_svg(target), media_type="image/svg+xml", headers=headers)
