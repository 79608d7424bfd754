"""Establishments: the list, the file of one, its charts' figures and its QR code."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from ledger import device_states, establishments, observations, place_tests, sites
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection, reading
from ledger.establishments import Establishment
from server import charts, place_charts
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
from server.formats import local
from server.languages import Words
from server.needs import Costly, Need, Viewer
from server.pages import render, words_of
from server.place_history import HistoryFilter, in_words, read_lines
from server.problems import not_found
from server.qr import qr_svg
from server.signing import Visit

router = APIRouter(include_in_schema=False)
PAGE = 50
LATELY = 10
"""Lines of the timeline on the file itself."""


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
        rules = state.casework.rules
        newest, _ = read_lines(
            conn, visit, one, HistoryFilter(), rules, state.clock(), limit=LATELY
        )
        history = in_words(conn, newest, words_of(request), rules)
    return render(
        request,
        "establishments/file.html",
        history=history,
        file=file,
        licence=one.licence(local(state.clock()).date()),
        counts=tally(counted),
        states=state.casework.rules.states,
        days=DAYS,
        weeks=place_charts.WEEKS,
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
    kind: Literal["temperature", "inhibition", "passrate", "hygiene"],
    device: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """What a chart draws, as JSON; with `device`, of that probe alone."""
    now = state.clock()
    words = words_of(request)
    drawn: dict[str, Any]
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
        found = devices_of(conn, sites.of_establishment(conn, one.id))
        if kind == "passrate":
            judged = place_tests.verdicts_since(conn, one.id, place_charts.first_week(now))
            drawn = place_charts.pass_rate(judged, words, now)
        elif kind == "hygiene":
            drawn = _hygiene(conn, one, found, words, now)
        elif kind == "inhibition":
            tests = recent_tests(conn, one.id, now)
            drawn = charts.inhibition(tests, state.limit_lines, words, now, DAYS)
    if kind == "temperature":
        probes = [
            one for one in found if one.kind is DeviceKind.PROBE and device in ("", one.device)
        ]
        days = state.settings.chart_days
        drawn = charts.temperatures(state.series, probes, state.limit_lines, words, now, days)
    return JSONResponse(drawn)


def _hygiene(
    conn: Connection, one: Establishment, found: list[Device], words: Words, now: datetime
) -> dict[str, Any]:
    cameras = [device for device in found if device.kind is DeviceKind.CAMERA]
    since = place_charts.hygiene_since(cameras, now)
    told = device_states.changes(conn, {camera.site for camera in cameras}, since)
    seen = observations.touching(conn, one.id, since)
    return place_charts.hygiene(cameras, told, seen, words, now)


@router.get("/establishments/{establishment_id}/qr.svg")
def qr(state: Need, visit: Viewer, establishment_id: str) -> Response:
    """The QR code that opens the establishment's public page."""
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
    target = f"{state.settings.public_base_url}/p/{one.public_code}"
    # A code can be renewed at any moment: a browser that kept the old one would print it.
    headers = {"cache-control": "private, no-cache"}
    return Response(qr_svg(target), media_type="image/svg+xml", headers=headers)
