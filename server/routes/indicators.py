"""Indicators: numbers of a region, of those below it, the records behind each, files of both."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from ledger import audit
from ledger.engine import reading, writing
from ledger.indicators import Show
from ledger.sheets.cells import safe
from server import indicator_pages as pages
from server.indicator_pages import Level
from server.needs import Costly, Need, Viewer
from server.pages import render, words_of
from server.signing import Visit
from server.state import State

router = APIRouter(include_in_schema=False, prefix="/indicators")
RegionCode = Annotated[str, Query(max_length=64)]
PeriodName = Annotated[str, Query(max_length=16)]
PAGE = 50
MOST = 100_000
"""Records in one file."""


@router.get("")
def show_indicators(
    request: Request, state: Need, visit: Viewer, region: RegionCode = "", period: PeriodName = ""
) -> Response:
    """Every indicator of a region, with the regions below to go down to."""
    with reading(state.engine) as conn:
        view = pages.view_of(conn, state, visit, region, period)
        lines = pages.overview(conn, state, visit, view)
        down, up = pages.below(conn, view), pages.way(conn, visit.scope, view)
    return _page(request, "indicators/list.html", state, view, lines=lines, down=down, up=up)


@router.get("/file.csv", dependencies=[Costly])
def indicators_file(
    state: Need, visit: Viewer, region: RegionCode = "", period: PeriodName = ""
) -> Response:
    """The same as a CSV file."""
    with reading(state.engine) as conn:
        view = pages.view_of(conn, state, visit, region, period)
        lines = pages.overview(conn, state, visit, view)
    _note(state, visit, view.query)
    return _file(f"indicators-{view.period.name}", pages.HEADS, pages.sheet_rows(lines, view))


@router.get("/{indicator_id}")
def show_indicator(
    request: Request,
    state: Need,
    visit: Viewer,
    indicator_id: str,
    region: RegionCode = "",
    period: PeriodName = "",
    level: Level = "below",
) -> Response:
    """One indicator: its definition, its league table, its months."""
    with reading(state.engine) as conn:
        view = pages.view_of(conn, state, visit, region, period, level)
        one = pages.indicator_of(state, view, indicator_id)
        own, *lines = pages.league(conn, state, visit, view, one)
        up = pages.way(conn, visit.scope, view)
    return _page(request, "indicators/one.html", state, view, one=one, own=own, lines=lines, up=up)


@router.get("/{indicator_id}/chart", dependencies=[Costly])
def indicator_chart(
    request: Request,
    state: Need,
    visit: Viewer,
    indicator_id: str,
    region: RegionCode = "",
    period: PeriodName = "",
) -> Response:
    """What the chart of its months draws, as JSON."""
    with reading(state.engine) as conn:
        view = pages.view_of(conn, state, visit, region, period)
        one = pages.indicator_of(state, view, indicator_id)
        drawn = pages.chart(conn, state, visit, view, one, words_of(request))
    return JSONResponse(drawn)


@router.get("/{indicator_id}/records")
def show_records(
    request: Request,
    state: Need,
    visit: Viewer,
    indicator_id: str,
    region: RegionCode = "",
    period: PeriodName = "",
    level: Level = "below",
    show: Show = "all",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """The records that a number counts; the list is as long as the number says."""
    with reading(state.engine) as conn:
        view = pages.view_of(conn, state, visit, region, period, level)
        one = pages.indicator_of(state, view, indicator_id)
        start = (page - 1) * PAGE
        found, total = pages.records(conn, state, visit, view, one, show, PAGE, start)
        up = pages.way(conn, visit.scope, view)
    return _page(
        request, "indicators/records.html", state, view,
        one=one, found=found, total=total, show=show, up=up,
        page=page, pages_count=max(1, -(-total // PAGE)),
    )  # fmt: skip


@router.get("/{indicator_id}/records.csv", dependencies=[Costly])
def records_file(
    state: Need,
    visit: Viewer,
    indicator_id: str,
    region: RegionCode = "",
    period: PeriodName = "",
    show: Show = "all",
) -> Response:
    """The same as a CSV file."""
    with reading(state.engine) as conn:
        view = pages.view_of(conn, state, visit, region, period)
        one = pages.indicator_of(state, view, indicator_id)
        found, _ = pages.records(conn, state, visit, view, one, show, MOST, 0)
    _note(state, visit, f"{indicator_id}?{view.query}&show={show}")
    name = f"{indicator_id}-{view.period.name}"
    return _file(name, pages.RECORD_HEADS, pages.record_rows(found))


def _page(
    request: Request, template: str, state: State, view: pages.View, **values: Any
) -> Response:
    words, now = words_of(request), state.clock()
    return render(
        request, template,
        view=view,
        periods=pages.choices(now),
        shown=lambda one, value: pages.shown(one, value, words),
        target=lambda one: pages.target_shown(one, words),
        said=lambda line: pages.said(line, now),
        **values,
    )  # fmt: skip


def _note(state: State, visit: Visit, what: str) -> None:
    """Audit that numbers were taken away as a file."""
    with writing(state.engine) as conn:
        subject = f"indicators/{what}"[:500]
        audit.append(conn, visit.actor, "indicators.export", subject, {}, state.clock())


def _file(name: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
