"""The JSON API's cases: list, one, open, move, files, what waits for a second officer."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from contracts.casework import CaseKind, FileRef, Given
from contracts.casework_clocks import clocks
from ledger import attachments, audit, case_confirmations, cases
from ledger.attachments import Attachment
from ledger.case_confirmations import Confirmation
from ledger.cases import CaseRow
from ledger.engine import Connection, reading, writing
from server import case_moves
from server.access import Right
from server.api_cases import (
    CaseClock,
    CaseFileItem,
    CaseItem,
    CaseMoved,
    CaseOffer,
    CaseReason,
    CaseStep,
    CaseWhole,
    ConfirmationItem,
    DeclineRequest,
    MoveRequest,
    OpenRequest,
)
from server.api_models import Page
from server.case_forms import FormRefused, Sent, read_files, read_form
from server.case_list import CaseFilter, find_cases, wanted_of
from server.case_moves import Done, visible_case
from server.case_party import (
    find_party_cases,
    is_party,
    offers_of,
    party_files,
    party_row,
    party_steps,
    seen_by_party,
)
from server.cursors import cut
from server.needs import Need, acts, reads
from server.problems import Fault, Problem
from server.routes.api_parts import PREFIX, Before, Limit, paged, problems
from server.routes.case_files import download
from server.routes.cases import KindName, StateName
from server.scopes import SESSION
from server.signing import Visit
from server.state import State

router = APIRouter(prefix=PREFIX, responses=problems(401, 422, 503), tags=["cases"])
Reader = Annotated[Visit, reads("cases:read")]
Opener = Annotated[Visit, acts("cases:move")]
Mover = Annotated[Visit, acts("cases:move", Right.MOVE)]
"""Whoever has steps in casework's data; which ones, the data say."""
InPerson = Annotated[Visit, acts(SESSION)]
"""A second officer is somebody at a browser: no token confirms."""


async def _form(request: Request, _: Mover) -> AsyncIterator[FormData]:
    """The files, read only after their sender is known to be one who may add them."""
    async for form in read_form(request):
        yield form


Files = Annotated[FormData, Depends(_form)]
_FILES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        kind: {"type": "array", "items": {"type": "string", "format": "binary"}}
                        for kind in ("photo", "document", "report", "file")
                    },
                }
            }
        },
    }
}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file as it came.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp", "application/pdf")
        },
    }
}


@router.get("/cases", summary="Cases, what is due soonest first")
def list_cases(
    state: Need,
    visit: Reader,
    asked_state: Annotated[StateName, Query(alias="state")] = "all",
    kind: KindName = "",
    region: Annotated[str, Query(max_length=64)] = "",
    mine: bool = False,
    overdue: bool = False,
    limit: Limit = 50,
    before: Before = None,
) -> Page[CaseItem]:
    """Cases of the officer's region and below.

    The establishment's own people have theirs, the newest first, with what they owe as `due_at`,
    and can choose by state and kind.
    """
    now = state.clock()
    chosen = CaseFilter(asked_state, kind, region, mine, overdue)
    if is_party(visit.officer):
        with reading(state.engine) as conn:
            states, asked = chosen.states(state.casework.rules), CaseKind(kind) if kind else None
            rows, following = find_party_cases(conn, visit, states, asked, before, limit)
            rows = [party_row(conn, state.casework, row, now) for row in rows]
        return paged(CaseItem, rows, following)
    with reading(state.engine) as conn:
        wanted = wanted_of(conn, visit, chosen, state.casework.rules, now)
        rows, following = find_cases(conn, wanted, before, limit)
    return paged(CaseItem, rows, following)


@router.post("/cases", summary="Open a case", responses=problems(403, 404, 409))
def open_case(state: Need, visit: Opener, body: OpenRequest, response: Response) -> CaseItem:
    """From an alert, which it acknowledges, or from a result; 200: the one that there is."""
    if bool(body.alert_id) == bool(body.result_id):
        raise Problem(422, "invalid-request", "name one alert or one result")
    if body.alert_id:
        row, new = case_moves.open_from_alert(state, visit, body.alert_id, body.kind, body.note)
    else:
        row, new = case_moves.open_from_result(state, visit, body.result_id, body.kind, body.note)
    response.status_code = 201 if new else 200
    return CaseItem.model_validate(row)


