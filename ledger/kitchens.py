"""Bright kitchens 明厨亮灶: what can be said of each camera now, counted by region and in pages.

Live is what was proven live a moment ago; of everything else it is said since when, and unknown is
a state of its own. All of it is worked out by the ledger: a city's cameras are never read whole.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)

from contracts.sights import CANNOT_SEE, DOUBTFUL, LIGHTS_OFF
from contracts.topics import Identity
from contracts.words import OPEN_STATES, DeviceState, Phase, PictureRole
from contracts.workdays import china_day
from ledger.columns import UtcTime
from ledger.devices import DeviceKind
from ledger.engine import Connection
from ledger.schema import (
    alerts,
    camera_meals,
    devices,
    establishments,
    evidence,
    observations,
    sites,
)
from ledger.sql import among_these, typed, typed_or_none

FRESH = timedelta(seconds=150)
"""A camera says every ten seconds that it is live; what it said longer ago proves nothing."""
FRAMES_AT_ONCE = 50
WEEK_DAYS = 7
"""Coverage is told of today and of so many days, today among them."""


class CameraState(StrEnum):
    """What can be said of a camera now."""

    LIVE = "live"
    DOUBTFUL = "doubtful"
    """It sees, but not well, or something at the site is not in order."""
    BLIND = "blind"
    RESTING = "resting"
    """The lights are off outside working hours: nothing is seen, as it should be."""
    UNKNOWN = "unknown"
    """Nothing was heard of it lately. Never taken for well."""


TROUBLE = (CameraState.BLIND, CameraState.UNKNOWN, CameraState.DOUBTFUL)
"""What somebody has to see to."""


class Sought(msgspec.Struct, frozen=True):
    """Which cameras."""

    regions: tuple[str, ...]
    sites: tuple[str, ...] | None = None
    """None: every site of the regions."""
    states: tuple[CameraState, ...] = ()
    """Empty: any."""
    words: str = ""
    """Of the establishment's or the camera's name, or the address."""
    low_percent: int = 0
    """Only cameras that were live for less than this share of their meals of the week."""


class Camera(msgspec.Struct, frozen=True):
    """A camera as its line shows it."""

    region: str
    site: str
    device: str
    name: str
    site_name: str
    establishment_id: str | None
    place: str
    """The establishment's name, or the site's."""
    state: CameraState
    since: datetime
    """Live: when it last proved to be. Blind, doubtful, resting: when that began. Unknown: when
    it was last heard of, or was registered."""
    kind: str
    """What is wrong with its sight, a kind of observation; empty if that is not what it is."""
    detail: str
    """What the site said of it last, in both languages."""
    heard: bool
    """Whether anything was ever heard of it."""
    figures: dict[str, float]
    live_today: int | None
    due_today: int | None
    """Minutes of the meals of today that are over; None: none was told yet."""
    live_week: int | None
    due_week: int | None
    days_told: int
    """Of how many days of the week a meal was told."""

    @property
    def identity(self) -> Identity:
        """How it speaks on the wire."""
        return Identity(self.region, self.site, self.device)


class Count(msgspec.Struct, frozen=True):
    """The cameras of one region that are in one state."""

    region: str
    state: CameraState
    cameras: int
    live_today: int
    due_today: int
    live_week: int
    due_week: int
    silent_week: int
    """Cameras that told no meal in the week."""


class Frame(msgspec.Struct, frozen=True):
    """The newest picture of a camera that showed the kitchen, and came as evidence."""

    evidence_id: str
    captured_at: datetime
    width: int
    height: int


class Raised(msgspec.Struct, frozen=True):
    """The newest open alert on a camera, or on its site's agent."""

    site: str
    device: str
    alert_id: str
    rule: str
    title_zh: str
    title_en: str


_RANKS = {kind: rank for rank, kind in enumerate(CANNOT_SEE)}
_BLIND_BELOW = _RANKS[LIGHTS_OFF]


