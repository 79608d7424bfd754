"""The JSON API under /api/v1: alerts, establishments, devices, results in the officer's sight."""

import base64
from typing import Annotated

from fastapi import APIRouter, Query

from contracts.words import AlertState, Severity
from ledger import alerts, audit, devices, establishments, results
from ledger.alerts import AlertRow
from ledger.engine import Connection, reading, writing
from ledger.missing import Missing, MissingKind
from ledger.results import ResultRow
from server.api_models import (
    AlertItem,
    AlertWithTimeline,
    DeviceItem,
    EstablishmentItem,
    Me,
    MissingItem,
    Page,
    ResultItem,
    ResultWithBytes,
    TimelineItem,
)
from server.changes import visible_alert
from server.cursors import cut, invalid_cursor, place_of, sliced
from server.missing_list import read_missing
from server.needs import Need, reads
from server.problems import not_found
from server.routes.api_parts import PREFIX, Before, Limit, paged, problems
from server.routes.establishments import visible_establishment
from server.signing import Visit

router = APIRouter(prefix=PREFIX, responses=problems(401, 422, 503))


@router.get("/me", tags=["session"], summary="Who is signed in")
def me(visit: Annotated[Visit, reads("self:read")]) -> Me:
    """The officer, the CSRF token of the session, or the token that asks in the officer's name."""
    officer = visit.officer
    return Me(
        id=officer.id,
        name=officer.name,
        role=officer.role,
        region=officer.region,
        csrf=visit.session.csrf,
        token=visit.token.name if visit.token else None,
        scopes=list(visit.token.scopes) if visit.token else [],
        expires_at=visit.session.expires_at,
    )


@router.get("/alerts", tags=["alerts"], summary="Alerts, newest first")
def list_alerts(
    state: Need,
    visit: Annotated[Visit, reads("alerts:read")],
    states: Annotated[list[AlertState] | None, Query(alias="state")] = None,
    severity: Severity | None = None,
    establishment_id: Annotated[str | None, Query(max_length=128)] = None,
    limit: Limit = 50,
    before: Before = None,
) -> Page[AlertItem]:
    """Alerts of the officer's region and below, by state, class and establishment."""
    own = visit.scope.establishment_id
    if own is not None and establishment_id not in (None, own):
        return Page[AlertItem](items=[])
    place = place_of("alerts", before, tuple[str])
    last = place[0] if place else None
    found: list[AlertRow] = []
    with reading(state.engine) as conn:
        if last is not None and alerts.get(conn, last) is None:
            raise invalid_cursor()
        while len(found) <= limit:
            rows = alerts.list_in(
                conn,
                visit.scope.listed,
                states,
                201,
                last,
                establishment_id=own or establishment_id,
            )
            found += [row for row in rows if severity is None or row.severity is severity]
            if len(rows) < 201:
                break
            last = rows[-1].alert_id
    return paged(AlertItem, *sliced(found, lambda row: (row.alert_id,), "alerts", limit))


def _with_timeline(conn: Connection, row: AlertRow) -> AlertWithTimeline:
    entries = [TimelineItem.model_validate(one) for one in alerts.timeline(conn, row.alert_id)]
    whole = AlertItem.model_validate(row).model_dump()
    return AlertWithTimeline(**whole, timeline=entries)


@router.get("/alerts/{alert_id}", tags=["alerts"], summary="One alert", responses=problems(404))
def get_alert(
    state: Need, visit: Annotated[Visit, reads("alerts:read")], alert_id: str
) -> AlertWithTimeline:
    """An alert with its timeline."""
    with reading(state.engine) as conn:
        return _with_timeline(conn, visible_alert(conn, visit, alert_id))


@router.get("/establishments", tags=["establishments"], summary="Establishments")
def list_establishments(
    state: Need,
    visit: Annotated[Visit, reads("establishments:read")],
    words: Annotated[str, Query(alias="q", max_length=64, description="In name or address.")] = "",
    limit: Limit = 50,
    before: Before = None,
) -> Page[EstablishmentItem]:
    """Establishments of the officer's region and below, by region and name."""
    place = place_of("establishments", before, tuple[str, str, str])
    own = visit.scope.establishment_id
    with reading(state.engine) as conn:
        found = establishments.list_after(
            conn, visit.scope.listed, limit + 1, place, words=words, establishment_id=own
        )
    found, following = sliced(
        found, lambda row: (row.region, row.name, row.id), "establishments", limit
    )
    return paged(EstablishmentItem, found, following)


