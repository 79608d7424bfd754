"""The JSON API's move for many alerts at once: the same core as the alert desk's."""

from typing import Annotated

from fastapi import APIRouter

from server import bulk
from server.access import Right
from server.api_bulk import BulkAnswer, BulkItem, BulkRequest
from server.api_models import AlertItem
from server.needs import Need, acts
from server.routes.api_parts import PREFIX, problems
from server.signing import Visit

router = APIRouter(prefix=PREFIX, responses=problems(401, 422, 503))


@router.post(
    "/alerts/bulk/acknowledge",
    tags=["alerts"],
    summary="Acknowledge many alerts",
    responses=problems(403),
)
def acknowledge_many(
    state: Need,
    visit: Annotated[Visit, acts("alerts:move", Right.ACKNOWLEDGE)],
    body: BulkRequest,
) -> BulkAnswer:
    """Each is taken on and audited by itself; sent again, it changes nothing."""
    words = state.words["en"]
    told = bulk.move_all(state, visit, [*dict.fromkeys(body.alert_ids)], bulk.acknowledge())
    return BulkAnswer(
        answers=[
            BulkItem(
                alert_id=one.alert_id,
                outcome=one.outcome,
                why=words(one.why) if one.why else "",
                alert=AlertItem.model_validate(one.line.alert) if one.line else None,
            )
            for one in told
        ]
    )
