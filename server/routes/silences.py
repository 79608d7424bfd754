"""Silences and maintenance windows: the list, a new one with its preview, ending one early."""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from contracts.words import Severity
from ledger import audit, regions, scorecards, silences, sites
from ledger.engine import Connection, reading, writing
from ledger.silences import Silence, SilenceRefused
from server.access import Right, may
from server.desk import count_alerts, tally
from server.formats import local
from server.needs import Actor, Costly, Need, Viewer
from server.pages import render
from server.signing import Visit
from server.silence_list import (
    ENDED_SHOWN,
    Wish,
    checked_wish,
    own_silence,
    preview,
    silence_of,
    visible_silences,
)
from server.state import State

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Query(max_length=128)]
CHOICES = 300
"""So many sites are offered while a name is typed."""


async def _wish_of_query(
    kind: Literal["silence", "maintenance"] = "silence",
    region: Text = "",
    site: Text = "",
    device: Text = "",
    zone: Text = "",
    rule: Text = "",
    classes: Annotated[list[Literal["2", "3"]] | None, Query(alias="class")] = None,
    class_1: Literal["", "yes"] = "",
    starts: Annotated[str, Query(max_length=32)] = "",
    ends: Annotated[str, Query(max_length=32)] = "",
    reason: Annotated[str, Query(max_length=500)] = "",
) -> Wish:
    return _wish(
        kind, region, site, device, zone, rule, classes, class_1, starts, ends, reason
    )  # fmt: skip


async def _wish_of_form(
    kind: Annotated[Literal["silence", "maintenance"], Form()] = "silence",
    region: Annotated[str, Form(max_length=128)] = "",
    site: Annotated[str, Form(max_length=128)] = "",
    device: Annotated[str, Form(max_length=128)] = "",
    zone: Annotated[str, Form(max_length=128)] = "",
    rule: Annotated[str, Form(max_length=128)] = "",
    classes: Annotated[list[Literal["2", "3"]] | None, Form(alias="class")] = None,
    class_1: Annotated[Literal["", "yes"], Form()] = "",
    starts: Annotated[str, Form(max_length=32)] = "",
    ends: Annotated[str, Form(max_length=32)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Wish:
    return _wish(
        kind, region, site, device, zone, rule, classes, class_1, starts, ends, reason
    )  # fmt: skip


def _wish(
    kind: Literal["silence", "maintenance"],
    region: str,
    site: str,
    device: str,
    zone: str,
    rule: str,
    classes: list[Literal["2", "3"]] | None,
    class_1: str,
    starts: str,
    ends: str,
    reason: str,
) -> Wish:
    return Wish(
        kind=kind, region=region, site=site, device=device, zone=zone, rule=rule,
        classes=tuple(Severity(int(one)) for one in classes or ()),
        includes_class_1=class_1 == "yes", starts=starts, ends=ends, reason=reason,
    )  # fmt: skip


Asked = Annotated[Wish, Depends(_wish_of_query)]
Sent = Annotated[Wish, Depends(_wish_of_form)]


@router.get("/silences")
def list_silences(request: Request, state: Need, visit: Viewer, wish: Asked) -> Response:
    """The list and the form; an address may fill the form in."""
    return _page(request, state, visit, wish)


@router.get("/silences/preview", dependencies=[Costly])
def show_preview(request: Request, state: Need, visit: Viewer, wish: Asked) -> Response:
    """What such a silence would have hidden, as a part of the page."""
    now = state.clock()
    with reading(state.engine) as conn:
        asked = checked_wish(conn, visit, wish)
        told = preview(conn, visit.scope, asked, now)
    return render(request, "silences/preview.html", preview=told)


@router.post("/silences")
def make_silence(request: Request, state: Need, visit: Actor, wish: Sent) -> Response:
    """Begin one, now or later."""
    try:
        make(state, visit, wish)
    except SilenceRefused as error:
        trouble = f"silence.refused.{error.kind}"
        return _page(request, state, visit, wish, status=422, trouble=trouble)
    return RedirectResponse("/silences", 303)


@router.post("/silences/{silence_id}/end")
def end_silence(state: Need, visit: Actor, silence_id: str) -> Response:
    """End one before its time."""
    end(state, visit, silence_id)
    return RedirectResponse("/silences", 303)


def make(state: State, visit: Visit, wish: Wish) -> Silence:
    """Begin one and audit it. Raises SilenceRefused, Problem (404 out of sight)."""
    now = state.clock()
    with writing(state.engine) as conn:
        new = silence_of(checked_wish(conn, visit, wish), visit, now)
        silences.add(conn, new)
        detail = {
            "kind": new.kind,
            "matchers": msgspec.to_builtins(new.matchers),
            "from": new.starts_at.isoformat(),
            "until": new.ends_at.isoformat(),
            "class_1": new.includes_class_1,
            "reason": new.reason,
        }
        audit.append(conn, visit.actor, "silence_made", f"silence/{new.id}", detail, now)
    return new


def end(state: State, visit: Visit, silence_id: str) -> bool:
    """End one and audit it; False if it was over. Raises Problem (404)."""
    now = state.clock()
    with writing(state.engine) as conn:
        own_silence(conn, visit, silence_id)
        ended = silences.end(conn, silence_id, now)
        if ended:
            what = f"silence/{silence_id}"
            audit.append(conn, visit.actor, "silence_ended", what, {}, now)
    return ended


def _page(
    request: Request,
    state: State,
    visit: Visit,
    wish: Wish,
    *,
    status: int = 200,
    trouble: str = "",
) -> Response:
    now = state.clock()
    acts = may(visit.officer, Right.ACT)
    with reading(state.engine) as conn:
        lines = visible_silences(conn, visit, now)
        over = visible_silences(conn, visit, now, ended=True)[:ENDED_SHOWN]
        counted = count_alerts(conn, visit.scope)
        asked = checked_wish(conn, visit, wish) if acts else wish
        told = preview(conn, visit.scope, asked, now) if acts and wish.rule else None
        places = _places(conn, visit) if acts else ([], [], [])
    return render(
        request,
        "silences/list.html",
        status=status,
        lines=lines,
        over=over,
        wish=asked,
        preview=told,
        regions=places[0],
        sites=places[1],
        rules=places[2],
        acts=acts,
        trouble=trouble,
        starts=f"{local(now):%Y-%m-%dT%H:%M}",
        ends=f"{local(now + timedelta(hours=8)):%Y-%m-%dT%H:%M}",
        counts=tally(counted),
    )


def _places(
    conn: Connection, visit: Visit
) -> tuple[list[regions.Region], list[sites.Site], list[str]]:
    mine = [one for one in regions.all_regions(conn) if one.code in visit.scope.regions]
    here = sites.list_in(conn, visit.scope.listed, CHOICES, visit.scope.sites)
    return mine, here, scorecards.rules_in(conn, visit.scope.listed)
