"""The alert desk: its list, what it can be narrowed to, its stream, and moves of many at once."""

from typing import Annotated, Literal
from urllib.parse import parse_qsl

import msgspec
from fastapi import APIRouter, Depends, Form, Header, Query, Request
from starlette.responses import Response

from contracts.words import AlertVerdict
from ledger import alert_search, journal, task_duty
from ledger.engine import reading
from server import bulk, judging
from server.access import Right, may
from server.desk import alert_lines, count_alerts, count_sought, desk_lines, tally
from server.desk_choices import chips_of, read_choices
from server.desk_filter import Asked, DeskFilter, Trouble, read_filter, sought_of
from server.needs import Acknowledger, Actor, Need, Viewer
from server.pages import render, words_of
from server.problems import Problem
from server.routes.live import LiveRows, event_stream
from server.signing import Visit
from server.state import State
from server.streams import desk_events
from server.task_list import pressing_of

router = APIRouter(include_in_schema=False)
MEMBERS = 100
NOTE_LENGTH = 2000
_NUMBER_MOST = 2**63 - 1
After = Annotated[int, Query(ge=0)]
LastEvent = Annotated[int | None, Header(alias="Last-Event-ID", ge=0)]
Fragment = Annotated[str, Header(alias="HX-Request")]
Before = Annotated[str | None, Query(max_length=64)]


async def asked_filter(request: Request, visit: Viewer) -> Asked:
    """The filter in the address."""
    return read_filter(request.query_params, visit.scope)


Wanted = Annotated[Asked, Depends(asked_filter)]
"""What the address asks for, with what of it names nothing valid."""


@router.get("/alerts")
def desk(
    request: Request,
    state: Need,
    visit: Viewer,
    asked: Wanted,
    before: Before = None,
    fragment: Fragment = "",
) -> Response:
    """The list; with `before`, asked by htmx, only the lines that follow."""
    wanted, now = asked.wanted, state.clock()
    troubles = list(asked.troubles)
    with reading(state.engine) as conn:
        cursor = journal.last_id(conn)
        if before and not alert_search.exists_one(conn, before):
            troubles.append(Trouble("before", before[:40]))
            before = None
        sought = sought_of(conn, visit, wanted, now)
        lines, more = desk_lines(conn, sought, wanted, before)
        everything = count_alerts(conn, visit.scope)
        counted = everything if wanted.plain else count_sought(conn, sought)
        chips = chips_of(conn, wanted, words_of(request))
        newest = alert_search.newest_number(conn)
        more_only = bool(fragment and before)
        pressing = None if more_only else pressing_of(state, conn, visit)
    counts = tally(counted, wanted.severity, everything)
    return render(
        request,
        "alerts/more.html" if more_only else "alerts/desk.html",
        pressing=pressing,
        told_days=task_duty.TOLD.days,
        soon_hours=state.settings.task_soon_h,
        wanted=wanted,
        troubles=troubles,
        chips=chips,
        lines=lines,
        more=lines[-1].alert.alert_id if more else None,
        counts=counts,
        found=getattr(counts, wanted.state),
        cursor=cursor,
        newest=newest,
        most=bulk.MOST,
        causes=[one for one in state.causes.values() if not one.text],
        takes=may(visit.officer, Right.ACKNOWLEDGE),
        acts=may(visit.officer, Right.ACT),
    )


@router.get("/alerts/choices")
def choices(
    request: Request, state: Need, visit: Viewer, asked: Wanted, fragment: Fragment = ""
) -> Response:
    """What the list can be narrowed to, each with its count: a page, or the part of one."""
    now = state.clock()
    mine = asked.wanted if asked.wanted.mine else _mine(asked)
    with reading(state.engine) as conn:
        sought = sought_of(conn, visit, asked.wanted, now)
        told = read_choices(conn, visit.scope, sought, sought_of(conn, visit, mine, now), now)
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "alerts/choices.html" if fragment else "alerts/choose.html",
        wanted=asked.wanted,
        choices=told,
        counts=tally(counted),
    )


@router.get("/alerts/members")
def members(request: Request, state: Need, visit: Viewer, asked: Wanted) -> Response:
    """The lines of a group (the filter names its site and rule), without the newest of them."""
    with reading(state.engine) as conn:
        sought = sought_of(conn, visit, asked.wanted, state.clock())
        rows = alert_search.find(conn, sought, MEMBERS + 1)
        lines = alert_lines(conn, rows[1:MEMBERS])
    return render(
        request,
        "alerts/members.html",
        lines=lines,
        wanted=asked.wanted,
        more=len(rows) > MEMBERS,
        takes=may(visit.officer, Right.ACKNOWLEDGE),
    )


