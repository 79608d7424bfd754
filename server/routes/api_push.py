"""The JSON API of web push: the browsers in which an officer takes notifications."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter

from ledger import audit, push_subscriptions
from ledger.engine import Connection, reading, writing
from ledger.push_subscriptions import PushSubscription
from server import api_worth as shapes
from server.api_models import Page
from server.cursors import cut
from server.needs import Need, reads, sends
from server.problems import Problem, not_found
from server.routes.api_parts import PREFIX, Before, Limit, paged, problems
from server.signing import Visit

router = APIRouter(prefix=PREFIX, responses=problems(401, 422, 503))
LEFT = 200
"""So many of those that are left are told after one was removed."""


@router.get("/push-subscriptions", tags=["notifications"], summary="One's own browsers")
def list_push(
    state: Need,
    visit: Annotated[Visit, reads("session")],
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.PushItem]:
    """Browsers that take this officer's notifications."""
    with reading(state.engine) as conn:
        found = push_subscriptions.of_officer(conn, visit.officer.id)
    return _page(found, limit, before)


@router.post(
    "/push-subscriptions",
    tags=["notifications"],
    summary="Take notifications in a browser",
    responses=problems(403),
)
def add_push(
    state: Need, visit: Annotated[Visit, sends("session")], body: shapes.PushRequest
) -> shapes.PushItem:
    """What the browser's `PushSubscription.toJSON()` says."""
    now = state.clock()
    with writing(state.engine) as conn:
        new = PushSubscription(
            officer_id=visit.officer.id,
            endpoint=body.endpoint,
            p256dh=body.keys.get("p256dh", ""),
            auth=body.keys.get("auth", ""),
            created_at=now,
            server_key=push_subscriptions.server_key(conn),
            browser=body.browser,
        )
        try:
            key = push_subscriptions.add(conn, new)
        except ValueError as error:
            raise Problem(422, "invalid-request", str(error)[:200]) from None
        _audit(conn, visit, "push_turned_on", key, now)
    return shapes.PushItem(id=key, browser=body.browser, created_at=now, failed_at=None)


@router.delete(
    "/push-subscriptions/{subscription_id}",
    tags=["notifications"],
    summary="No more notifications in a browser",
    responses=problems(403, 404),
)
def remove_push(
    state: Need, visit: Annotated[Visit, sends("session")], subscription_id: str
) -> Page[shapes.PushItem]:
    """One's own only; answers with those that are left."""
    now = state.clock()
    with writing(state.engine) as conn:
        if not push_subscriptions.remove(conn, subscription_id, visit.officer.id):
            raise not_found("subscription")
        _audit(conn, visit, "push_turned_off", subscription_id, now)
        found = push_subscriptions.of_officer(conn, visit.officer.id)
    return _page(found, LEFT, None)


def _audit(conn: Connection, visit: Visit, action: str, key: str, at: datetime) -> None:
    audit.append(conn, visit.actor, action, f"push/{key}", {}, at)


def _page(
    found: Sequence[PushSubscription], limit: int, before: str | None
) -> Page[shapes.PushItem]:
    def place(one: PushSubscription) -> tuple[datetime, str]:
        return one.created_at, one.id

    return paged(
        shapes.PushItem,
        *cut(found, place, "push", tuple[datetime, str], limit, before, descending=True),
    )
