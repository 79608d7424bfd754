"""Signing in and out, and the choice of language."""

import secrets
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from server.languages import LANGUAGES
from server.needs import Need, Sender, came_of, check_origin
from server.pages import LANGUAGE_COOKIE, render
from server.signing import Refused, TooManyAttempts, give_cookie, sign_in, sign_out, take_cookie
from server.state import State

router = APIRouter(include_in_schema=False)
FORM_COOKIE = "fs_form"
"""Ties the sign-in form to the browser that was given it; there is no session yet to tie it to."""
HOME = "/alerts"


def local_path(path: str) -> str:
    """`path` if it stays on this server, else the first page."""
    parts = urlsplit(path)
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path
    return path if inside and not parts.scheme and not parts.netloc else HOME


@router.get("/")
def home() -> Response:
    """To the first page."""
    return RedirectResponse(HOME, 303)


@router.get("/signin", name="sign_in_page")
def sign_in_page(
    request: Request,
    state: Need,
    target: Annotated[str, Query(alias="next")] = HOME,
    notice: Annotated[Literal["", "set", "out"], Query()] = "",
) -> Response:
    """The form; `notice` tells somebody who has just set a password that they can use it."""
    return sign_in_form(request, state, target, notice=notice)


@router.post("/signin")
def do_sign_in(
    request: Request,
    state: Need,
    login: Annotated[str, Form(max_length=128)],
    password: Annotated[str, Form(max_length=1024)],
    form: Annotated[str, Form()] = "",
    target: Annotated[str, Form(alias="next")] = HOME,
) -> Response:
    """Check the password; on to the page that was asked for."""
    check_origin(request, state)
    expected = request.cookies.get(FORM_COOKIE, "")
    if not expected or not secrets.compare_digest(form.encode(), expected.encode()):
        return sign_in_form(request, state, target, status=403, trouble="signin.stale", login=login)
    try:
        token, _ = sign_in(state, login, password, came_of(request, state))
    except Refused:
        return sign_in_form(
            request, state, target, status=401, trouble="signin.refused", login=login
        )
    except TooManyAttempts as error:
        answer = sign_in_form(
            request,
            state,
            target,
            status=429,
            trouble="signin.limited",
            wait_s=error.wait_s,
            login=login,
        )
        answer.headers["retry-after"] = str(int(error.wait_s))
        return answer
    answer = RedirectResponse(local_path(target), 303)
    give_cookie(state, answer, token)
    answer.delete_cookie(FORM_COOKIE, path="/signin")
    return answer


@router.post("/signout")
def do_sign_out(state: Need, visit: Sender) -> Response:
    """End the session; back to the form."""
    sign_out(state, visit)
    # Its own session at the provider is another matter: the page offers to end that, too.
    single = visit.session.way == "oidc" and state.oidc is not None
    answer = RedirectResponse("/signin?notice=out" if single else "/signin", 303)
    take_cookie(state, answer)
    answer.headers["clear-site-data"] = '"cache"'
    return answer


@router.get("/language/{language}")
def choose_language(
    state: Need, language: str, target: Annotated[str, Query(alias="next")] = HOME
) -> Response:
    """Remember the language in the browser; back to the page."""
    answer = RedirectResponse(local_path(target), 303)
    if language in LANGUAGES:
        answer.set_cookie(
            LANGUAGE_COOKIE,
            language,
            max_age=365 * 86_400,
            secure=state.settings.secure,
            httponly=True,
            samesite="lax",
        )
    return answer


def sign_in_form(
    request: Request,
    state: State,
    target: str,
    *,
    status: int = 200,
    trouble: str = "",
    wait_s: float = 0.0,
    login: str = "",
    notice: str = "",
) -> Response:
    """The page of the sign-in, with a form that is tied to this browser."""
    form = secrets.token_urlsafe(24)
    answer = render(
        request,
        "signin.html",
        status=status,
        target=local_path(target),
        trouble=trouble,
        wait_s=wait_s,
        login=login,
        notice=notice,
        form=form,
        oidc=state.settings.oidc,
    )
    answer.set_cookie(
        FORM_COOKIE,
        form,
        max_age=3600,
        path="/signin",
        secure=state.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return answer
