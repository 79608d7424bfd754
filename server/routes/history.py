"""An establishment's timeline, and its whole file to take along: JSON and PDF."""

from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ledger import audit, place_dossier
from ledger.engine import reading, writing
from ledger.establishments import Establishment
from ledger.place_dossier import TooLong
from ledger.place_lines import Line, LineKind
from server.api_files import TimelineLine, WholeFile
from server.api_models import Page
from server.crossings import as_document, looked_through
from server.establishment_pdf import MOST as MOST_OF_PDF
from server.establishment_pdf import file_as_pdf
from server.needs import Costly, Need, Viewer, limit, reads
from server.pages import render, words_of
from server.place_history import HistoryFilter, in_words, moves_told, read_lines, sees_inside
from server.problems import Problem, at_parameter
from server.routes.api_parts import PREFIX, Before, Limit, problems
from server.routes.establishments import visible_establishment
from server.signing import Visit
from server.state import State

router = APIRouter()
Kinds = Annotated[
    list[LineKind] | None, Query(alias="kind", description="Only these kinds; none: every kind.")
]
Day = Annotated[str, Query(max_length=10, description="A day of China, `2026-03-01`.")]


def asked_for(kinds: list[LineKind] | None, since: str, until: str) -> HistoryFilter:
    """The filter of an address. Raises Problem (422)."""
    days: list[date | None] = []
    for name, told in (("since", since), ("until", until)):
        try:
            day = date.fromisoformat(told) if told else None
            if day is not None and not 2000 <= day.year < 2200:
                raise ValueError
        except ValueError:
            said = "is no day like 2026-03-01"
            faults = [at_parameter(name, said)]
            raise Problem(422, "invalid-request", f"{name}: {said}", faults=faults) from None
        days.append(day)
    begin, end = days
    if begin and end and end < begin:
        said = "is before since"
        faults = [at_parameter("until", said)]
        raise Problem(422, "invalid-request", f"until: {said}", faults=faults)
    return HistoryFilter(tuple(sorted(set(kinds or ()))), begin, end)


@router.get("/establishments/{establishment_id}/timeline", include_in_schema=False)
def timeline_page(
    request: Request,
    state: Need,
    visit: Viewer,
    establishment_id: str,
    kinds: Kinds = None,
    since: Day = "",
    until: Day = "",
    before: Annotated[str | None, Query(max_length=512)] = None,
) -> Response:
    """All that happened there, in pages."""
    asked = asked_for(kinds, since, until)
    words = words_of(request)
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
        found, following = read_lines(
            conn, visit, one, asked, state.casework.rules, state.clock(), before=before
        )
        lines = in_words(conn, found, words, state.casework.rules)
    return render(
        request,
        "establishments/timeline.html",
        one=one,
        lines=lines,
        asked=asked,
        kinds=list(LineKind),
        following=following,
        paged=before is not None,
    )


@router.get(
    "/establishments/{establishment_id}/file.json", include_in_schema=False, dependencies=[Costly]
)
def file_json(
    state: Need,
    visit: Viewer,
    establishment_id: str,
    kinds: Kinds = None,
    since: Day = "",
    until: Day = "",
) -> Response:
    """The whole file as JSON; audited."""
    asked = asked_for(kinds, since, until)
    one, made, _ = export(state, visit, establishment_id, asked, "json")
    headers = {"content-disposition": f'attachment; filename="{one.id}.json"'}
    return Response(place_dossier.encode(made), media_type="application/json", headers=headers)


@router.get(
    "/establishments/{establishment_id}/file.pdf", include_in_schema=False, dependencies=[Costly]
)
def file_pdf(
    request: Request,
    state: Need,
    visit: Viewer,
    establishment_id: str,
    kinds: Kinds = None,
    since: Day = "",
    until: Day = "",
) -> Response:
    """The whole file as PDF; audited."""
    asked = asked_for(kinds, since, until)
    one, made, lines = export(state, visit, establishment_id, asked, "pdf", MOST_OF_PDF)
    content = file_as_pdf(state, one, asked, made, lines, words_of(request))
    headers = {"content-disposition": f'attachment; filename="{one.id}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


def export(
    state: State,
    visit: Visit,
    establishment_id: str,
    asked: HistoryFilter,
    form: str,
    most: int = place_dossier.MOST,
) -> tuple[Establishment, dict[str, Any], list[Line]]:
    """The document and its lines, audited with its hash. Raises Problem (404, 422)."""
    now = state.clock()
    period = asked.period(now)
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
        try:
            made, lines = place_dossier.make(
                conn,
                one,
                period,
                now,
                kinds=asked.wanted,
                internal=sees_inside(visit),
                moves=moves_told(visit, state.casework.rules),
                most=most,
            )
        except TooLong as error:
            said = f"{error}; choose a shorter time, or fewer kinds"
            faults = [at_parameter("since", said)]
            raise Problem(422, "invalid-request", said, faults=faults) from None
    detail = {
        "format": form,
        "period": msgspec.to_builtins(period),
        "lines": len(made["content"]["lines"]),
        "sha256": made["sha256"],
    }
    if LineKind.READING in (asked.kinds or LineKind):
        made["readings"] = as_document(looked_through(state, one, asked))
    with writing(state.engine) as conn:
        what = f"establishment/{one.id}"
        audit.append(conn, visit.actor, "establishment_file_exported", what, detail, now)
    return one, made, lines


@router.get(
    f"{PREFIX}/establishments/{{establishment_id}}/timeline",
    tags=["establishments"],
    summary="What happened at an establishment, newest first",
    responses=problems(401, 404, 422, 503),
)
def list_timeline(
    state: Need,
    visit: Annotated[Visit, reads("establishments:read")],
    establishment_id: str,
    kinds: Kinds = None,
    since: Day = "",
    until: Day = "",
    limit: Limit = 50,
    before: Before = None,
) -> Page[TimelineLine]:
    """Licence, devices, tests, limits crossed, observations, alerts, cases, publications, scores.

    To a token, and to the establishment's own people, without names and notes.
    """
    asked = asked_for(kinds, since, until)
    with reading(state.engine) as conn:
        one = visible_establishment(conn, visit, establishment_id)
        found, following = read_lines(
            conn,
            visit,
            one,
            asked,
            state.casework.rules,
            state.clock(),
            before=before,
            limit=limit,
        )
    items = [TimelineLine.model_validate(line) for line in found]
    return Page[TimelineLine](items=items, next=following)


@router.get(
    f"{PREFIX}/establishments/{{establishment_id}}/file",
    tags=["establishments"],
    summary="An establishment's whole file as one document",
    responses=problems(401, 404, 422, 429, 503),
)
def get_establishment_file(
    state: Need,
    visit: Annotated[Visit, reads("establishments:read")],
    establishment_id: str,
    kinds: Kinds = None,
    since: Day = "",
    until: Day = "",
) -> WholeFile:
    """Of a year unless it is told otherwise. The look is audited, with the document's hash."""
    limit(state.costly_rates, visit, state)
    _, made, _ = export(state, visit, establishment_id, asked_for(kinds, since, until), "json")
    return WholeFile(**made)
