"""Testing rooms: the list with today's numbers, a room's day sheet, its public notice; as PDF."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ledger import audit
from ledger.engine import reading, writing
from server.desk import Names
from server.needs import Costly, Need, Viewer
from server.pages import render, words_of
from server.pdf import Document, draw
from server.room_sheets import (
    RoomFile,
    RoomLine,
    day_of,
    day_sheet,
    figures_of,
    notice_sheet,
    notice_sum,
    read_room,
    read_rooms,
    rooms_in,
    visible_room,
)
from server.signing import Visit
from server.state import State

router = APIRouter(include_in_schema=False)
Day = Annotated[str, Query(max_length=10)]
SHOWN = 60
"""Rooms on the list; more are found by their establishment."""


@router.get("/rooms")
def list_rooms(request: Request, state: Need, visit: Viewer, day: Day = "") -> Response:
    """Every room with a day's numbers."""
    chosen = day_of(day, state.clock())
    words = words_of(request)
    with reading(state.engine) as conn:
        found = rooms_in(conn, visit.scope)
        shown = found[:SHOWN]
        names = Names(conn).look_up(regions={site.region for site in shown})
        lines = [
            RoomLine(file, words.pick(*names.region(file.site.region)))
            for file in read_rooms(conn, shown, chosen)
        ]
    lines.sort(key=lambda one: (-one.raised, -len(one.file.day.lines)))
    return render(request, "rooms/list.html", lines=lines, day=chosen, total=len(found))


@router.get("/rooms/{site}")
def show_day(request: Request, state: Need, visit: Viewer, site: str, day: Day = "") -> Response:
    """The day sheet."""
    file = _file(state, visit, site, day)
    words = words_of(request)
    return render(
        request, "rooms/day.html", file=file, sums=figures_of(file.day, words), now=state.clock()
    )  # fmt: skip


@router.get("/rooms/{site}/notice")
def show_notice(request: Request, state: Need, visit: Viewer, site: str, day: Day = "") -> Response:
    """The public notice, as it is to be posted."""
    file = _file(state, visit, site, day)
    total = notice_sum(file.day, words_of(request))
    return render(request, "rooms/notice.html", file=file, sum=total, now=state.clock())


@router.get("/rooms/{site}/day.pdf", dependencies=[Costly])
def day_pdf(request: Request, state: Need, visit: Viewer, site: str, day: Day = "") -> Response:
    """The day sheet for paper; that it was taken away is audited."""
    file = _file(state, visit, site, day)
    _note(state, visit, site, "day_sheet", file)
    return _pdf(day_sheet(file, words_of(request), state.clock()), f"day-{site}-{file.day.day}")


@router.get("/rooms/{site}/notice.pdf", dependencies=[Costly])
def notice_pdf(request: Request, state: Need, visit: Viewer, site: str, day: Day = "") -> Response:
    """The public notice for paper."""
    file = _file(state, visit, site, day)
    sheet = notice_sheet(file, words_of(request), state.clock())
    return _pdf(sheet, f"notice-{site}-{file.day.day}")


def _file(state: State, visit: Visit, site: str, day: str) -> RoomFile:
    chosen = day_of(day, state.clock())
    with reading(state.engine) as conn:
        return read_room(conn, visible_room(conn, visit, site), chosen)


def _note(state: State, visit: Visit, site: str, what: str, file: RoomFile) -> None:
    with writing(state.engine) as conn:
        detail = {"day": file.day.day.isoformat()}
        audit.append(conn, visit.actor, what, f"site/{site}", detail, state.clock())


def _pdf(sheet: Document, name: str) -> Response:
    headers = {"content-disposition": f'inline; filename="{name}.pdf"'}
    return Response(draw(sheet), media_type="application/pdf", headers=headers)
