"""What an establishment's people and grid officers say on an alert: seen, and a note."""

from typing import Annotated

from fastapi import APIRouter, Form, Header, Request
from starlette.responses import RedirectResponse, Response

from server import changes
from server.access import Right
from server.api_models import AlertItem, AnswerRequest
from server.needs import Answerer, Need, acts
from server.problems import Problem
from server.routes.alerts import state_part
from server.routes.api_parts import PREFIX, problems
from server.signing import Visit

router = APIRouter()


@router.post("/alerts/{alert_id}/answer", include_in_schema=False)
def do_answer(
    request: Request,
    state: Need,
    visit: Answerer,
    alert_id: str,
    note: Annotated[str, Form(max_length=2000)] = "",
    fragment: Annotated[str, Header(alias="HX-Request")] = "",
) -> Response:
    """Say that one has seen it; with a note, what one knows of it."""
    try:
        changes.answer(state, visit, alert_id, note.strip())
    except Problem as error:
        if error.status != 409:
            raise
        return state_part(request, state, visit, alert_id, status=409, trouble="alert.changed")
    if not fragment:
        return RedirectResponse(f"/alerts/{alert_id}", 303)
    return state_part(request, state, visit, alert_id)


@router.post(
    f"{PREFIX}/alerts/{{alert_id}}/answer",
    tags=["alerts"],
    summary="Say that one has seen an alert, and what one knows of it",
    responses=problems(401, 403, 404, 409, 422, 503),
)
def answer_alert(
    state: Need,
    visit: Annotated[Visit, acts("alerts:move", Right.ANSWER)],
    alert_id: str,
    body: AnswerRequest,
) -> AlertItem:
    """For an establishment's people and grid officers; moves nothing. Twice the same: once."""
    return AlertItem.model_validate(changes.answer(state, visit, alert_id, body.note.strip()))