def _sights() -> Any:
    """What is wrong with each camera's sight: the gravest open observation, since when."""
    kinds = case(_RANKS, value=observations.c.kind, else_=len(_RANKS))
    return (
        select(
            observations.c.site,
            observations.c.device,
            func.min(kinds).label("rank"),
            func.min(observations.c.started_at).label("since"),
        )
        .where(
            observations.c.phase == Phase.OPEN.value,
            observations.c.kind.in_(CANNOT_SEE),
        )
        .group_by(observations.c.site, observations.c.device)
        .subquery("sights")
    )


def _coverage(today: date) -> Any:
    """Each camera's meals of today and of the week."""
    is_today = camera_meals.c.day == today.isoformat()

    def minutes(column: Any) -> Any:
        return cast(func.sum(column), Integer)

    first = today - timedelta(days=WEEK_DAYS - 1)
    return (
        select(
            camera_meals.c.site,
            camera_meals.c.device,
            minutes(case((is_today, camera_meals.c.live_minutes))).label("live_today"),
            minutes(case((is_today, camera_meals.c.due_minutes))).label("due_today"),
            minutes(camera_meals.c.live_minutes).label("live_week"),
            minutes(camera_meals.c.due_minutes).label("due_week"),
            func.count(camera_meals.c.day.distinct()).label("days_told"),
        )
        .where(
            camera_meals.c.day >= first.isoformat(),
            camera_meals.c.day <= today.isoformat(),
            camera_meals.c.due_minutes > 0,
        )
        .group_by(camera_meals.c.site, camera_meals.c.device)
        .subquery("coverage")
    )


def _cameras(sought: Sought, now: datetime) -> Select[Any]:
    """The cameras that are sought, with every column of `Camera`."""
    sights, coverage = _sights(), _coverage(china_day(now))
    d = devices.c
    fresh = and_(d.status_received_at.is_not(None), d.status_received_at >= now - FRESH)
    speaks = d.state.in_([DeviceState.ONLINE.value, DeviceState.DEGRADED.value])
    doubtful = [_RANKS[kind] for kind in sorted(DOUBTFUL)]
    state = case(
        (or_(d.state == DeviceState.UNKNOWN.value, and_(speaks, not_(fresh))), "unknown"),
        (d.state == DeviceState.OFFLINE.value, "blind"),
        (sights.c.rank == _BLIND_BELOW, "resting"),
        (and_(sights.c.rank.is_not(None), sights.c.rank.not_in(doubtful)), "blind"),
        (or_(sights.c.rank.is_not(None), d.state == DeviceState.DEGRADED.value), "doubtful"),
        (d.state == DeviceState.ONLINE.value, "live"),
        else_="unknown",
    )
    heard_at = func.coalesce(d.status_received_at, d.last_seen_at)
    since = case(
        (and_(state == "live", d.status_received_at > now), literal(now, UtcTime)),
        (state == "live", d.status_received_at),
        (state == "unknown", func.coalesce(heard_at, d.registered_at)),
        else_=func.coalesce(sights.c.since, d.state_at, d.registered_at),
    )
    kind = case({rank: name for name, rank in _RANKS.items()}, value=sights.c.rank, else_="")
    place = func.coalesce(establishments.c.name, sites.c.name)
    found = (
        select(
            d.region,
            d.site,
            d.device,
            d.name,
            sites.c.name.label("site_name"),
            sites.c.establishment_id,
            place.label("place"),
            state.label("state"),
            since.label("since"),
            case((state == "unknown", ""), else_=kind).label("kind"),
            d.state_detail.label("detail"),
            heard_at.is_not(None).label("heard"),
            d.figures,
            coverage.c.live_today,
            coverage.c.due_today,
            coverage.c.live_week,
            coverage.c.due_week,
            func.coalesce(coverage.c.days_told, 0).label("days_told"),
        )
        .select_from(
            devices.join(sites, sites.c.id == d.site)
            .outerjoin(establishments, establishments.c.id == sites.c.establishment_id)
            .outerjoin(sights, and_(sights.c.site == d.site, sights.c.device == d.device))
            .outerjoin(coverage, and_(coverage.c.site == d.site, coverage.c.device == d.device))
        )
        .where(
            d.kind == DeviceKind.CAMERA.value,
            d.retired_at.is_(None),
            among_these(d.region, sought.regions),
        )
    )
    if sought.sites is not None:
        found = found.where(among_these(d.site, sought.sites))
    if sought.states:
        found = found.where(state.in_([one.value for one in sought.states]))
    if sought.words:
        text = place + " " + func.coalesce(establishments.c.address, "") + " " + d.name
        found = found.where(text.icontains(sought.words, autoescape=True))
    if sought.low_percent:
        share = 100 * coverage.c.live_week < sought.low_percent * coverage.c.due_week
        found = found.where(or_(share, coverage.c.due_week.is_(None)))
    return found