@router.get("/cases/{case_id}", summary="One case", responses=problems(404))
def get_case(state: Need, visit: Reader, case_id: str) -> CaseWhole:
    """With clocks, steps, files, and every move: possible or why not. The look is audited.

    The establishment's own people get what concerns them, without officers' names and notes.
    """
    with reading(state.engine) as conn:
        row = visible_case(conn, visit, case_id)
        whole = _whole(conn, state, visit, row)
    with writing(state.engine) as conn:
        what = f"case/{case_id}"
        audit.append(conn, visit.actor, "evidence_viewed", what, {}, state.clock())
    return whole


@router.post(
    "/cases/{case_id}/moves/{move_id}",
    summary="Make a step of a case",
    responses=problems(403, 404, 409),
)
def move_case(
    state: Need, visit: Mover, case_id: str, move_id: str, body: MoveRequest, response: Response
) -> CaseMoved:
    """With a second officer named it is not made yet (202): they confirm it themselves."""
    given = Given(
        note=body.note.strip(),
        files=tuple(FileRef(one) for one in body.files),
        second=body.second,
        happened_at=body.happened_at,
        deadline=body.deadline,
        lab=body.lab,
        method=body.method,
        verdict=body.verdict,
        assignee=body.assignee,
        outcome=body.outcome,
    )
    done = case_moves.move(state, visit, case_id, move_id, Sent(given, body.version, body.key))
    if is_party(visit.officer):
        with reading(state.engine) as conn:
            shown = party_row(conn, state.casework, done.case, state.clock())
        done = Done(shown)
    if done.waiting is not None:
        response.status_code = 202
    return CaseMoved.model_validate(done, from_attributes=True)


@router.post(
    "/cases/{case_id}/files",
    summary="Add files to a case",
    responses=problems(403, 404, 409, 413),
    openapi_extra=_FILES,
    status_code=201,
)
def add_files(
    state: Need, visit: Mover, case_id: str, form: Annotated[FormData, Depends(_form)]
) -> Page[CaseFileItem]:
    """Pictures (JPEG, PNG, WebP) and PDFs, judged by their bytes; a move then refers to them."""
    with reading(state.engine) as conn:
        visible_case(conn, visit, case_id)  # out of sight is 404, whatever comes along
    try:
        files = read_files(form, state.settings.uploads)
    except FormRefused as refused:
        words = state.words["en"]
        told = [words(one.word, **one.values) for one in refused.troubles]
        faults = [Fault(one, "body", pointer="") for one in told]
        raise Problem(422, "file-refused", " ".join(told), faults=faults) from None
    if not files:
        raise Problem(422, "file-refused", "there is no file in the request")
    kept = case_moves.add_files(state, visit, case_id, files)
    return paged(CaseFileItem, kept, None)


@router.get(
    "/cases/{case_id}/files/{file_id}",
    summary="A case's file as it came",
    responses=problems(404) | _BYTES,
    response_class=Response,
)
def get_file(state: Need, visit: Reader, case_id: str, file_id: str) -> Response:
    """The bytes that were handed in; the look is audited."""
    return download(state, visit, case_id, file_id)


@router.get("/case-confirmations", summary="Steps that wait for you as the second officer")
def list_confirmations(
    state: Need, visit: Reader, limit: Limit = 50, before: Before = None
) -> Page[ConfirmationItem]:
    """The oldest first."""
    with reading(state.engine) as conn:
        found = case_confirmations.waiting_for(conn, visit.officer.id, visit.scope.listed)
    rows, following = cut(
        found, lambda one: (one.asked_at, one.id), "confirmations", tuple[datetime, str],
        limit, before,
    )  # fmt: skip
    return paged(ConfirmationItem, rows, following)


