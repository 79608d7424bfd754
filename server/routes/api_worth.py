"""The JSON API of telling people and its worth: notifications, silences, scorecards, proposals."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from ledger.engine import reading
from ledger.proposals import ProposalState
from ledger.scorecards import Card, Key
from ledger.silences import Silence, SilenceRefused
from server import api_worth as shapes
from server.api_models import AlertItem, Page
from server.cursors import cursor, cut, place_of
from server.formats import local
from server.judging import proposals_here
from server.needs import Need, acts, reads
from server.notification_list import NotificationFilter, find_notifications, today
from server.problems import Problem
from server.routes import silences as silence_routes
from server.routes import worth as worth_routes
from server.routes.api_parts import PREFIX, Before, Days, Limit, paged, problems
from server.routes.notifications import StateName
from server.routes.worth import Said, period
from server.signing import Visit
from server.silence_list import Wish, checked_wish, own_silence, preview, visible_silences
from server.worth_file import find_behind, find_cards, read_weeks

router = APIRouter(prefix=PREFIX, responses=problems(401, 422, 503))
Name = Annotated[str, Query(max_length=256)]
PROPOSALS_MOST = 10_000


@router.get("/notifications", tags=["notifications"], summary="A day's notifications")
def list_notifications(
    state: Need,
    visit: Annotated[Visit, reads("notifications:read")],
    day: Annotated[
        date | None,
        Query(ge=date(2000, 1, 1), le=date(2199, 12, 31), description="In China; without: today."),
    ] = None,
    recipient: Name = "",
    asked_state: Annotated[StateName, Query(alias="state")] = "",
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.NotificationItem]:
    """What was sent, held and cancelled, newest first. An operator sees only their own."""
    place = place_of("notifications", before, tuple[int])
    last = place[0] if place else None
    wanted = NotificationFilter(day or today(state.clock()), recipient, asked_state)
    with reading(state.engine) as conn:
        lines, more = find_notifications(conn, visit.scope, visit.officer, wanted, limit, last)
    following = cursor("notifications", (lines[-1].row.id,)) if more else None
    return paged(shapes.NotificationItem, [line.row for line in lines], following)


@router.get("/silences", tags=["silences"], summary="Silences and maintenance windows")
def list_silences(
    state: Need,
    visit: Annotated[Visit, reads("silences:read")],
    ended: Annotated[bool, Query(description="Those over.")] = False,
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.SilenceItem]:
    """Those that hide something of what the officer sees, now or later; the last to begin first."""
    with reading(state.engine) as conn:
        lines = visible_silences(conn, visit, state.clock(), ended=ended)
    found, following = cut(
        [line.silence for line in lines],
        lambda one: (one.starts_at, one.id),
        "silences",
        tuple[datetime, str],
        limit,
        before,
        descending=True,
    )
    return Page[shapes.SilenceItem](items=[_silence(one) for one in found], next=following)


@router.post(
    "/silences", tags=["silences"], summary="Begin a silence", responses=problems(403, 404)
)
def make_silence(
    state: Need, visit: Annotated[Visit, acts("silences:write")], body: shapes.SilenceRequest
) -> shapes.SilenceItem:
    """Within the officer's region, for 30 days at most. Class 1 is never silenced."""
    try:
        made = silence_routes.make(state, visit, _wish(body))
    except SilenceRefused as error:
        raise Problem(422, "silence-refused", str(error)) from None
    return _silence(made)


@router.post(
    "/silences/preview",
    tags=["silences"],
    summary="What a silence would have hidden",
    responses=problems(403, 404),
)
def preview_silence(
    state: Need, visit: Annotated[Visit, acts("silences:write")], body: shapes.SilenceRequest
) -> shapes.PreviewItem:
    """Over the last thirty days, the right ones first. Nothing is changed."""
    with reading(state.engine) as conn:
        asked = checked_wish(conn, visit, _wish(body))
        told = preview(conn, visit.scope, asked, state.clock())
    return shapes.PreviewItem(
        days=told.days,
        hidden=told.hidden,
        true=told.true,
        false=told.false,
        unjudged=told.unjudged,
        passing=told.passing,
        alert_ids=[line.alert.alert_id for line, _ in told.lines],
    )


@router.post(
    "/silences/{silence_id}/end",
    tags=["silences"],
    summary="End a silence early",
    responses=problems(403, 404, 409),
)
def end_silence(
    state: Need, visit: Annotated[Visit, acts("silences:write")], silence_id: str
) -> shapes.SilenceItem:
    """It hides nothing from now on."""
    if not silence_routes.end(state, visit, silence_id):
        raise Problem(409, "silence-over", f"silence {silence_id} is over already")
    with reading(state.engine) as conn:
        return _silence(own_silence(conn, visit, silence_id))


@router.get("/scorecards", tags=["worth"], summary="What alerts were worth")
def list_scorecards(
    state: Need,
    visit: Annotated[Visit, reads("worth:read")],
    days: Days = 30,
    rule: Name = "",
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.ScorecardItem]:
    """One for each rule; of one `rule`, one for each site and model. Most false alarms first."""
    since, until = period(state.clock(), days)
    with reading(state.engine) as conn:
        cards = find_cards(conn, visit.scope, since, until, rule)
    found, following = cut(
        cards, _place_of_card, "scorecards", tuple[int, str, str, str], limit, before
    )
    items = [
        shapes.ScorecardItem(
            rule=one.key.rule, site=one.key.site, model=one.key.model, severity=one.severity,
            raised=one.raised, judged=one.judged, true=one.true, false=one.false,
            unsure=one.unsure, left_out=one.left_out, causes=dict(one.causes),
            precision=_precision(one),
            camera_days=one.camera_days, false_per_camera_day=one.false_per_camera_day,
            acknowledge_median_s=one.acknowledge.median_s,
        )
        for one in found
    ]  # fmt: skip
    return Page[shapes.ScorecardItem](items=items, next=following)