@router.get(
    "/establishments/{establishment_id}",
    tags=["establishments"],
    summary="One establishment",
    responses=problems(404),
)
def get_establishment(
    state: Need, visit: Annotated[Visit, reads("establishments:read")], establishment_id: str
) -> EstablishmentItem:
    """An establishment's facts."""
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
    return EstablishmentItem.model_validate(one)


@router.get(
    "/establishments/{establishment_id}/results",
    tags=["results"],
    summary="An establishment's quick tests, newest first",
    responses=problems(404),
)
def list_results(
    state: Need,
    visit: Annotated[Visit, reads("results:read")],
    establishment_id: str,
    limit: Limit = 50,
    before: Before = None,
) -> Page[ResultItem]:
    """The results of its testing rooms."""
    place = place_of("results", before, tuple[str])
    last = place[0] if place else None
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
        if last is not None and results.get(conn, last) is None:
            raise invalid_cursor()
        found = results.for_establishment(conn, one.id, limit + 1, last)
    return paged(ResultItem, *sliced(found, lambda row: (row.result_id,), "results", limit))


@router.get(
    "/results/{result_id}",
    tags=["results"],
    summary="One result with the instrument's bytes",
    responses=problems(404),
)
def get_result(
    state: Need, visit: Annotated[Visit, reads("results:read")], result_id: str
) -> ResultWithBytes:
    """A result and its bytes; the look is audited."""
    with reading(state.engine) as conn:
        row = results.get(conn, result_id)
        if row is None or not _visible(row, visit):
            raise not_found("result")
    with writing(state.engine) as conn:
        what = f"result/{result_id}"
        audit.append(conn, visit.actor, "evidence_viewed", what, {}, state.clock())
    whole = ResultItem.model_validate(row).model_dump()
    return ResultWithBytes(**whole, raw_base64=base64.b64encode(row.raw).decode())


@router.get("/devices", tags=["devices"], summary="Devices and their health")
def list_devices(
    state: Need,
    visit: Annotated[Visit, reads("devices:read")],
    limit: Limit = 50,
    before: Before = None,
) -> Page[DeviceItem]:
    """Every device of the officer's region and below, by region, site and id."""
    place = place_of("devices", before, tuple[str, str, str])
    with reading(state.engine) as conn:
        found = devices.list_after(
            conn, visit.scope.listed, limit + 1, place, sites=visit.scope.sites
        )
    found, following = sliced(
        found, lambda row: (row.region, row.site, row.device), "devices", limit
    )
    return paged(DeviceItem, found, following)


@router.get("/missing", tags=["devices"], summary="What is missing, where, since when")
def list_missing(
    state: Need,
    visit: Annotated[Visit, reads("devices:read")],
    limit: Limit = 50,
    before: Before = None,
) -> Page[MissingItem]:
    """Every gap in the data of the officer's region and below, gravest first, then by place."""
    with reading(state.engine) as conn:
        lines = read_missing(conn, visit.scope, state.clock())
    found, following = cut(
        [line.gap for line in lines],
        _place_of_gap,
        "missing",
        tuple[int, str, str, str, str],
        limit,
        before,
    )
    items = [
        MissingItem(
            kind=gap.kind,
            region=gap.agent.region,
            site=gap.agent.site,
            agent=gap.agent.device,
            events=gap.events,
            since=gap.since,
            detail=gap.detail,
            epoch=gap.epoch,
            ranges=gap.ranges,
        )
        for gap in found
    ]
    return Page[MissingItem](items=items, next=following)


def _place_of_gap(gap: Missing) -> tuple[int, str, str, str, str]:
    who = gap.agent
    return list(MissingKind).index(gap.kind), who.region, who.site, who.device, gap.epoch


def _visible(row: ResultRow, visit: Visit) -> bool:
    return visit.scope.covers(row.region, row.establishment_id)
