"""The JSON API of bright kitchens: the wall, who cannot be seen, asking for a look, what came."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.words import in_chinese, in_english
from contracts.workdays import china_day
from ledger import evidence, kitchen_meals, kitchens, looks
from ledger.engine import Connection, reading, writing
from server import api_kitchens as shapes
from server import keeping, looking
from server.access import Right
from server.api_models import Page
from server.cursors import cut, place_of, sliced
from server.desk import Names
from server.kitchen_filter import KitchenFilter, sought_of
from server.kitchen_wall import (
    RegionLine,
    blind_lines,
    blind_sought,
    lines_of,
    read_regions,
)
from server.looking import LookRefused
from server.needs import Need, acts, reads
from server.problems import Problem, at_field
from server.routes.api_parts import PREFIX, Before, Limit, problems
from server.routes.kitchens import DAYS, visible_camera
from server.routes.looks import picture_answer, visible_look
from server.signing import Visit
from server.state import State

router = APIRouter(prefix=PREFIX, responses=problems(401, 422, 503), tags=["kitchens"])
Reader = Annotated[Visit, reads("kitchens:read")]
Asker = Annotated[Visit, acts("kitchens:look", Right.LOOK)]
Keeper = Annotated[Visit, acts("kitchens:look")]
Region = Annotated[
    str, Query(max_length=64, description="It and all below; empty: the officer's own.")
]
Words = Annotated[str, Query(alias="q", max_length=64, description="In name or address.")]
Show = Annotated[
    Literal["", "trouble", "live", "doubtful", "blind", "resting", "unknown"],
    Query(alias="state", description="`trouble`: blind, unknown or doubtful; empty: any."),
]
_JPEG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture.",
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/kitchens/cameras", summary="Kitchens' cameras", responses=problems(404))
def list_kitchen_cameras(
    state: Need,
    visit: Reader,
    region: Region = "",
    show: Show = "",
    words: Words = "",
    low: Annotated[bool, Query(description="Only those seldom proven live this week.")] = False,
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.KitchenCameraItem]:
    """The wall: each camera's state now, its meals, its newest picture; by region and place."""
    place = place_of("kitchen-cameras", before, tuple[str, str, str, str])
    wanted, now = KitchenFilter(region, show, words.strip(), low), state.clock()
    with reading(state.engine) as conn:
        sought = sought_of(conn, visit, wanted, plain=False)
        found = kitchens.list_after(conn, sought, now, limit + 1, place)
        found, following = sliced(
            found,
            lambda one: (one.region, one.place, one.site, one.device),
            "kitchen-cameras",
            limit,
        )
        lines = lines_of(conn, found, Names(conn), now)
    items = [shapes.camera_item(line) for line in lines]
    return Page[shapes.KitchenCameraItem](items=items, next=following)


@router.get(
    "/kitchens/cameras/{site}/{camera}", summary="One kitchen's camera", responses=problems(404)
)
def get_kitchen_camera(
    state: Need, visit: Reader, site: str, camera: str
) -> shapes.KitchenCameraWhole:
    """With its meals and its blindness of fourteen days."""
    now = state.clock()
    with reading(state.engine) as conn:
        found = visible_camera(conn, state, visit, site, camera)
        (line,) = lines_of(conn, [found], Names(conn), now)
        first = china_day(now) - timedelta(days=DAYS - 1)
        meals = kitchen_meals.of_camera(conn, found.identity, first)
        spells = kitchens.blind_spells(conn, found.identity, now - timedelta(days=DAYS))
        newest = looks.newest(conn, found.identity)
    return shapes.KitchenCameraWhole(
        **shapes.camera_item(line).model_dump(),
        meals=[
            shapes.KitchenMeal(
                ends_at=one.ends_at, live_minutes=one.live_minutes, due_minutes=one.due_minutes
            )
            for one in meals
        ],
        blind=[
            shapes.BlindSpell(
                kind=kind, started_at=began, ended_at=ended, reason_zh=in_chinese(reason),
                reason_en=in_english(reason),
            )
            for kind, began, ended, reason in spells
        ],
        look_id=newest.look_id if newest and newest.running(now) else None,
    )  # fmt: skip


@router.get("/kitchens/regions", summary="Kitchens by region", responses=problems(404))
def list_kitchen_regions(
    state: Need, visit: Reader, region: Region = "", limit: Limit = 50, before: Before = None
) -> Page[shapes.KitchenRegion]:
    """The region as a whole, then its parts that have cameras, with states and coverage."""
    with reading(state.engine) as conn:
        whole, parts = read_regions(conn, visit, KitchenFilter(region), state.clock())
    told = [(0, whole, "whole"), *((at, one, _part(one)) for at, one in enumerate(parts, 1))]
    found, following = cut(
        told, lambda one: (one[0],), "kitchen-regions", tuple[int], limit, before
    )
    items = [shapes.region_item(one, part) for _, one, part in found]
    return Page[shapes.KitchenRegion](items=items, next=following)


def _part(line: RegionLine) -> str:
    return "here" if line.here else "below"


@router.get("/kitchens/blind", summary="Who cannot be seen", responses=problems(404))
def list_blind_cameras(
    state: Need,
    visit: Reader,
    region: Region = "",
    words: Words = "",
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.BlindCamera]:
    """Cameras that cannot see or are unknown, the longest first: since when, why, who was told."""
    place = place_of("kitchen-blind", before, tuple[datetime, str, str])
    with reading(state.engine) as conn:
        sought = blind_sought(conn, visit, KitchenFilter(region, words=words.strip()))
        found = kitchens.longest_after(conn, sought, state.clock(), limit + 1, place)
        found, following = sliced(
            found, lambda one: (one.since, one.site, one.device), "kitchen-blind", limit
        )
        lines = blind_lines(conn, visit, found)
    items = [shapes.blind_item(line) for line in lines]
    return Page[shapes.BlindCamera](items=items, next=following)


