"""Cases 处置单: the list, one case's page, its steps, the second officer's answer, live streams."""

import secrets
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Header, Query, Request
from starlette.responses import RedirectResponse, Response

from contracts.casework import CaseKind
from contracts.casework_words import FACTS
from ledger import audit, establishments, journal, regions
from ledger.engine import reading, writing
from server import case_moves
from server.access import Right, may
from server.case_file import read_case_file
from server.case_forms import FormRefused, Trouble, UploadedForm, read_step
from server.case_list import (
    PAGE,
    CaseFilter,
    asked_of,
    case_lines,
    count_cases,
    find_cases,
    wanted_of,
)
from server.case_moves import CaseProblem, visible_case
from server.case_party import (
    find_party_cases,
    is_party,
    party_lines,
    read_party_file,
)
from server.needs import Actor, Mover, Need, Viewer
from server.pages import render
from server.routes.live import event_stream
from server.signing import Visit
from server.state import State
from server.streams import change_events, of_case, of_cases

router = APIRouter(include_in_schema=False)
Fragment = Annotated[str, Header(alias="HX-Request")]
After = Annotated[int, Query(ge=0)]
LastEvent = Annotated[int | None, Header(alias="Last-Event-ID", ge=0)]
StateName = Literal["open", "lead", "work", "review", "closed", "published", "over", "all"]
KindName = Literal["", "produce_test", "food_test", "scene"]
Note = Annotated[str, Form(max_length=2000)]


@router.get("/cases")
def list_cases(
    request: Request,
    state: Need,
    visit: Viewer,
    asked_state: Annotated[StateName, Query(alias="state")] = "open",
    kind: KindName = "",
    region: Annotated[str, Query(max_length=64)] = "",
    mine: bool = False,
    overdue: bool = False,
    before: Annotated[str | None, Query(max_length=512)] = None,
) -> Response:
    """What is due soonest comes first; what waits for one's own confirmation stands above it."""
    now, rules = state.clock(), state.casework.rules
    if is_party(visit.officer):
        chosen = CaseFilter(asked_state, kind)
        return _party_list(request, state, visit, chosen, before)
    chosen = CaseFilter(asked_state, kind, region, mine, overdue)
    with reading(state.engine) as conn:
        cursor = journal.last_id(conn)
        wanted = wanted_of(conn, visit, chosen, rules, now)
        rows, more = find_cases(conn, wanted, before)
        lines = case_lines(conn, rules, rows, now)
        counts = count_cases(conn, wanted, now, visit.officer.id)
        asked = asked_of(conn, rules, visit)
        below = regions.children(conn, visit.officer.region)
    return render(
        request,
        "cases/list.html",
        chosen=chosen,
        lines=lines,
        more=more,
        first=before is None,
        tally=counts,
        asked=asked,
        districts=below,
        kinds=[one.value for one in CaseKind],
        cursor=cursor,
        acts=may(visit.officer, Right.ACT),
    )


@router.get("/cases/live")
async def list_live(
    state: Need, visit: Viewer, after: After = 0, last_event: LastEvent = None
) -> Response:
    """The list's stream: says that some case has changed."""
    select = change_events(visit, of_cases)
    return event_stream(state, visit, after if last_event is None else last_event, select)


@router.get("/cases/{case_id}")
def one_case(request: Request, state: Need, visit: Viewer, case_id: str) -> Response:
    """The case's page; that somebody looked at its evidence is audited."""
    return case_page(request, state, visit, case_id)


@router.get("/cases/{case_id}/live")
async def case_live(
    state: Need, visit: Viewer, case_id: str, after: After = 0, last_event: LastEvent = None
) -> Response:
    """The page's stream: says that the case has changed; of one out of sight it says nothing."""
    select = change_events(visit, of_case(case_id))
    return event_stream(state, visit, after if last_event is None else last_event, select)


@router.get("/cases/{case_id}/changed")
def case_changed(request: Request, state: Need, visit: Viewer, case_id: str) -> Response:
    """The notice that the page is not up to date any more; what is half written stays."""
    with reading(state.engine) as conn:
        row = visible_case(conn, visit, case_id)
    shown = state.casework.rules.states.get(row.state)
    return render(request, "cases/changed.html", row=row, state=shown)


@router.post("/cases/{case_id}/moves/{move_id}")
def make_move(
    request: Request,
    state: Need,
    visit: Mover,
    case_id: str,
    move_id: str,
    form: UploadedForm,
    fragment: Fragment = "",
) -> Response:
    """Make a step. What is wrong is said beside it, and what was filled in stays."""
    with reading(state.engine) as conn:
        visible_case(conn, visit, case_id)  # out of sight is 404, whatever the form says

    def make() -> None:
        case_moves.move(state, visit, case_id, move_id, read_step(form, state.settings.uploads))

    told = {name: one for name, one in form.items() if isinstance(one, str)}
    return _answer(request, state, visit, case_id, move_id, fragment, make, told)


@router.post("/cases/{case_id}/confirmations/{confirmation_id}/confirm")
def confirm(
    request: Request,
    state: Need,
    visit: Actor,
    case_id: str,
    confirmation_id: str,
    fragment: Fragment = "",
) -> Response:
    """The second officer confirms."""

    def make() -> None:
        case_moves.confirm(state, visit, case_id, confirmation_id)

    return _answer(request, state, visit, case_id, confirmation_id, fragment, make, {})