@router.get("/alerts/live")
async def desk_live(
    request: Request,
    state: Need,
    rows: LiveRows,
    visit: Viewer,
    asked: Wanted,
    after: After = 0,
    last_event: LastEvent = None,
) -> Response:
    """The desk's stream: lines that come, change or go, and the new counts."""
    select = desk_events(rows, visit, words_of(request), asked.wanted)
    return event_stream(state, visit, after if last_event is None else last_event, select)


class Picked(msgspec.Struct, frozen=True):
    """Which alerts a form names."""

    alerts: list[str]
    groups: list[bulk.PickedGroup]
    up_to: int | None
    """All that the filter finds, of those booked by the one of that number."""
    asked: Asked


async def picked(
    visit: Viewer,
    alert: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    group: Annotated[list[str], Form()] = [],  # noqa: B006
    all_found: Annotated[Literal["", "1"], Form(alias="all")] = "",
    wanted_query: Annotated[str, Form(alias="filter", max_length=2000)] = "",
    up_to: Annotated[int, Form(ge=0, le=_NUMBER_MOST)] = 0,
    quick: Annotated[str, Form(max_length=400)] = "",
) -> Picked:
    """What the form names; `quick`, the button on a group's line, counts alone."""
    asked = read_filter(dict(parse_qsl(wanted_query.lstrip("?"))), visit.scope)
    if quick:
        return Picked([], [_group(quick)], None, asked)
    if all_found:
        return Picked([], [], up_to, asked)
    return Picked(alert, [_group(one) for one in group], None, asked)


FormPicked = Annotated[Picked, Depends(picked)]


@router.post("/alerts/bulk/acknowledge")
def acknowledge_many(
    request: Request, state: Need, visit: Acknowledger, which: FormPicked
) -> Response:
    """Take many on; the answer says of each what became of it."""
    return _moved(request, state, visit, which, "acknowledge", bulk.acknowledge())


@router.post("/alerts/bulk/dispose")
def dispose_many(
    request: Request,
    state: Need,
    visit: Actor,
    which: FormPicked,
    note: Annotated[str, Form(max_length=NOTE_LENGTH)] = "",
) -> Response:
    """Say what was done about many, in the same words."""
    if not note.strip():
        raise Problem(422, "invalid-request", "note: disposing needs one")
    return _moved(request, state, visit, which, "dispose", bulk.dispose(note.strip()))


@router.post("/alerts/bulk/verdict")
def judge_many(
    request: Request,
    state: Need,
    visit: Actor,
    which: FormPicked,
    said: Annotated[str, Form(max_length=64)] = "",
    cause: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Say what many were worth."""
    if said not in set(AlertVerdict):
        raise Problem(422, "invalid-request", f"said: {said[:40]!r} is no verdict")
    verdict = AlertVerdict(said)
    told = judging.said(state, verdict, cause if verdict is AlertVerdict.FALSE else "", "")
    return _moved(request, state, visit, which, "verdict", bulk.judge(told))


def _moved(
    request: Request, state: State, visit: Visit, which: Picked, move: str, make: bulk.Move
) -> Response:
    with reading(state.engine) as conn:
        sought = sought_of(conn, visit, which.asked.wanted, state.clock())
        chosen = bulk.chosen(conn, sought, which.alerts, which.groups, which.up_to)
        counted = count_alerts(conn, visit.scope)
    if len(chosen) > bulk.MOST:
        raise Problem(422, "invalid-request", f"alert: at most {bulk.MOST} at a time")
    told = bulk.move_all(state, visit, chosen, make)
    return render(
        request,
        "alerts/bulk.html",
        told=told,
        tallied={one.value: sum(x.outcome is one for x in told) for one in bulk.Outcome},
        move=move,
        # Nothing can be got at the form's own address: from here one goes back to the desk.
        path="/alerts",
        wanted=which.asked.wanted,
        counts=tally(counted),
    )


def _mine(asked: Asked) -> DeskFilter:
    return msgspec.structs.replace(asked.wanted, mine=True)


def _group(told: str) -> bulk.PickedGroup:
    site, _, rest = told.partition("|")
    rule, _, number = rest.rpartition("|")
    if not (site and rule and told.isprintable() and number.isascii() and number.isdigit()):
        raise Problem(422, "invalid-request", f"group: {told[:40]!r} is no group")
    return bulk.PickedGroup(site, rule, min(int(number), _NUMBER_MOST))