def _place_of_card(one: Card) -> tuple[int, str, str, str]:
    return -one.false, one.key.rule, one.key.site, one.key.model


@router.get("/scorecards/alerts", tags=["worth"], summary="The alerts behind a number")
def list_behind(
    state: Need,
    visit: Annotated[Visit, reads("worth:read")],
    rule: Name,
    days: Days = 30,
    site: Name = "",
    model: Annotated[str | None, Query(max_length=256)] = None,
    said: Said = "",
    limit: Limit = 50,
    before: Before = None,
) -> Page[AlertItem]:
    """Newest first; `said` names the number."""
    since, until = period(state.clock(), days)
    with reading(state.engine) as conn:
        rows = find_behind(
            conn, visit.scope, since, until, Key(rule, site, model or ""),
            model=model is not None, said=said,
        )  # fmt: skip
    found, following = cut(
        rows,
        lambda row: (row.raised_at, row.alert_id),
        "behind",
        tuple[datetime, str],
        limit,
        before,
        descending=True,
    )
    return paged(AlertItem, found, following)


@router.get("/alert-times", tags=["worth"], summary="How long alerts took, by week")
def list_times(
    state: Need,
    visit: Annotated[Visit, reads("worth:read")],
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.WeekItem]:
    """Medians and 90th percentiles of the last twelve weeks."""
    with reading(state.engine) as conn:
        told = read_weeks(conn, visit.scope, state.clock())
    found, following = cut(
        told, lambda one: (one.starts_at,), "alert-times", tuple[datetime], limit, before
    )
    items = [
        shapes.WeekItem(
            week=one.starts_at,
            alerts=one.alerts,
            notify_median_s=one.notify.median_s,
            notify_p90_s=one.notify.p90_s,
            acknowledge_median_s=one.acknowledge.median_s,
            acknowledge_p90_s=one.acknowledge.p90_s,
            dispose_median_s=one.dispose.median_s,
            dispose_p90_s=one.dispose.p90_s,
        )
        for one in found
    ]
    return Page[shapes.WeekItem](items=items, next=following)


@router.get("/proposals", tags=["worth"], summary="What follows from verdicts")
def list_proposals(
    state: Need,
    visit: Annotated[Visit, reads("worth:read")],
    states: Annotated[list[ProposalState] | None, Query(alias="state")] = None,
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.ProposalItem]:
    """Proposals of the officer's region and below; without `state`, those that wait."""
    with reading(state.engine) as conn:
        rows = proposals_here(conn, visit, states or (ProposalState.OPEN,), PROPOSALS_MOST)
    found, following = cut(
        rows,
        lambda one: (one.proposed_at, one.id),
        "proposals",
        tuple[datetime, str],
        limit,
        before,
        descending=True,
    )
    return paged(shapes.ProposalItem, found, following)


@router.post(
    "/proposals/{proposal_id}/accept",
    tags=["worth"],
    summary="Accept a proposal",
    responses=problems(403, 404, 409),
)
def accept_proposal(
    state: Need,
    visit: Annotated[Visit, acts("worth:decide")],
    proposal_id: str,
    body: shapes.AcceptRequest,
) -> shapes.ProposalItem:
    """It becomes a silence, or the rule goes to the digest, for so many days."""
    made = worth_routes.accept(state, visit, proposal_id, body.days, body.note)
    return shapes.ProposalItem.model_validate(made)


@router.post(
    "/proposals/{proposal_id}/decline",
    tags=["worth"],
    summary="Decline a proposal",
    responses=problems(403, 404, 409),
)
def decline_proposal(
    state: Need,
    visit: Annotated[Visit, acts("worth:decide")],
    proposal_id: str,
    body: shapes.DeclineRequest,
) -> shapes.ProposalItem:
    """The same verdicts will not propose it again."""
    made = worth_routes.decline(state, visit, proposal_id, body.note)
    return shapes.ProposalItem.model_validate(made)


def _precision(one: Card) -> shapes.PrecisionItem | None:
    told = one.precision
    return None if told is None else shapes.PrecisionItem.model_validate(told)


def _silence(one: Silence) -> shapes.SilenceItem:
    fit = one.matchers
    return shapes.SilenceItem(
        id=one.id, kind=one.kind, region=fit.region, site=fit.site, device=fit.device,
        zone=fit.zone, rule=fit.rule, severity=list(fit.severity),
        includes_class_1=one.includes_class_1, starts_at=one.starts_at, ends_at=one.ends_at,
        reason=one.reason, author=one.author,
    )  # fmt: skip


def _wish(body: shapes.SilenceRequest) -> Wish:
    def said(at: datetime | None) -> str:
        return "" if at is None else local(at).replace(tzinfo=None).isoformat()

    return Wish(
        kind=body.kind, region=body.region, site=body.site, device=body.device, zone=body.zone,
        rule=body.rule, classes=tuple(body.severity), includes_class_1=body.includes_class_1,
        starts=said(body.starts_at), ends=said(body.ends_at), reason=body.reason,
    )  # fmt: skip
