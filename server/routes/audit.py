"""The audit trail: a page of it, the whole as a file, whether its chain holds; looks count too."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from ledger import audit
from ledger.audit import Verification
from ledger.engine import reading, writing
from server.access import Right
from server.audit_list import AuditFilter, file_parts, find_lines, wanted_of
from server.needs import Changer, Costly, Looker, Need
from server.pages import render
from server.signing import Visit
from server.state import State

router = APIRouter(include_in_schema=False, prefix="/audit")
PAGE = 50
AuditReader = Annotated[Visit, Depends(Looker(Right.AUDIT))]
AuditChecker = Annotated[Visit, Depends(Changer(Right.AUDIT))]


async def _filter(
    who: Annotated[str, Query(max_length=128)] = "",
    action: Annotated[str, Query(max_length=64)] = "",
    subject: Annotated[str, Query(max_length=256)] = "",
    since: Annotated[str, Query(alias="from", max_length=10)] = "",
    until: Annotated[str, Query(alias="to", max_length=10)] = "",
) -> AuditFilter:
    return AuditFilter(
        who.strip(),
        action.strip(),
        subject.strip(),
        _day(since),
        _day(until),
    )


def _day(said: str) -> date | None:
    """A form sends an empty day, too; what is no day asks for nothing."""
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


Asked = Annotated[AuditFilter, Depends(_filter)]


@router.get("")
def show_trail(
    request: Request,
    state: Need,
    visit: AuditReader,
    asked: Asked,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """What was looked at and changed in the subtree, newest first."""
    _note(state, visit, "audit_viewed", asked)
    return _page(request, state, visit, asked, before)


@router.get("/file.csv", dependencies=[Costly])
def trail_file(state: Need, visit: AuditReader, asked: Asked) -> Response:
    """The same as a CSV file."""
    _note(state, visit, "audit_exported", asked)
    with reading(state.engine) as conn:
        wanted = wanted_of(conn, visit, asked)
    headers = {"content-disposition": 'attachment; filename="audit.csv"'}
    parts = file_parts(state.engine, wanted)
    return StreamingResponse(parts, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/verify", dependencies=[Costly])
def verify_chain(request: Request, state: Need, visit: AuditChecker) -> Response:
    """Follow the whole chain of hashes, and say what that has shown."""
    with reading(state.engine) as conn:
        found = audit.verify(conn)
    now = state.clock()
    with writing(state.engine) as conn:
        detail = {"entries": found.entries, "head": found.head, "broken": found.broken_id or ""}
        audit.append(conn, visit.actor, "audit_verified", "audit", detail, now)
    return _page(request, state, visit, AuditFilter(), None, found)


def _page(
    request: Request,
    state: State,
    visit: Visit,
    asked: AuditFilter,
    before: int | None,
    found: Verification | None = None,
) -> Response:
    with reading(state.engine) as conn:
        lines, more = find_lines(conn, visit, asked, PAGE, before)
        actions = audit.actions(conn)
        newest = audit.entries(conn, 1)
    return render(
        request,
        "audit/list.html",
        lines=lines,
        more=lines[-1].entry.id if more else None,
        asked=asked,
        actions=actions,
        newest=newest[0] if newest else None,
        verified=found,
    )


def _note(state: State, visit: Visit, action: str, asked: AuditFilter) -> None:
    with writing(state.engine) as conn:
        audit.append(conn, visit.actor, action, "audit", asked.told(), state.clock())
