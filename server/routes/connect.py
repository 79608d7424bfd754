"""Pages for other systems: tokens, webhooks with what they were told, and the API's document."""

from datetime import timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from ledger import api_tokens, regions, webhook_deliveries, webhooks
from ledger.api_tokens import ApiToken
from ledger.engine import Connection, reading, writing
from ledger.hook_events import PATTERNS
from server import hooks, tokens
from server.access import Right, may
from server.api_pages import document_page
from server.desk import Names
from server.hooks import HookRefused, HookWish, visible_hook
from server.needs import Changer, Looker, Need, Viewer
from server.pages import render
from server.problems import DOCS
from server.scopes import READS, WRITES
from server.signing import Visit
from server.state import State
from server.tokens import TokenRefused, TokenWish

router = APIRouter(include_in_schema=False)
Reader = Annotated[Visit, Depends(Looker(Right.CONNECT))]
Keeper = Annotated[Visit, Depends(Changer(Right.CONNECT))]
DELIVERIES = 50
DAYS = 180


class TokenLine(msgspec.Struct, frozen=True):
    """A token with the names that its line shows."""

    token: ApiToken
    region: tuple[str, str]
    maker: str
    usable: bool


@router.get("/admin/tokens")
def list_tokens(request: Request, state: Need, visit: Reader) -> Response:
    """The tokens of one's region, and the form for a new one."""
    return _tokens_page(request, state, visit)


@router.post("/admin/tokens")
def make_token(
    request: Request,
    state: Need,
    visit: Keeper,
    name: Annotated[str, Form(max_length=200)] = "",
    region: Annotated[str, Form(max_length=64)] = "",
    days: Annotated[int, Form(ge=0, le=100_000)] = DAYS,
    scopes: Annotated[list[str] | None, Form(alias="scope")] = None,
) -> Response:
    """Make one; its secret is shown on this page and never again."""
    wish = TokenWish(name, tuple(scopes or ()), region or visit.officer.region, days)
    now, longest = state.clock(), state.settings.api.token_days
    try:
        with writing(state.engine) as conn:
            made, secret = tokens.make(conn, visit.officer, wish, now, longest_days=longest)
            tokens.note_made(conn, visit.actor, made, now)
    except TokenRefused as error:
        trouble = f"connect.refused.{error.kind}"
        return _tokens_page(request, state, visit, wish=wish, trouble=trouble)
    return _tokens_page(request, state, visit, secret=secret)


@router.post("/admin/tokens/{token_id}/revoke")
def revoke_token(state: Need, visit: Keeper, token_id: str) -> Response:
    """End one for good."""
    with writing(state.engine) as conn:
        found = tokens.visible_token(conn, visit.scope.regions, token_id)
        tokens.revoke(conn, visit.actor, found, state.clock())
    return RedirectResponse("/admin/tokens", 303)


@router.get("/admin/webhooks")
def list_webhooks(request: Request, state: Need, visit: Reader) -> Response:
    """The webhooks of one's region, and the form for a new one."""
    return _hooks_page(request, state, visit)


@router.post("/admin/webhooks")
def make_webhook(
    request: Request,
    state: Need,
    visit: Keeper,
    name: Annotated[str, Form(max_length=200)] = "",
    url: Annotated[str, Form(max_length=4000)] = "",
    region: Annotated[str, Form(max_length=64)] = "",
    events: Annotated[list[str] | None, Form(alias="event")] = None,
) -> Response:
    """Make one; its secret is shown on this page and never again."""
    wish = HookWish(name, url, tuple(events or ()), region)
    try:
        with writing(state.engine) as conn:
            made = hooks.make(conn, state, visit, wish)
    except HookRefused as error:
        trouble = f"connect.refused.{error.kind}"
        return _hooks_page(request, state, visit, wish=wish, trouble=trouble)
    return _hooks_page(request, state, visit, secret=made.secret)


