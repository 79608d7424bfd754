"""The page that a one-time link opens: set a password, once. Nobody is signed in there yet."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from ledger.engine import reading
from ledger.officers import Officer
from server import people
from server.needs import Need, check_origin
from server.pages import render
from server.problems import Problem
from server.state import State

router = APIRouter(include_in_schema=False, prefix="/welcome")
FORM_COOKIE = "fs_welcome"
Password = Annotated[str, Form(max_length=1024)]


@router.get("/{token}")
def welcome(request: Request, state: Need, token: str) -> Response:
    """The form; looking at it does not use the link up."""
    return _form(request, state, token, _owner(state, token))


@router.post("/{token}")
def set_password(
    request: Request,
    state: Need,
    token: str,
    new: Password = "",
    again: Password = "",
    form: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    """Set it; on to the sign-in."""
    check_origin(request, state)
    owner = _owner(state, token)
    expected = request.cookies.get(FORM_COOKIE, "")
    if not expected or not secrets.compare_digest(form.encode(), expected.encode()):
        return _form(request, state, token, owner, status=403, trouble="stale")
    if new != again:
        return _form(request, state, token, owner, status=422, trouble="differ")
    weak = people.use_link(state, token, new)
    if weak is not None:
        return _form(request, state, token, owner, status=422, trouble=weak)
    answer = RedirectResponse("/signin?notice=set", 303)
    answer.delete_cookie(FORM_COOKIE, path="/welcome")
    return answer


def _owner(state: State, token: str) -> Officer:
    with reading(state.engine) as conn:
        owner = people.link_owner(conn, token, state.clock())
    if owner is None:
        raise Problem(404, "link-used", "the link cannot be used any more")
    return owner


def _form(
    request: Request,
    state: State,
    token: str,
    owner: Officer,
    *,
    status: int = 200,
    trouble: str = "",
) -> Response:
    form = secrets.token_urlsafe(24)
    answer = render(
        request,
        "people/welcome.html",
        status=status,
        owner=owner,
        token=token,
        trouble=trouble,
        form=form,
    )
    answer.set_cookie(
        FORM_COOKIE,
        form,
        max_age=3600,
        path="/welcome",
        secure=state.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return answer