@router.get("/kitchens/looks", summary="Who looked at which kitchen, newest first")
def list_kitchen_looks(
    state: Need,
    visit: Reader,
    site: Annotated[str, Query(max_length=64)] = "",
    camera: Annotated[str, Query(max_length=64)] = "",
    limit: Limit = 50,
    before: Before = None,
) -> Page[shapes.KitchenLook]:
    """Looks at cameras of the officer's region and below, with their reasons."""
    place = place_of("kitchen-looks", before, tuple[datetime, str])
    now = state.clock()
    with reading(state.engine) as conn:
        rows = looks.list_in(
            conn,
            visit.scope.listed,
            sites=looking.sites_of(visit, site),
            device=camera or None,
            limit=limit + 1,
            after=place,
        )
        rows, following = sliced(
            rows, lambda row: (row.asked_at, row.look_id), "kitchen-looks", limit
        )
        lines = looking.lines_of(rows)
    items = [shapes.look_item(line, now) for line in lines]
    return Page[shapes.KitchenLook](items=items, next=following)


@router.post(
    "/kitchens/cameras/{site}/{camera}/looks",
    summary="Ask for a look at a kitchen",
    responses=problems(403, 404, 409),
    status_code=201,
)
def ask_kitchen_look(
    state: Need, visit: Asker, site: str, camera: str, body: shapes.LookRequest
) -> shapes.KitchenLook:
    """With a reason, as on the page: the same right, limits and logs, here and at the site.

    Pictures come for a minute at most; ask for the look, and for its picture, while it runs.
    """
    now = state.clock()
    try:
        with writing(state.engine) as conn:
            found = visible_camera(conn, state, visit, site, camera)
            look_id = looking.ask(conn, visit, found, body.reason, state.settings.looks, now)
    except LookRefused as refused:
        raise _problem(refused, now) from None
    with reading(state.engine) as conn:
        return _look(conn, visit, look_id, state)


def _problem(refused: LookRefused, now: datetime) -> Problem:
    """The same refusal as the page's."""
    if refused.kind == "reason":
        said = f"{looking.LEAST_REASON} to {looking.MOST_REASON} characters are needed"
        faults = [at_field("reason", detail=said)]
        return Problem(422, "invalid-request", f"reason: {said}", faults=faults)
    if refused.kind == "busy":
        return Problem(409, "look-running", "somebody looks at this camera just now")
    left_s = (refused.retry_at - now).total_seconds() if refused.retry_at else 0
    retry = {"retry-after": str(max(1, round(left_s + 0.5)))}
    said = "you asked" if refused.kind == "officer" else "this camera was asked"
    return Problem(429, "too-many-requests", f"{said} for too many looks this hour", retry)


@router.get("/kitchens/looks/{look_id}", summary="One look", responses=problems(404))
def get_kitchen_look(state: Need, visit: Reader, look_id: str) -> shapes.KitchenLook:
    """How it stands, and which picture is its newest."""
    with reading(state.engine) as conn:
        return _look(conn, visit, look_id, state)


@router.get(
    "/kitchens/looks/{look_id}/picture",
    summary="A look's newest picture",
    response_class=Response,
    responses=problems(404) | _JPEG,
)
def get_kitchen_look_picture(state: Need, visit: Reader, look_id: str) -> Response:
    """JPEG; coarse, heads hidden. Audited, but for whoever asked while the look runs."""
    return picture_answer(state, visit, look_id, "full")


@router.post(
    "/kitchens/looks/{look_id}/kept",
    summary="Keep a picture of a look as evidence",
    responses=problems(403, 404, 409),
    status_code=201,
)
def keep_kitchen_picture(
    state: Need, visit: Keeper, look_id: str, body: shapes.KeepRequest
) -> shapes.KeptPicture:
    """While the look runs, and for moments after; the site says whether it still has the picture.

    Evidence comes as every finding's does, signed; `GET /kitchens/kept/{kept_id}` tells.
    """
    now = state.clock()
    try:
        with writing(state.engine) as conn:
            row = visible_look(conn, visit, look_id)
            kept_id = keeping.ask(conn, visit, row, body.reason, body.sha256, now)
    except LookRefused as refused:
        if refused.kind == "keepreason":
            raise _problem(LookRefused("reason", 422), now) from None
        said = "it is too old" if refused.kind == "gone" else "as many are kept as may be"
        raise Problem(409, "not-keepable", f"the picture is not kept: {said}") from None
    return _kept(state, visit, kept_id)


@router.get("/kitchens/kept/{kept_id}", summary="A kept picture", responses=problems(404))
def get_kept_picture(state: Need, visit: Reader, kept_id: str) -> shapes.KeptPicture:
    """What became of it: whether its evidence has come, and what its signature says."""
    return _kept(state, visit, kept_id)


def _kept(state: State, visit: Visit, kept_id: str) -> shapes.KeptPicture:
    with reading(state.engine) as conn:
        row = keeping.visible_kept(conn, visit, kept_id)
        picture = evidence.get(conn, row.evidence_id, row.site)
    return shapes.kept_item(row, picture, state.clock())


def _look(conn: Connection, visit: Visit, look_id: str, state: State) -> shapes.KitchenLook:
    (line,) = looking.lines_of([visible_look(conn, visit, look_id)])
    return shapes.look_item(line, state.clock())
