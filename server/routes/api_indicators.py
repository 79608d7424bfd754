"""The JSON API of indicators: the pages' numbers, their records, and what was frozen of them."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query

from ledger import indicator_snapshots
from ledger.engine import reading
from ledger.indicators import Figure, Show
from server import api_indicators as shapes
from server import indicator_pages as pages
from server.api_models import Page
from server.cursors import cursor, cut, place_of
from server.indicator_pages import Level, Line, View
from server.needs import Need, reads
from server.problems import not_found
from server.routes.api_parts import PREFIX, Before, Limit, paged, problems
from server.routes.indicators import PeriodName, RegionCode
from server.signing import Visit

router = APIRouter(prefix=PREFIX, responses=problems(401, 404, 422, 503))
Reader = Annotated[Visit, reads("indicators:read")]
Month = Annotated[str, Query(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$", description="A month.")]


@router.get("/indicators", tags=["indicators"], summary="Every indicator of a region")
def list_indicators(
    state: Need,
    visit: Reader,
    region: RegionCode = "",
    period: PeriodName = "",
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.IndicatorItem]:
    """`period`: `2026-03`, `2026-Q1` or `2026`; without: this month, of one's own region."""
    with reading(state.engine) as conn:
        view = pages.view_of(conn, state, visit, region, period)
        lines = pages.overview(conn, state, visit, view)
    return _paged(lines, view, "indicators", limit, before)


@router.get(
    "/indicators/{indicator_id}/regions",
    tags=["indicators"],
    summary="One indicator of a region and those below it",
)
def list_indicator_regions(
    state: Need,
    visit: Reader,
    indicator_id: str,
    region: RegionCode = "",
    period: PeriodName = "",
    level: Level = "below",
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.IndicatorItem]:
    """The region itself, then those below it, the best first; `level=towns`: all its towns."""
    with reading(state.engine) as conn:
        view = pages.view_of(conn, state, visit, region, period, level)
        one = pages.indicator_of(state, view, indicator_id)
        lines = pages.league(conn, state, visit, view, one)
    return _paged(lines, view, "indicator-regions", limit, before)


@router.get(
    "/indicators/{indicator_id}/records",
    tags=["indicators"],
    summary="The records behind a number",
)
def list_indicator_records(
    state: Need,
    visit: Reader,
    indicator_id: str,
    region: RegionCode = "",
    period: PeriodName = "",
    show: Show = "all",
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.IndicatorRecord]:
    """As many as the number says; `show`: those that count in full, or that do not."""
    place = place_of("indicator-records", before, tuple[int])
    start = max(0, place[0]) if place else 0
    with reading(state.engine) as conn:
        view = pages.view_of(conn, state, visit, region, period)
        one = pages.indicator_of(state, view, indicator_id)
        found, total = pages.records(conn, state, visit, view, one, show, limit, start)
    end = start + len(found)
    following = cursor("indicator-records", (end,)) if found and end < total else None
    return paged(shapes.IndicatorRecord, [one.record for one in found], following)


@router.get("/indicator-months", tags=["indicators"], summary="What was frozen of a month")
def list_indicator_months(
    state: Need,
    visit: Reader,
    period: Month,
    region: RegionCode = "",
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.FrozenItem]:
    """The frozen numbers of a region in a month, with their hashes; to an operator none."""
    with reading(state.engine) as conn:
        code = region or visit.officer.region
        if code not in visit.scope.regions:
            raise not_found("region")
        own = visit.scope.establishment_id is not None
        rows = [] if own else indicator_snapshots.of_period(conn, period, [code])
    found, following = cut(
        rows, lambda one: (one.number,), "indicator-months", tuple[int], limit, before
    )
    return paged(shapes.FrozenItem, found, following)


def _paged(
    lines: Sequence[Line], view: View, name: str, limit: int, before: str | None
) -> Page[shapes.IndicatorItem]:
    placed = list(enumerate(lines))
    found, following = cut(placed, lambda one: (one[0],), name, tuple[int], limit, before)
    items = [_item(line, view) for _, line in found]
    return Page[shapes.IndicatorItem](items=items, next=following)


def _item(line: Line, view: View) -> shapes.IndicatorItem:
    one, figure = line.indicator, line.figure
    return shapes.IndicatorItem(
        indicator=one.id, title_zh=one.title_zh, title_en=one.title_en, region=line.region.code,
        period=view.period.name, kind=one.kind, numerator=one.numerator,
        denominator=one.denominator, records=figure.records, part=figure.part,
        whole=figure.whole, value=figure.value, unit=one.unit, target=figure.target,
        met=figure.met, unknown=figure.unknown, residents=_residents(figure),
    )  # fmt: skip


def _residents(figure: Figure) -> shapes.Residents | None:
    known = figure.residents
    return None if known is None else shapes.Residents(**msgspec.structs.asdict(known))