@router.post(
    "/cases/{case_id}/confirmations/{confirmation_id}/confirm",
    summary="Confirm a step as the second officer",
    responses=problems(403, 404, 409),
)
def confirm(state: Need, visit: InPerson, case_id: str, confirmation_id: str) -> CaseItem:
    """The step is made now. The case has changed since it was asked: a conflict."""
    return CaseItem.model_validate(case_moves.confirm(state, visit, case_id, confirmation_id))


@router.post(
    "/cases/{case_id}/confirmations/{confirmation_id}/decline",
    summary="Don't confirm a step",
    responses=problems(403, 404, 409),
)
def decline(
    state: Need, visit: InPerson, case_id: str, confirmation_id: str, body: DeclineRequest
) -> CaseItem:
    """It is not made."""
    row = case_moves.decline(state, visit, case_id, confirmation_id, body.note.strip())
    return CaseItem.model_validate(row)


@router.post(
    "/cases/{case_id}/questions/{question_id}/withdraw",
    summary="Withdraw a question to a second officer",
    responses=problems(403, 404, 409),
)
def withdraw(state: Need, visit: Opener, case_id: str, question_id: str) -> CaseItem:
    """For whoever asked it."""
    return CaseItem.model_validate(case_moves.withdraw(state, visit, case_id, question_id))


def _file_item(one: Attachment, visit: Visit) -> CaseFileItem:
    """A file; of an officer's the establishment does not learn who added it."""
    if is_party(visit.officer) and one.added_by != visit.officer.id:
        one = msgspec.structs.replace(one, added_by="")
    return CaseFileItem.model_validate(one)


def _whole(conn: Connection, state: State, visit: Visit, row: CaseRow) -> CaseWhole:
    work, now = state.casework, state.clock()
    rules, whole = work.rules, cases.case(conn, row)
    faces = clocks(work, whole, now)
    offers = cases.offers(conn, work, row, visit.officer, now)
    files = attachments.of_case(conn, row.case_id)
    steps = list(whole.events)
    party = is_party(visit.officer)
    if party:
        row = seen_by_party(row, faces)
        faces = tuple(face for face in faces if face.clock.is_party)
        offers = offers_of(work, whole, visit.officer, now)
        seen = party_files(conn, rules, whole, visit.officer)
        files = list(seen.values())
        steps = [one.event for one in party_steps(conn, rules, whole, seen, visit)]
    waiting: list[Confirmation] = [
        one
        for one in case_confirmations.of_case(conn, row.case_id)
        if not party and not one.answer and one.version == row.version
    ]
    body = CaseItem.model_validate(row).model_dump()
    return CaseWhole(
        **body,
        clocks=[
            CaseClock.model_validate(
                {
                    "id": face.clock.id,
                    "zh": face.clock.zh,
                    "en": face.clock.en,
                    "role": face.clock.role,
                    "state": face.state,
                    "started_at": face.started_at,
                    "due_at": face.due_at,
                    "ended_at": face.ended_at,
                    "basis": [rules.basis[one] for one in face.clock.basis],
                },
                from_attributes=True,
            )
            for face in faces
        ],
        moves=[
            CaseOffer(
                id=offer.move.id,
                zh=offer.move.zh,
                en=offer.move.en,
                possible=offer.possible,
                needs=[need.value for need in offer.needs],
                why=[CaseReason.model_validate(one) for one in offer.why],
            )
            for offer in offers
        ],
        steps=[
            CaseStep(
                seq=one.seq,
                move=one.move,
                at=one.at,
                counts_at=one.counts_at,
                actor=one.actor,
                second=one.given.second,
                state=one.state,
                finding=one.finding,
                note=one.given.note,
                files=[ref.id for ref in one.given.files],
            )
            for one in steps
        ],
        files=[_file_item(one, visit) for one in files],
        confirmations=[ConfirmationItem.model_validate(one) for one in waiting],
        alerts=[one.alert_id for one in cases.alerts_of(conn, row.case_id)],
        results=[one.result_id for one in cases.results_of(conn, row.case_id)],
    )
