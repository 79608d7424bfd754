"""Signing in by an identity provider: to it, back from it, and leaving it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from server import single_sign_on
from server.needs import Need, came_of
from server.oidc import Provider, ProviderDown
from server.problems import not_found
from server.routes.doors import HOME, local_path, sign_in_form
from server.signing import give_cookie
from server.single_sign_on import SignOnRefused
from server.state import State

router = APIRouter(include_in_schema=False, prefix="/signin/oidc")
STATE_COOKIE = "fs_oidc"
Text = Annotated[str, Query(max_length=4096)]
STATUS = {"denied": 403, "state": 400, "token": 401, "unknown": 403, "down": 502}


@router.get("")
def to_provider(
    request: Request, state: Need, target: Annotated[str, Query(alias="next")] = HOME
) -> Response:
    """To the provider."""
    provider = _provider(state)
    try:
        address, kept = single_sign_on.start(state, provider, local_path(target))
    except SignOnRefused as error:
        return _refused(request, state, error)
    answer = RedirectResponse(address, 303)
    answer.set_cookie(
        STATE_COOKIE,
        kept,
        max_age=single_sign_on.WAY_S,
        path="/signin/oidc",
        secure=state.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/callback")
def from_provider(
    request: Request,
    state: Need,
    code: Text = "",
    returned: Annotated[str, Query(alias="state", max_length=4096)] = "",
    error: Text = "",
    issuer: Annotated[str | None, Query(alias="iss", max_length=4096)] = None,
) -> Response:
    """Back from it, signed in or not."""
    provider = _provider(state)
    kept = request.cookies.get(STATE_COOKIE, "")
    try:
        # RFC 9207: another provider's answer is none of ours.
        if issuer is not None and issuer != provider.settings.issuer:
            raise SignOnRefused("state")
        if error or not code:
            raise SignOnRefused("denied")
        came = came_of(request, state)
        token, target = single_sign_on.finish(state, provider, code, returned, kept, came)
    except SignOnRefused as refused:
        return _refused(request, state, refused)
    answer = RedirectResponse(local_path(target), 303)
    give_cookie(state, answer, token)
    answer.delete_cookie(STATE_COOKIE, path="/signin/oidc")
    return answer


@router.get("/leave")
def leave_provider(request: Request, state: Need) -> Response:
    """End the session at the provider, too: it asks the person."""
    provider = _provider(state)
    try:
        address = provider.leave_address(f"{state.settings.public_base_url}/signin")
    except ProviderDown:
        return _refused(request, state, SignOnRefused("down"))
    return RedirectResponse(address or "/signin", 303)


def _provider(state: State) -> Provider:
    if state.oidc is None:
        raise not_found("page")
    return state.oidc


def _refused(request: Request, state: State, error: SignOnRefused) -> Response:
    answer = sign_in_form(
        request, state, HOME, status=STATUS[error.kind], trouble=f"oidc.refused.{error.kind}"
    )
    answer.delete_cookie(STATE_COOKIE, path="/signin/oidc")
    return answer
