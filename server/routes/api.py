"""The JSON API under /api/v1: alerts, establishments, devices, results in the officer's sight."""

import base64
from typing import Annotated

from fastapi import APIRouter, Query

from contracts.words import AlertState, Severity
from ledger import alerts, audit, devices, results
from ledger.alerts import AlertRow
from ledger.engine import Connection, reading, writing
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
from server.establishment_file import find_establishments
from server.missing_list import read_missing
from server.needs import Need, Viewer
from server.problems import not_found
from server.routes.api_parts import PREFIX, Before, Limit, page, problems
from server.routes.establishments import visible_establishment

router = APIRouter(prefix=PREFIX, responses=problems(401, 422, 503))


@router.get("/me", tags=["session"], summary="Who is signed in")
def me(visit: Viewer) -> Me:
    """The signed-in officer and the CSRF token of this session."""
    officer = visit.officer
    return Me(
        id=officer.id,
        name=officer.name,
        role=officer.role,
        region=officer.region,
        csrf=visit.session.csrf,
    )


@router.get("/alerts", tags=["alerts"], summary="Alerts, newest first")
def list_alerts(
    state: Need,
    visit: Viewer,
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
    found: list[AlertRow] = []
    with reading(state.engine) as conn:
        while len(found) <= limit:
            rows = alerts.list_in(
                conn,
                visit.scope.listed,
                states,
                201,
                before,
                establishment_id=own or establishment_id,
            )
            found += [row for row in rows if severity is None or row.severity is severity]
            if len(rows) < 201:
                break
            before = rows[-1].alert_id
    last = found[limit - 1].alert_id if len(found) > limit else None
    return Page[AlertItem].model_validate(page(found, limit, last), from_attributes=True)


def _with_timeline(conn: Connection, row: AlertRow) -> AlertWithTimeline:
    entries = [TimelineItem.model_validate(one) for one in alerts.timeline(conn, row.alert_id)]
    whole = AlertItem.model_validate(row).model_dump()
    return AlertWithTimeline(**whole, timeline=entries)


@router.get("/alerts/{alert_id}", tags=["alerts"], summary="One alert", responses=problems(404))
def get_alert(state: Need, visit: Viewer, alert_id: str) -> AlertWithTimeline:
    """An alert with its timeline."""
    with reading(state.engine) as conn:
        return _with_timeline(conn, visible_alert(conn, visit, alert_id))


@router.get("/establishments", tags=["establishments"], summary="Establishments")
def list_establishments(
    state: Need,
    visit: Viewer,
    words: Annotated[str, Query(alias="q", max_length=64, description="In name or address.")] = "",
    limit: Limit = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000, alias="before")] = 0,
) -> Page[EstablishmentItem]:
    """Establishments of the officer's region and below, by region and name."""
    with reading(state.engine) as conn:
        found, total = find_establishments(conn, visit.scope, words, limit, offset)
    after = offset + len(found)
    body = {"items": found, "next": str(after) if found and after < total else None}
    return Page[EstablishmentItem].model_validate(body, from_attributes=True)


@router.get(
    "/establishments/{establishment_id}",
    tags=["establishments"],
    summary="One establishment",
    responses=problems(404),
)
def get_establishment(state: Need, visit: Viewer, establishment_id: str) -> EstablishmentItem:
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
    state: Need, visit: Viewer, establishment_id: str, limit: Limit = 50, before: Before = None
) -> Page[ResultItem]:
    """The results of its testing rooms."""
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
        found = results.for_establishment(conn, one.id, limit + 1, before)
    last = found[limit - 1].result_id if len(found) > limit else None
    return Page[ResultItem].model_validate(page(found, limit, last), from_attributes=True)


@router.get(
    "/results/{result_id}",
    tags=["results"],
    summary="One result with the instrument's bytes",
    responses=problems(404),
)
def get_result(state: Need, visit: Viewer, result_id: str) -> ResultWithBytes:
    """A result and its bytes; the look is audited."""
    with reading(state.engine) as conn:
        row = results.get(conn, result_id)
        if row is None or not _visible(row, visit):
            raise not_found("result")
    with writing(state.engine) as conn:
        what = f"result/{result_id}"
        audit.append(conn, visit.officer.id, "evidence_viewed", what, {}, state.clock())
    whole = ResultItem.model_validate(row).model_dump()
    return ResultWithBytes(**whole, raw_base64=base64.b64encode(row.raw).decode())


@router.get("/devices", tags=["devices"], summary="Devices and their health")
def list_devices(state: Need, visit: Viewer) -> Page[DeviceItem]:
    """Every device of the officer's region and below."""
    with reading(state.engine) as conn:
        found = devices.list_in(conn, visit.scope.listed)
    seen = [one for one in found if visit.scope.covers_site(one.region, one.site)]
    return Page[DeviceItem].model_validate({"items": seen}, from_attributes=True)


@router.get("/missing", tags=["devices"], summary="What is missing, where, since when")
def list_missing(state: Need, visit: Viewer) -> Page[MissingItem]:
    """Every gap in the data of the officer's region and below, gravest first."""
    with reading(state.engine) as conn:
        lines = read_missing(conn, visit.scope, state.clock())
    items = [
        MissingItem(
            kind=line.gap.kind,
            region=line.gap.agent.region,
            site=line.gap.agent.site,
            agent=line.gap.agent.device,
            events=line.gap.events,
            since=line.gap.since,
            detail=line.gap.detail,
            epoch=line.gap.epoch,
            ranges=line.gap.ranges,
        )
        for line in lines
    ]
    return Page[MissingItem](items=items)


def _visible(row: ResultRow, visit: Viewer) -> bool:
    return visit.scope.covers(row.region, row.establishment_id)
