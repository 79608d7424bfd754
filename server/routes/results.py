"""One quick test's result: value, bytes, sample, and the case that it is in."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from ledger import audit, case_links
from ledger.engine import reading, writing
from server.access import Right, may
from server.case_moves import visible_result
from server.desk import Names
from server.needs import Need, Viewer
from server.pages import render

router = APIRouter(include_in_schema=False)


@router.get("/results/{result_id}")
def one_result(request: Request, state: Need, visit: Viewer, result_id: str) -> Response:
    """The result's page; that somebody looked at its bytes is audited."""
    with reading(state.engine) as conn:
        row = visible_result(conn, visit, result_id)
        place = Names(conn).place(row.establishment_id, row.site)
        case = case_links.holding_result(conn, result_id)
    with writing(state.engine) as conn:
        what = f"result/{result_id}"
        audit.append(conn, visit.actor, "evidence_viewed", what, {}, state.clock())
    return render(
        request,
        "results/result.html",
        test=row,
        place=place,
        case=case,
        states=state.casework.rules.states,
        limits=state.limit_lines,
        acts=may(visit.officer, Right.ACT),
    )
