"""Pictures of looks that are kept as evidence: asking, the picture's page, adding it to a case."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from ledger import audit
from ledger.engine import reading, writing
from server import case_moves, keeping
from server.access import Right, may
from server.desk import count_alerts, tally
from server.looking import LookRefused
from server.needs import Actor, Need, Viewer
from server.pages import render
from server.problems import Problem
from server.routes.looks import render_look, visible_look
from server.uploads import UploadRefused

router = APIRouter(include_in_schema=False)


@router.post("/kitchens/looks/{look_id}/keep")
def keep_picture(
    request: Request,
    state: Need,
    visit: Actor,
    look_id: str,
    reason: Annotated[str, Form(max_length=2000)] = "",
    sha256: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    """Ask the site to keep the picture that the page shows."""
    now = state.clock()
    try:
        with writing(state.engine) as conn:
            row = visible_look(conn, visit, look_id)
            keeping.ask(conn, visit, row, reason, sha256, now)
    except LookRefused as error:
        return render_look(
            request, state, visit, look_id, trouble=error.kind, said=reason, status=error.status
        )
    return RedirectResponse(f"/kitchens/looks/{look_id}#kept", 303)


@router.get("/kitchens/kept/{kept_id}")
def show_kept(request: Request, state: Need, visit: Viewer, kept_id: str) -> Response:
    """The evidence: picture, what vouches for it, who kept it and why, its cases."""
    now = state.clock()
    with reading(state.engine) as conn:
        kept = keeping.read_kept(conn, state, visit, kept_id)
        counted = count_alerts(conn, visit.scope)
    with writing(state.engine) as conn:
        detail = {"site": kept.row.site, "evidence": kept.row.evidence_id}
        look = f"look/{kept.row.look_id}"
        audit.append(conn, visit.actor, "evidence_viewed", look, detail, now)
    return render(
        request,
        "kitchens/kept.html",
        kept=kept,
        row=kept.row,
        picture=kept.picture,
        stands=kept.row.stands(now),
        acts=may(visit.officer, Right.ACT),
        counts=tally(counted),
    )


@router.post("/kitchens/kept/{kept_id}/case")
def add_to_case(
    state: Need, visit: Actor, kept_id: str, case_id: Annotated[str, Form(max_length=64)]
) -> Response:
    """Add the picture to the files of a case of the same establishment."""
    with reading(state.engine) as conn:
        kept = keeping.read_kept(conn, state, visit, kept_id)
    if case_id in {one.case_id for one in kept.open_cases}:
        try:
            case_moves.add_files(state, visit, case_id, [keeping.as_file(kept, state)])
        except UploadRefused as error:
            raise Problem(422, "file-refused", str(error)) from None
    elif case_id not in {one.case_id for one in kept.attached}:
        raise Problem(422, "invalid-request", "no open case of this establishment")
    return RedirectResponse(f"/kitchens/kept/{kept_id}#cases", 303)
