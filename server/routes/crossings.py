"""The page of limits that readings crossed at an establishment, worked out of the readings."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from ledger.engine import reading
from server.crossings import MOST_DAYS, looked_through
from server.needs import Costly, Need, Viewer
from server.pages import render
from server.routes.establishments import visible_establishment
from server.routes.history import Day, asked_for

router = APIRouter(include_in_schema=False)


@router.get("/establishments/{establishment_id}/crossings", dependencies=[Costly])
def crossings_page(
    request: Request,
    state: Need,
    visit: Viewer,
    establishment_id: str,
    since: Day = "",
    until: Day = "",
) -> Response:
    """Each stretch beyond the limit in force: begin, end, peak, limit."""
    asked = asked_for(None, since, until)
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
    looked = looked_through(state, one, asked)
    return render(
        request,
        "establishments/crossings.html",
        one=one,
        asked=asked,
        looked=looked,
        days=MOST_DAYS,
        ends=("back", "gap", "limit", "open"),
    )
