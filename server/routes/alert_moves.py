"""What an officer does with an alert: acknowledge, dispose, review, close, appeal, judge it."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Header, Request
from starlette.responses import RedirectResponse, Response

from contracts.words import AlertVerdict
from ledger.alerts import AlertRow
from server import changes, judging
from server.needs import Acknowledger, Actor, Need
from server.problems import Problem
from server.routes.alerts import line_part, state_part
from server.signing import Visit
from server.state import State

router = APIRouter(include_in_schema=False)
NOTE_LENGTH = 2000
Note = Annotated[str, Form(max_length=NOTE_LENGTH)]
Fragment = Annotated[str, Header(alias="HX-Request")]


@router.post("/alerts/{alert_id}/acknowledge")
def do_acknowledge(
    request: Request,
    state: Need,
    visit: Acknowledger,
    alert_id: str,
    shown_on: Annotated[Literal["desk", "page"], Form()] = "page",
    fragment: Fragment = "",
) -> Response:
    """Take it on."""

    def make() -> AlertRow:
        return changes.acknowledge(state, visit, alert_id)

    if shown_on == "page":
        return _made(request, state, visit, alert_id, fragment, make)
    made = _tried(make, fragment)
    if not fragment:
        return RedirectResponse("/alerts", 303)
    return line_part(request, state, visit, alert_id, status=200 if made else 409)


@router.post("/alerts/{alert_id}/dispose")
def do_dispose(
    request: Request,
    state: Need,
    visit: Actor,
    alert_id: str,
    note: Note = "",
    fragment: Fragment = "",
) -> Response:
    """Say what was done about it."""
    return _noted(request, state, visit, alert_id, note, fragment, changes.dispose)


@router.post("/alerts/{alert_id}/review")
def do_review(
    request: Request,
    state: Need,
    visit: Actor,
    alert_id: str,
    note: Note = "",
    accepted: Annotated[Literal["yes", "no"], Form()] = "yes",
    fragment: Fragment = "",
) -> Response:
    """Hold another's disposal for enough, or return it."""

    def make(state: State, visit: Visit, alert_id: str, note: str) -> AlertRow:
        return changes.review(state, visit, alert_id, note, accepted=accepted == "yes")

    return _noted(request, state, visit, alert_id, note, fragment, make)


@router.post("/alerts/{alert_id}/pause")
def do_pause(
    request: Request,
    state: Need,
    visit: Actor,
    alert_id: str,
    note: Note = "",
    fragment: Fragment = "",
) -> Response:
    """Hold its deadlines up for an appeal, which has a reason."""
    return _noted(request, state, visit, alert_id, note, fragment, changes.pause)


@router.post("/alerts/{alert_id}/resume")
def do_resume(
    request: Request,
    state: Need,
    visit: Actor,
    alert_id: str,
    note: Note = "",
    fragment: Fragment = "",
) -> Response:
    """Let its deadlines run on."""
    return _made(
        request, state, visit, alert_id, fragment,
        lambda: changes.resume(state, visit, alert_id, note.strip()),
    )  # fmt: skip


@router.post("/alerts/{alert_id}/verdict")
def do_judge(
    request: Request,
    state: Need,
    visit: Actor,
    alert_id: str,
    said: Annotated[str, Form(max_length=64)],
    note: Note = "",
    fragment: Fragment = "",
) -> Response:
    """Say what it was worth: ``true``, ``unsure`` or ``false:CAUSE``."""
    word, _, cause = said.partition(":")
    if word not in set(AlertVerdict):
        raise Problem(422, "invalid-request", f"said: {said[:40]!r} is no verdict")
    verdict = AlertVerdict(word)
    known = state.causes.get(cause)
    # The text field stands in the same form as the other buttons; only its own cause takes it.
    own = note if known is None or known.text else ""
    try:
        told = judging.said(state, verdict, cause, own if verdict is AlertVerdict.FALSE else "")
    except Problem as error:
        if error.kind != "cause-text":
            raise
        return state_part(request, state, visit, alert_id, status=422, trouble="judge.text.needed")
    return _made(
        request, state, visit, alert_id, fragment,
        lambda: changes.judge(state, visit, alert_id, told),
    )  # fmt: skip


@router.post("/alerts/{alert_id}/close")
def do_close(
    request: Request,
    state: Need,
    visit: Actor,
    alert_id: str,
    note: Note = "",
    fragment: Fragment = "",
) -> Response:
    """Close it with a note that says what was done."""
    return _noted(request, state, visit, alert_id, note, fragment, changes.close)


def _noted(
    request: Request,
    state: State,
    visit: Visit,
    alert_id: str,
    note: str,
    fragment: str,
    make: Callable[[State, Visit, str, str], AlertRow],
) -> Response:
    """A move that needs a note."""
    told = note.strip()
    if not told:
        return state_part(request, state, visit, alert_id, status=422, trouble="alert.note.needed")
    return _made(
        request, state, visit, alert_id, fragment, lambda: make(state, visit, alert_id, told)
    )


def _made(
    request: Request,
    state: State,
    visit: Visit,
    alert_id: str,
    fragment: str,
    make: Callable[[], AlertRow],
) -> Response:
    """Make the move. What cannot be made is said on the page, with the alert as it stands now."""
    if not _tried(make, fragment):
        return state_part(request, state, visit, alert_id, status=409, trouble="alert.changed")
    if not fragment:
        return RedirectResponse(f"/alerts/{alert_id}", 303)
    return state_part(request, state, visit, alert_id)


def _tried(make: Callable[[], AlertRow], fragment: str) -> bool:
    """Make the move; False if its fragment is to say that it cannot be made. Raises Problem."""
    try:
        make()
    except Problem as error:
        if error.status != 409 or not fragment:
            raise
        return False
    return True