@router.get("/admin/webhooks/{webhook_id}")
def show_webhook(
    request: Request,
    state: Need,
    visit: Reader,
    webhook_id: str,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """One webhook, and what it was told."""
    return _hook_page(request, state, visit, webhook_id, before)


@router.post("/admin/webhooks/{webhook_id}/secret")
def rotate_secret(
    request: Request,
    state: Need,
    visit: Keeper,
    webhook_id: str,
    overlap_hours: Annotated[int, Form(ge=0, le=hooks.OVERLAP_MOST_H)] = 24,
) -> Response:
    """Give it another secret, which is shown on this page and never again."""
    overlap = timedelta(hours=overlap_hours)
    with writing(state.engine) as conn:
        made = hooks.rotate(conn, visit, webhook_id, overlap, state.clock())
    return _hook_page(request, state, visit, webhook_id, None, secret=made.secret)


def _hook_page(
    request: Request,
    state: State,
    visit: Visit,
    webhook_id: str,
    before: int | None,
    secret: str = "",
) -> Response:
    with reading(state.engine) as conn:
        hook = visible_hook(conn, visit, webhook_id)
        found = webhook_deliveries.list_of(conn, hook.id, DELIVERIES + 1, before)
        waiting = webhook_deliveries.waiting(conn, hook.id)
        region = Names(conn).region(hook.region)
    return render(
        request,
        "connect/webhook.html",
        hook=hook,
        region=region,
        waiting=waiting,
        deliveries=found[:DELIVERIES],
        more=found[DELIVERIES - 1].id if len(found) > DELIVERIES else None,
        secret=secret,
        overlap_most=hooks.OVERLAP_MOST_H,
        connects=True,
    )


@router.post("/admin/webhooks/{webhook_id}/test")
def test_webhook(state: Need, visit: Keeper, webhook_id: str) -> Response:
    """Have a message sent to see that it arrives."""
    with writing(state.engine) as conn:
        hooks.test(conn, visit, webhook_id, state.clock())
    return _to(webhook_id)


@router.post("/admin/webhooks/{webhook_id}/pause")
def pause_webhook(state: Need, visit: Keeper, webhook_id: str) -> Response:
    """Tell it nothing for now."""
    with writing(state.engine) as conn:
        hooks.pause(conn, visit, webhook_id, state.clock())
    return _to(webhook_id)


@router.post("/admin/webhooks/{webhook_id}/resume")
def resume_webhook(state: Need, visit: Keeper, webhook_id: str) -> Response:
    """Go on where it stood."""
    with writing(state.engine) as conn:
        hooks.resume(conn, visit, webhook_id, state.clock())
    return _to(webhook_id)


@router.post("/admin/webhooks/{webhook_id}/remove")
def remove_webhook(state: Need, visit: Keeper, webhook_id: str) -> Response:
    """Tell it nothing any more."""
    with writing(state.engine) as conn:
        hooks.remove(conn, visit, webhook_id, state.clock())
    return RedirectResponse("/admin/webhooks", 303)


@router.post("/admin/webhooks/{webhook_id}/deliveries/{message_id}/redeliver")
def redeliver_message(
    state: Need,
    visit: Keeper,
    webhook_id: str,
    message_id: str,
) -> Response:
    """Send a message once more, under its old id."""
    with writing(state.engine) as conn:
        hooks.redeliver(conn, visit, webhook_id, message_id, state.clock())
    return _to(webhook_id)


@router.get(DOCS)
def show_document(request: Request, visit: Viewer) -> Response:
    """The API's document for people."""
    groups = document_page(request.app.openapi())
    connects = may(visit.officer, Right.CONNECT)
    return render(request, "connect/document.html", groups=groups, connects=connects)


def _to(webhook_id: str) -> Response:
    return RedirectResponse(f"/admin/webhooks/{webhook_id}", 303)


def _tokens_page(
    request: Request,
    state: State,
    visit: Visit,
    *,
    wish: TokenWish | None = None,
    secret: str = "",
    trouble: str = "",
) -> Response:
    now = state.clock()
    with reading(state.engine) as conn:
        tokens = api_tokens.list_in(conn, visit.scope.listed)
        names = Names(conn).look_up(
            regions=(one.region for one in tokens), officers=(one.officer_id for one in tokens)
        )
        lines = [
            TokenLine(one, names.region(one.region), names.officer(one.officer_id), one.usable(now))
            for one in tokens
        ]
        places = _places(conn, visit)
    return render(
        request,
        "connect/tokens.html",
        status=422 if trouble else 200,
        lines=sorted(lines, key=lambda line: not line.usable),
        regions=places,
        wish=wish or TokenWish("", (), visit.officer.region, DAYS),
        reads=READS,
        writes=WRITES,
        longest=state.settings.api.token_days,
        soon=now + timedelta(days=14),
        secret=secret,
        trouble=trouble,
        connects=True,
    )


def _hooks_page(
    request: Request,
    state: State,
    visit: Visit,
    *,
    wish: HookWish | None = None,
    secret: str = "",
    trouble: str = "",
) -> Response:
    with reading(state.engine) as conn:
        found = webhooks.list_in(conn, visit.scope.listed)
        names = Names(conn).look_up(regions=(one.region for one in found))
        lines = [(one, names.region(one.region)) for one in found]
        places = _places(conn, visit)
    return render(
        request,
        "connect/webhooks.html",
        status=422 if trouble else 200,
        lines=lines,
        regions=places,
        patterns=PATTERNS,
        wish=wish or HookWish("", "", (), visit.officer.region),
        secret=secret,
        trouble=trouble,
        connects=True,
    )


def _places(conn: Connection, visit: Visit) -> list[regions.Region]:
    return [one for one in regions.all_regions(conn) if one.code in visit.scope.regions]
