"""The JSON API of webhooks: make, list, test, pause, remove; what was sent, and once more."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter

from ledger import webhook_deliveries, webhooks
from ledger.engine import reading, writing
from ledger.webhooks import Webhook
from server import hooks
from server.access import Right
from server.api_models import Page
from server.api_webhooks import (
    DeliveryItem,
    RotateRequest,
    WebhookItem,
    WebhookMade,
    WebhookRequest,
)
from server.cursors import cut, place_of, sliced
from server.hooks import HookRefused, HookWish, visible_hook
from server.needs import Need, acts, reads
from server.problems import Problem, at_field
from server.routes.api_parts import PREFIX, Before, Limit, paged, problems
from server.signing import Visit

router = APIRouter(prefix=f"{PREFIX}/webhooks", tags=["webhooks"])
Reader = Annotated[Visit, reads("webhooks:read", Right.CONNECT)]
Keeper = Annotated[Visit, acts("webhooks:write", Right.CONNECT)]


@router.get("", summary="Webhooks")
def list_webhooks(
    state: Need, visit: Reader, limit: Limit = 50, before: Before = None
) -> Page[WebhookItem]:
    """Those over the officer's region and below, the newest first."""
    with reading(state.engine) as conn:
        rows = webhooks.list_in(conn, visit.scope.listed)
    found, following = cut(
        rows, _place, "webhooks", tuple[str, str], limit, before, descending=True
    )
    return paged(WebhookItem, found, following)


@router.post("", summary="Make a webhook")
def make_webhook(state: Need, visit: Keeper, body: WebhookRequest) -> WebhookMade:
    """It is told of what happens from now on. The secret is told this once."""
    wish = HookWish(body.name, body.url, tuple(body.events), body.region)
    try:
        with writing(state.engine) as conn:
            made = hooks.make(conn, state, visit, wish)
    except HookRefused as error:
        fault = at_field(error.kind, detail=str(error))
        raise Problem(422, "webhook-refused", str(error), faults=[fault]) from None
    return WebhookMade.model_validate(made)


@router.get("/{webhook_id}", summary="One webhook", responses=problems(404))
def get_webhook(state: Need, visit: Reader, webhook_id: str) -> WebhookItem:
    """As it stands, without its secret."""
    with reading(state.engine) as conn:
        return WebhookItem.model_validate(visible_hook(conn, visit, webhook_id))


@router.delete("/{webhook_id}", summary="Remove a webhook", responses=problems(404))
def remove_webhook(state: Need, visit: Keeper, webhook_id: str) -> WebhookItem:
    """It is told nothing any more; answers with it as it was."""
    with writing(state.engine) as conn:
        return WebhookItem.model_validate(hooks.remove(conn, visit, webhook_id, state.clock()))


@router.post(
    "/{webhook_id}/secret", summary="Give a webhook another secret", responses=problems(404)
)
def rotate_secret(state: Need, visit: Keeper, webhook_id: str, body: RotateRequest) -> WebhookMade:
    """The new secret is told this once; for a while messages are signed by both."""
    overlap = timedelta(hours=body.overlap_hours)
    with writing(state.engine) as conn:
        made = hooks.rotate(conn, visit, webhook_id, overlap, state.clock())
    return WebhookMade.model_validate(made)


@router.post("/{webhook_id}/test", summary="Test a webhook", responses=problems(404, 409))
def test_webhook(state: Need, visit: Keeper, webhook_id: str) -> WebhookItem:
    """A message `webhook.test` is sent at once; how it fared stands among the deliveries."""
    with writing(state.engine) as conn:
        hooks.test(conn, visit, webhook_id, state.clock())
        return WebhookItem.model_validate(visible_hook(conn, visit, webhook_id))


@router.post("/{webhook_id}/pause", summary="Pause a webhook", responses=problems(404, 409))
def pause_webhook(state: Need, visit: Keeper, webhook_id: str) -> WebhookItem:
    """Nothing is sent until it goes on; what happens meanwhile is told then."""
    with writing(state.engine) as conn:
        return WebhookItem.model_validate(hooks.pause(conn, visit, webhook_id, state.clock()))


@router.post("/{webhook_id}/resume", summary="Let a webhook go on", responses=problems(404))
def resume_webhook(state: Need, visit: Keeper, webhook_id: str) -> WebhookItem:
    """From where it stood. One that is active comes as it stands."""
    with writing(state.engine) as conn:
        return WebhookItem.model_validate(hooks.resume(conn, visit, webhook_id, state.clock()))


@router.get("/{webhook_id}/deliveries", summary="What a webhook was told", responses=problems(404))
def list_deliveries(
    state: Need, visit: Reader, webhook_id: str, limit: Limit = 50, before: Before = None
) -> Page[DeliveryItem]:
    """Messages and how they fared, the newest first; those that went are kept for two weeks."""
    place = place_of("deliveries", before, tuple[int])
    last = place[0] if place else None
    with reading(state.engine) as conn:
        hook = visible_hook(conn, visit, webhook_id)
        rows = webhook_deliveries.list_of(conn, hook.id, limit + 1, last)
    return paged(DeliveryItem, *sliced(rows, lambda row: (row.id,), "deliveries", limit))


@router.post(
    "/{webhook_id}/deliveries/{message_id}/redeliver",
    summary="Send a message once more",
    responses=problems(404, 409),
)
def redeliver_message(state: Need, visit: Keeper, webhook_id: str, message_id: str) -> DeliveryItem:
    """Under its old id. One that waits already: a conflict."""
    with writing(state.engine) as conn:
        one = hooks.redeliver(conn, visit, webhook_id, message_id, state.clock())
    return DeliveryItem.model_validate(one)


def _place(one: Webhook) -> tuple[str, str]:
    return one.created_at.isoformat(), one.id