def page(
    conn: Connection,
    sought: Sought,
    now: datetime,
    limit: int,
    offset: int = 0,
    *,
    longest_first: bool = False,
) -> tuple[list[Camera], int]:
    """Cameras by region, place and id (or those whose state has lasted longest), and how many."""
    found = _cameras(sought, now).subquery("found")
    order = [found.c.region, found.c.place, found.c.site, found.c.device]
    if longest_first:
        order = [found.c.since, *order]
    rows = conn.execute(select(found).order_by(*order).limit(limit).offset(offset)).all()
    if not offset and len(rows) < limit:
        return [typed(row, Camera) for row in rows], len(rows)
    # counted by itself: beside the rows, each would be made whole only to be counted
    total = conn.scalar(select(func.count()).select_from(found)) or 0
    return [typed(row, Camera) for row in rows], total


def list_after(
    conn: Connection,
    sought: Sought,
    now: datetime,
    limit: int,
    after: tuple[str, str, str, str] | None = None,
) -> list[Camera]:
    """Cameras by region, place, site and id; `after`: those four of the last one seen."""
    found = _cameras(sought, now).subquery("found")
    place = (found.c.region, found.c.place, found.c.site, found.c.device)
    query = select(found).order_by(*place).limit(limit)
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*after))
    return [typed(row, Camera) for row in conn.execute(query)]


def longest_after(
    conn: Connection,
    sought: Sought,
    now: datetime,
    limit: int,
    after: tuple[datetime, str, str] | None = None,
) -> list[Camera]:
    """Cameras whose state has lasted longest first; `after`: since, site and id of the last one."""
    found = _cameras(sought, now).subquery("found")
    place = (found.c.since, found.c.site, found.c.device)
    query = select(found).order_by(*place).limit(limit)
    if after is not None:
        since, *name = after
        query = query.where(tuple_(*place) > tuple_(literal(since, UtcTime), *name))
    return [typed(row, Camera) for row in conn.execute(query)]


def one(conn: Connection, who: Identity, now: datetime) -> Camera | None:
    """That camera; None if there is none in use."""
    found = _cameras(Sought((who.region,), (who.site,)), now)
    row = conn.execute(found.where(devices.c.device == who.device)).one_or_none()
    return typed_or_none(row, Camera)


def counts(conn: Connection, sought: Sought, now: datetime) -> list[Count]:
    """How many cameras of each region are in each state, with their minutes."""
    found = _cameras(sought, now).subquery("found")

    def total(column: Any) -> Any:
        return cast(func.coalesce(func.sum(column), 0), BigInteger)

    grouped = (
        select(
            found.c.region,
            found.c.state,
            func.count().label("cameras"),
            *(
                total(found.c[name]).label(name)
                for name in ("live_today", "due_today", "live_week", "due_week")
            ),
            total(cast(found.c.days_told == 0, Integer)).label("silent_week"),
        )
        .group_by(found.c.region, found.c.state)
        .order_by(found.c.region, found.c.state)
    )
    return [typed(row, Count) for row in conn.execute(grouped)]


