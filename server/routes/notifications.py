"""The journal of what was sent, what was held back, and the browsers that take web push."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ledger import push_subscriptions
from ledger.engine import reading
from server.access import only_recipient
from server.desk import count_alerts, tally
from server.needs import Need, Viewer
from server.notification_list import (
    NotificationFilter,
    balances,
    find_notifications,
    recipients,
    today,
)
from server.pages import render

router = APIRouter(include_in_schema=False)
PAGE = 50
StateName = Literal["", "queued", "sending", "sent", "failed", "held", "cancelled"]


@router.get("/notifications")
def list_notifications(
    request: Request,
    state: Need,
    visit: Viewer,
    day: date | None = None,
    officer: Annotated[str, Query(max_length=128)] = "",
    asked_state: Annotated[StateName, Query(alias="state")] = "",
    before: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """A day's journal; by officer and state."""
    now = state.clock()
    wanted = NotificationFilter(day or today(now), officer, asked_state)
    with reading(state.engine) as conn:
        lines, more = find_notifications(conn, visit.scope, visit.officer, wanted, PAGE, before)
        told = balances(conn, visit.scope, visit.officer, wanted)
        people = [] if only_recipient(visit.officer) else recipients(conn, visit.scope)
        browsers = push_subscriptions.of_officer(conn, visit.officer.id)
        key = push_subscriptions.server_key(conn)
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "notifications/list.html",
        wanted=wanted,
        lines=lines,
        more=lines[-1].row.id if more else None,
        balances=told,
        people=people,
        browsers=browsers,
        key=key,
        counts=tally(counted),
    )
