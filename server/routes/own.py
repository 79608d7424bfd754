"""An officer's own page: password, language, and where they are signed in."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from ledger import audit, officers, sessions
from ledger.engine import reading, writing
from server import people
from server.needs import Need, Sender, Viewer, address_of
from server.pages import LANGUAGE_COOKIE, render
from server.problems import not_found
from server.signing import TooManyAttempts, Visit, charge
from server.state import State

router = APIRouter(include_in_schema=False, prefix="/me")
Password = Annotated[str, Form(max_length=1024)]


@router.get("")
def own_page(
    request: Request, state: Need, visit: Viewer, done: Literal["", "password"] = ""
) -> Response:
    """The page."""
    return _page(request, state, visit, done=done)


@router.post("/password")
def change_password(
    request: Request,
    state: Need,
    visit: Sender,
    old: Password = "",
    new: Password = "",
    again: Password = "",
) -> Response:
    """Choose another password; a wrong old one counts like a wrong sign-in."""
    if new != again:
        return _page(request, state, visit, status=422, trouble="differ")
    try:
        charge(state, visit.officer.login, address_of(request), state.clock())
    except TooManyAttempts as error:
        answer = _page(request, state, visit, status=429, trouble="limited")
        answer.headers["retry-after"] = str(int(error.wait_s))
        return answer
    trouble = people.change_own_password(state, visit, old, new)
    if trouble is not None:
        return _page(request, state, visit, status=422, trouble=trouble)
    return RedirectResponse("/me?done=password", 303)


@router.post("/language")
def change_language(
    state: Need, visit: Sender, language: Annotated[Literal["zh", "en"], Form()]
) -> Response:
    """In which language pages are shown here, and messages are written."""
    now = state.clock()
    with writing(state.engine) as conn:
        officers.set_language(conn, visit.officer.login, language)
        what = f"officer/{visit.officer.id}"
        audit.append(conn, visit.actor, "language_set", what, {"language": language}, now)
    answer = RedirectResponse("/me", 303)
    answer.set_cookie(
        LANGUAGE_COOKIE,
        "en" if language == "en" else "zh_CN",
        max_age=365 * 86_400,
        secure=state.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/sessions/{session_name}/end")
def end_session(state: Need, visit: Sender, session_name: str) -> Response:
    """End one of one's own sessions."""
    now = state.clock()
    with writing(state.engine) as conn:
        if not sessions.remove_named(conn, visit.officer.id, session_name):
            raise not_found("session")
        what = f"officer/{visit.officer.id}"
        audit.append(conn, visit.actor, "session_ended", what, {}, now)
    return RedirectResponse("/me", 303)


def _page(
    request: Request,
    state: State,
    visit: Visit,
    *,
    status: int = 200,
    trouble: str = "",
    done: str = "",
) -> Response:
    with reading(state.engine) as conn:
        running = sessions.of_officer(conn, visit.officer.id, state.clock())
    return render(
        request,
        "people/own.html",
        status=status,
        sessions=running,
        trouble=trouble,
        done=done,
    )