def newest_frames(conn: Connection, cameras: Sequence[Identity]) -> dict[tuple[str, str], Frame]:
    """The newest picture of each camera that came as evidence and shows the kitchen.

    What shows a camera that could not see is none; what it saw before that is. One statement for
    FRAMES_AT_ONCE cameras: each camera's is the last entry of an index.
    """
    found: dict[tuple[str, str], Frame] = {}
    for start in range(0, len(cameras), FRAMES_AT_ONCE):
        asked = [_newest(who) for who in cameras[start : start + FRAMES_AT_ONCE]]
        for site, device, *row in conn.execute(union_all(*asked)):
            found[site, device] = Frame(*row)
    return found


def _newest(who: Identity) -> Select[Any]:
    of_blindness = exists().where(
        observations.c.site == evidence.c.site,
        observations.c.device == evidence.c.device,
        observations.c.observation_id == evidence.c.observation_id,
        observations.c.kind.in_(CANNOT_SEE),
    )
    columns = (
        evidence.c.site,
        evidence.c.device,
        evidence.c.evidence_id,
        evidence.c.captured_at,
        evidence.c.width,
        evidence.c.height,
    )
    newest = (
        select(*columns)
        .where(
            evidence.c.site == who.site,
            evidence.c.device == who.device,
            evidence.c.blurred,
            or_(evidence.c.role == PictureRole.BEFORE.value, not_(of_blindness)),
        )
        .order_by(evidence.c.captured_at.desc())
        .limit(1)
    )
    return select(newest.subquery())


def raised_at(conn: Connection, at_sites: Collection[str]) -> dict[tuple[str, str], Raised]:
    """The newest open alert of each device of these sites that sees or speaks for the site."""
    if not at_sites:
        return {}
    found: Select[Any] = (
        select(
            alerts.c.site,
            alerts.c.device,
            alerts.c.alert_id,
            alerts.c.rule,
            alerts.c.title_zh,
            alerts.c.title_en,
        )
        .select_from(
            alerts.join(
                devices,
                and_(devices.c.site == alerts.c.site, devices.c.device == alerts.c.device),
            )
        )
        .where(
            among_these(alerts.c.site, at_sites),
            alerts.c.state.in_([state.value for state in OPEN_STATES]),
            devices.c.kind.in_([DeviceKind.CAMERA.value, DeviceKind.AGENT.value]),
        )
        .order_by(alerts.c.raised_at)
    )
    rows: Iterable[Raised] = (typed(row, Raised) for row in conn.execute(found))
    return {(row.site, row.device): row for row in rows}


def agents_of(conn: Connection, site: str) -> list[str]:
    """Ids of the agents of a site that are in use."""
    found = select(devices.c.device).where(
        devices.c.site == site,
        devices.c.kind == DeviceKind.AGENT.value,
        devices.c.retired_at.is_(None),
    )
    return sorted(conn.scalars(found))


def blind_spells(
    conn: Connection, who: Identity, since: datetime, limit: int = 50
) -> list[tuple[str, datetime, datetime | None, str]]:
    """When a camera could not see: kind, begin, end and why, the newest first."""
    found: Select[Any] = (
        select(
            observations.c.kind,
            observations.c.started_at,
            observations.c.ended_at,
            observations.c.reason,
        )
        .where(
            observations.c.site == who.site,
            observations.c.device == who.device,
            observations.c.kind.in_(CANNOT_SEE),
            or_(observations.c.started_at >= since, observations.c.phase == Phase.OPEN.value),
        )
        .order_by(observations.c.started_at.desc())
        .limit(limit)
    )
    return [(row[0], row[1], row[2], row[3]) for row in conn.execute(found)]
