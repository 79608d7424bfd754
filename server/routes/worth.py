"""What alerts were worth: scorecards, the alerts behind each number, proposals, charts by week."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from pydantic import BeforeValidator
from starlette.responses import JSONResponse, RedirectResponse, Response

from ledger import audit, proposals
from ledger.engine import Connection, reading, writing
from ledger.proposals import Proposal, ProposalConflict, ProposalState
from ledger.scorecards import Key
from server.access import Right, may, only_recipient
from server.desk import alert_lines, count_alerts, tally
from server.judging import policy_of, proposals_here
from server.needs import Actor, Costly, Need, Viewer
from server.pages import render, words_of
from server.problems import Problem, not_found
from server.signing import Visit
from server.state import State
from server.worth_file import (
    Figure,
    channels_chart,
    find_behind,
    proposal_lines,
    read_cards,
    read_proposal,
    times_chart,
)

router = APIRouter(include_in_schema=False)


def _whole(told: object) -> object:
    return int(told) if isinstance(told, str) and told.isdecimal() else told


Period = Annotated[Literal[7, 30, 90], BeforeValidator(_whole), Query(alias="days")]
Said = Literal["", "true", "false", "unsure", "left_out", "judged"]
PAGE = 25
Name = Annotated[str, Query(max_length=256)]


def period(now: datetime, days: int) -> tuple[datetime, datetime]:
    """The last `days`, up to and with this moment."""
    return now - timedelta(days=days), now + timedelta.resolution


@router.get("/worth")
def show_worth(
    request: Request, state: Need, visit: Viewer, days: Period = 30, rule: Name = ""
) -> Response:
    """Scorecards of all rules, or of one by site and model; what is proposed."""
    since, until = period(state.clock(), days)
    with reading(state.engine) as conn:
        cards = read_cards(conn, visit.scope, since, until, rule)
        waiting = proposal_lines(conn, proposals_here(conn, visit))
        settled = (ProposalState.ACCEPTED, ProposalState.DECLINED)
        past = proposal_lines(conn, proposals_here(conn, visit, settled, 20))
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "worth/cards.html",
        cards=cards,
        days=days,
        rule=rule,
        waiting=waiting,
        past=past,
        causes=state.causes,
        counts=tally(counted),
    )


@router.get("/worth/alerts")
def show_behind(
    request: Request,
    state: Need,
    visit: Viewer,
    rule: Name,
    days: Period = 30,
    site: Name = "",
    model: Annotated[str | None, Query(max_length=256)] = None,
    said: Said = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """The alerts that a number counts."""
    since, until = period(state.clock(), days)
    key = Key(rule, site, model or "")
    with reading(state.engine) as conn:
        rows = find_behind(conn, visit.scope, since, until, key, model=model is not None, said=said)
        lines = alert_lines(conn, rows[(page - 1) * PAGE : page * PAGE])
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "worth/behind.html",
        lines=lines,
        total=len(rows),
        page=page,
        pages=-(-len(rows) // PAGE),
        rule=rule,
        site=site,
        model=model,
        said=said,
        days=days,
        acts=may(visit.officer, Right.ACT),
        counts=tally(counted),
    )


@router.get("/worth/chart", dependencies=[Costly])
def chart(request: Request, state: Need, visit: Viewer, figure: Figure) -> Response:
    """What a chart draws, as JSON."""
    now, words = state.clock(), words_of(request)
    with reading(state.engine) as conn:
        if figure == "channels":
            drawn = channels_chart(conn, visit.scope, now, words, only_recipient(visit.officer))
        else:
            drawn = times_chart(conn, visit.scope, now, figure, words)
    return JSONResponse(drawn)


@router.get("/worth/proposals/{proposal_id}")
def one_proposal(request: Request, state: Need, visit: Viewer, proposal_id: str) -> Response:
    """A proposal with what it would have changed; right ones that it would have hidden first."""
    now = state.clock()
    with reading(state.engine) as conn:
        found = visible_proposal(conn, visit, proposal_id)
        file = read_proposal(conn, found, now, policy_of(state.settings.worth))
        counted = count_alerts(conn, visit.scope)
    return render(
        request,
        "worth/proposal.html",
        file=file,
        acts=may(visit.officer, Right.ACT),
        days=round(state.settings.worth.silence_days) or 1,
        counts=tally(counted),
    )


@router.post("/worth/proposals/{proposal_id}/accept")
def do_accept(
    state: Need,
    visit: Actor,
    proposal_id: str,
    days: Annotated[int, Form(ge=1, le=30)] = 14,
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Let it happen for so many days."""
    accept(state, visit, proposal_id, days, note)
    return RedirectResponse("/worth", 303)


@router.post("/worth/proposals/{proposal_id}/decline")
def do_decline(
    state: Need, visit: Actor, proposal_id: str, note: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """It is not wanted."""
    decline(state, visit, proposal_id, note)
    return RedirectResponse("/worth", 303)


def visible_proposal(conn: Connection, visit: Visit, proposal_id: str) -> Proposal:
    """The proposal, if this officer can see it. Raises Problem (404)."""
    found = proposals.get(conn, proposal_id)
    if found is None or not visit.scope.covers(found.region, found.establishment_id):
        raise not_found("proposal")
    return found


def accept(state: State, visit: Visit, proposal_id: str, days: int, note: str) -> Proposal:
    """Accept and audit it. Raises Problem (404, 409)."""
    now = state.clock()
    with writing(state.engine) as conn:
        visible_proposal(conn, visit, proposal_id)
        until = now + timedelta(days=days)
        try:
            made = proposals.accept(conn, proposal_id, visit.officer.id, now, until, note.strip())
        except ProposalConflict as error:
            raise Problem(409, "proposal", str(error)) from None
        detail = {"made": made.made, "until": until.isoformat(), "note": note.strip()}
        what = f"proposal/{proposal_id}"
        audit.append(conn, visit.actor, "proposal_accepted", what, detail, now)
    return made


def decline(state: State, visit: Visit, proposal_id: str, note: str) -> Proposal:
    """Decline and audit it. Raises Problem (404, 409)."""
    now = state.clock()
    with writing(state.engine) as conn:
        visible_proposal(conn, visit, proposal_id)
        try:
            made = proposals.decline(conn, proposal_id, visit.officer.id, now, note.strip())
        except ProposalConflict as error:
            raise Problem(409, "proposal", str(error)) from None
        what, detail = f"proposal/{proposal_id}", {"note": note.strip()}
        audit.append(conn, visit.actor, "proposal_declined", what, detail, now)
    return made