@router.post("/cases/{case_id}/confirmations/{confirmation_id}/decline")
def decline(
    state: Need, visit: Actor, case_id: str, confirmation_id: str, note: Note = ""
) -> Response:
    """The second officer does not confirm, and says why."""
    case_moves.decline(state, visit, case_id, confirmation_id, note.strip())
    return RedirectResponse(f"/cases/{case_id}", 303)


@router.post("/cases/{case_id}/questions/{question_id}/withdraw")
def withdraw(state: Need, visit: Actor, case_id: str, question_id: str) -> Response:
    """Whoever asked does not ask any more."""
    case_moves.withdraw(state, visit, case_id, question_id)
    return RedirectResponse(f"/cases/{case_id}", 303)


@router.post("/alerts/{alert_id}/case")
def open_from_alert(
    state: Need,
    visit: Actor,
    alert_id: str,
    kind: Annotated[KindName, Form()] = "",
    note: Note = "",
) -> Response:
    """Open a case from an alert, or go to the one that it is in."""
    chosen = CaseKind(kind) if kind else None
    row, _ = case_moves.open_from_alert(state, visit, alert_id, chosen, note.strip())
    return RedirectResponse(f"/cases/{row.case_id}", 303)


@router.post("/results/{result_id}/case")
def open_from_result(
    state: Need,
    visit: Actor,
    result_id: str,
    kind: Annotated[KindName, Form()] = "",
    note: Note = "",
) -> Response:
    """Open a case from a quick test's result, or go to the one that it is in."""
    chosen = CaseKind(kind) if kind else None
    row, _ = case_moves.open_from_result(state, visit, result_id, chosen, note.strip())
    return RedirectResponse(f"/cases/{row.case_id}", 303)


def case_page(
    request: Request,
    state: State,
    visit: Visit,
    case_id: str,
    *,
    status: int = 200,
    troubles: tuple[Trouble, ...] = (),
    reasons: tuple[tuple[str, str], ...] = (),
    at: str = "",
    told: dict[str, str] | None = None,
) -> Response:
    """A case's page; `troubles` and `reasons` say what was wrong with the step `at`."""
    now = state.clock()
    said: dict[str, Any] = {"troubles": troubles, "reasons": reasons, "at": at, "told": told or {}}
    if is_party(visit.officer):
        return _party_page(request, state, visit, case_id, status, said)
    with reading(state.engine) as conn:
        row = visible_case(conn, visit, case_id)
        file = read_case_file(conn, state.casework, visit, row, now)
        cursor = journal.last_id(conn)
        owner = establishments.get(conn, row.establishment_id) if row.establishment_id else None
    _note_look(state, visit, case_id)
    return render(
        request,
        "cases/case.html",
        status=status,
        file=file,
        code=owner.public_code if owner else "",
        cursor=cursor,
        limits=state.limit_lines,
        uploads=state.settings.uploads,
        acts=may(visit.officer, Right.ACT),
        key=secrets.token_hex(16),
        **said,
    )


def _party_page(
    request: Request,
    state: State,
    visit: Visit,
    case_id: str,
    status: int,
    said: dict[str, Any],
) -> Response:
    """The page of the establishment's own people."""
    with reading(state.engine) as conn:
        row = visible_case(conn, visit, case_id)
        file = read_party_file(conn, state.casework, visit, row, state.clock())
        cursor = journal.last_id(conn)
    _note_look(state, visit, case_id)
    return render(
        request,
        "cases/party.html",
        status=status,
        file=file,
        fact=FACTS.__getitem__,
        cursor=cursor,
        uploads=state.settings.uploads,
        key=secrets.token_hex(16),
        **said,
    )


def _party_list(
    request: Request, state: State, visit: Visit, chosen: CaseFilter, before: str | None
) -> Response:
    """The list of the establishment's own people."""
    rules = state.casework.rules
    kind = CaseKind(chosen.kind) if chosen.kind else None
    with reading(state.engine) as conn:
        cursor = journal.last_id(conn)
        rows, more = find_party_cases(conn, visit, chosen.states(rules), kind, before, PAGE)
        lines = party_lines(conn, state.casework, rows, state.clock())
    return render(
        request,
        "cases/party_list.html",
        chosen=chosen,
        lines=lines,
        more=more,
        first=before is None,
        cursor=cursor,
    )


def _note_look(state: State, visit: Visit, case_id: str) -> None:
    with writing(state.engine) as conn:
        audit.append(conn, visit.actor, "evidence_viewed", f"case/{case_id}", {}, state.clock())


def _answer(
    request: Request,
    state: State,
    visit: Visit,
    case_id: str,
    at: str,
    fragment: str,
    make: Callable[[], None],
    told: dict[str, str],
) -> Response:
    """Make it and show the case; what went wrong is said in its form, as a part or as a page."""
    troubles: tuple[Trouble, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    changed, status = False, 422
    try:
        make()
    except FormRefused as refused:
        troubles = refused.troubles
    except CaseProblem as refused:
        reasons = tuple((one.zh, one.en) for one in refused.reasons)
        changed, status = refused.kind == "case-changed", refused.status
    else:
        there = f"/cases/{case_id}"
        if fragment:
            return Response(status_code=204, headers={"hx-redirect": there})
        return RedirectResponse(there, 303)
    if fragment:
        return render(
            request,
            "cases/trouble.html",
            status=status,
            troubles=troubles,
            reasons=reasons,
            changed=changed,
            case_id=case_id,
        )
    return case_page(
        request, state, visit, case_id,
        status=status, troubles=troubles, reasons=reasons, at=at, told=told,
    )  # fmt: skip
