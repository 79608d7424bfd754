"""The JSON API's changes of an alert, what was said of it, and who was told."""

from typing import Annotated

from fastapi import APIRouter

from ledger import notifications, verdicts
from ledger.engine import reading
from server import changes, judging
from server.access import Right, only_recipient
from server.api_models import AlertItem, CloseRequest, Page
from server.api_worth import (
    NoteRequest,
    NotificationItem,
    ReviewRequest,
    VerdictItem,
    VerdictRequest,
)
from server.changes import acknowledge, close, visible_alert
from server.cursors import cut, place_of, sliced
from server.needs import Need, acts, reads
from server.routes.api_parts import PREFIX, Before, Limit, paged, problems
from server.signing import Visit

router = APIRouter(prefix=PREFIX, responses=problems(401, 422, 503))


@router.post(
    "/alerts/{alert_id}/acknowledge",
    tags=["alerts"],
    summary="Acknowledge an alert",
    responses=problems(403, 404, 409),
)
def acknowledge_alert(
    state: Need,
    visit: Annotated[Visit, acts("alerts:move", Right.ACKNOWLEDGE)],
    alert_id: str,
) -> AlertItem:
    """Take it on. If somebody already has, the alert comes back as it stands."""
    return AlertItem.model_validate(acknowledge(state, visit, alert_id))


@router.post(
    "/alerts/{alert_id}/close",
    tags=["alerts"],
    summary="Close an alert",
    responses=problems(403, 404, 409),
)
def close_alert(
    state: Need, visit: Annotated[Visit, acts("alerts:move")], alert_id: str, body: CloseRequest
) -> AlertItem:
    """Say that it is done, and how. An alert that is closed already is a conflict."""
    return AlertItem.model_validate(close(state, visit, alert_id, body.note))


@router.post(
    "/alerts/{alert_id}/dispose",
    tags=["alerts"],
    summary="Say what was done about an alert",
    responses=problems(403, 404, 409),
)
def dispose_alert(
    state: Need, visit: Annotated[Visit, acts("alerts:move")], alert_id: str, body: NoteRequest
) -> AlertItem:
    """It waits for review by another officer then. Nobody has acknowledged it: a conflict."""
    return AlertItem.model_validate(changes.dispose(state, visit, alert_id, body.note))


@router.post(
    "/alerts/{alert_id}/review",
    tags=["alerts"],
    summary="Review a disposal",
    responses=problems(403, 404, 409),
)
def review_alert(
    state: Need, visit: Annotated[Visit, acts("alerts:move")], alert_id: str, body: ReviewRequest
) -> AlertItem:
    """Hold it for enough, or return it. One's own disposal: a conflict."""
    row = changes.review(state, visit, alert_id, body.note, accepted=body.accepted)
    return AlertItem.model_validate(row)


@router.post(
    "/alerts/{alert_id}/pause",
    tags=["alerts"],
    summary="Pause an alert's deadlines for an appeal",
    responses=problems(403, 404, 409),
)
def pause_alert(
    state: Need, visit: Annotated[Visit, acts("alerts:move")], alert_id: str, body: NoteRequest
) -> AlertItem:
    """Deadlines stand still until it is resumed."""
    return AlertItem.model_validate(changes.pause(state, visit, alert_id, body.note))


@router.post(
    "/alerts/{alert_id}/resume",
    tags=["alerts"],
    summary="Let an alert's deadlines run on",
    responses=problems(403, 404, 409),
)
def resume_alert(
    state: Need, visit: Annotated[Visit, acts("alerts:move")], alert_id: str, body: NoteRequest
) -> AlertItem:
    """The appeal is over."""
    return AlertItem.model_validate(changes.resume(state, visit, alert_id, body.note))


@router.post(
    "/alerts/{alert_id}/verdict",
    tags=["alerts"],
    summary="Say whether an alert was right",
    responses=problems(403, 404, 409),
)
def judge_alert(
    state: Need, visit: Annotated[Visit, acts("alerts:move")], alert_id: str, body: VerdictRequest
) -> VerdictItem:
    """The verdict that stands then; what stood before is its history."""
    changes.judge(state, visit, alert_id, judging.said(state, body.verdict, body.cause, body.note))
    with reading(state.engine) as conn:
        return VerdictItem.model_validate(verdicts.standing(conn, alert_id))


@router.get(
    "/alerts/{alert_id}/verdicts",
    tags=["alerts"],
    summary="What was said of an alert, oldest first",
    responses=problems(404),
)
def list_verdicts(
    state: Need,
    visit: Annotated[Visit, reads("alerts:read")],
    alert_id: str,
    limit: Limit = 50,
    before: Before = None,
) -> Page[VerdictItem]:
    """Every verdict; the one without `superseded_at` stands."""
    with reading(state.engine) as conn:
        visible_alert(conn, visit, alert_id)
        found = verdicts.history(conn, alert_id)
    return paged(
        VerdictItem, *cut(found, lambda row: (row.id,), "verdicts", tuple[int], limit, before)
    )


@router.get(
    "/alerts/{alert_id}/notifications",
    tags=["alerts"],
    summary="Who was told of an alert, or why not",
    responses=problems(404),
)
def list_told(
    state: Need,
    visit: Annotated[Visit, reads("alerts:read")],
    alert_id: str,
    limit: Limit = 50,
    before: Before = None,
) -> Page[NotificationItem]:
    """Messages about it, newest first. An operator sees only their own."""
    own = only_recipient(visit.officer)
    place = place_of("told", before, tuple[int])
    last = place[0] if place else None
    with reading(state.engine) as conn:
        visible_alert(conn, visit, alert_id)
        found = notifications.list(
            conn, alert_id=alert_id, recipient=own, limit=limit + 1, before=last
        )
    return paged(NotificationItem, *sliced([*found], lambda row: (row.id,), "told", limit))
