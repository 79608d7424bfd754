"""Codes of public pages: renewing one or a region's, and the sheets that are hung up."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from ledger import regions
from ledger.engine import reading
from ledger.public_codes import Renewed
from server.access import Right
from server.api_files import GRACE_DAYS, CodeItem, CodeRequest, RegionCodesRequest
from server.api_models import Page
from server.needs import Changer, Costly, Looker, Need, Viewer, acts
from server.pages import render
from server.public_renewal import (
    MOST,
    address_of_code,
    codes_file,
    region_of,
    renew_one,
    renew_region,
)
from server.routes.api_parts import PREFIX, problems
from server.routes.establishments import visible_establishment
from server.signing import Visit
from server.state import State

router = APIRouter()
Keeper = Annotated[Visit, Depends(Looker(Right.ADMIN))]
Changing = Annotated[Visit, Depends(Changer(Right.ADMIN))]
Reason = Annotated[str, Form(min_length=1, max_length=500)]
Grace = Annotated[int, Form(ge=0, le=GRACE_DAYS)]
SHEETS = 200
"""Pages that one print has."""


def _item(state: State, one: Renewed) -> CodeItem:
    return CodeItem(id=one.id, public_code=one.new, address=address_of_code(state, one.new))


@router.post("/establishments/{establishment_id}/code", include_in_schema=False)
def renew_on_page(
    state: Need, visit: Changing, establishment_id: str, note: Reason, grace_days: Grace = 0
) -> Response:
    """A new code; the old sticker opens nothing any more."""
    renew_one(state, visit, establishment_id, note, grace_days)
    return RedirectResponse(f"/establishments/{establishment_id}#code", 303)


@router.get("/establishments/{establishment_id}/sheet", include_in_schema=False)
def sheet(request: Request, state: Need, visit: Viewer, establishment_id: str) -> Response:
    """One page to print and hang up: name, code, and what it is for."""
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
    return render(request, "codes/sheet.html", places=[one], more=0)


@router.get("/admin/codes", include_in_schema=False)
def codes_page(request: Request, state: Need, visit: Keeper) -> Response:
    """Renewing the codes of a region, and printing its sheets."""
    with reading(state.engine) as conn:
        found = [one for one in regions.all_regions(conn) if one.code in visit.scope.regions]
    return render(
        request, "codes/region.html", regions=found, days=GRACE_DAYS, most=MOST, sheets=SHEETS
    )


@router.post("/admin/codes", include_in_schema=False)
def renew_codes(
    state: Need,
    visit: Changing,
    region: Annotated[str, Form(max_length=64)],
    note: Reason,
    grace_days: Grace = 0,
) -> Response:
    """New codes for a region; answers with their addresses as a file."""
    made = renew_region(state, visit, region, note, grace_days)
    headers = {"content-disposition": f'attachment; filename="codes-{len(made)}.csv"'}
    return Response(codes_file(state, made), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/admin/codes/sheets", include_in_schema=False, dependencies=[Costly])
def sheets(
    request: Request,
    state: Need,
    visit: Keeper,
    region: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[int, Query(ge=0, le=MOST)] = 0,
) -> Response:
    """A region's pages to print, so many at a time."""
    found = region_of(state, visit, region or visit.officer.region)
    shown = found[after : after + SHEETS]
    left = len(found) > after + SHEETS
    return render(
        request,
        "codes/sheet.html",
        places=shown,
        more=after + SHEETS if left else 0,
        region=region or visit.officer.region,
    )


@router.post(
    f"{PREFIX}/establishments/{{establishment_id}}/code",
    tags=["establishments"],
    summary="Renew the code of its public page",
    responses=problems(401, 403, 404, 409, 422, 503),
)
def renew_code(
    state: Need,
    visit: Annotated[Visit, acts("admin:write", Right.ADMIN)],
    establishment_id: str,
    body: CodeRequest,
) -> CodeItem:
    """The old code answers 410 from now on, or after its days of grace."""
    return _item(state, renew_one(state, visit, establishment_id, body.note, body.grace_days))


@router.post(
    f"{PREFIX}/admin/codes",
    tags=["administration"],
    summary="Renew the codes of a region's public pages",
    responses=problems(401, 403, 404, 422, 503),
)
def renew_codes_of_region(
    state: Need,
    visit: Annotated[Visit, acts("admin:write", Right.ADMIN)],
    body: RegionCodesRequest,
) -> Page[CodeItem]:
    """All or none of them, in one transaction; each has its entry in the audit chain."""
    made = renew_region(state, visit, body.region, body.note, body.grace_days)
    return Page[CodeItem](items=[_item(state, one) for one in made])
