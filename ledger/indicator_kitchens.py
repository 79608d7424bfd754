"""Sets of kitchens: what each camera owed at meals and what it proved, and of each canteen.

A camera owes the meal of every school day that it was registered for, whether or not it, its agent
or its scene said anything; and what it told of besides. What nobody told of was not live. A canteen
owes at least one camera's meals for every school day that it existed; what its cameras that were
retired since have missed, stays missed.
"""

from typing import Any

from sqlalchemy import Float, Select, and_, case, cast, func, literal, or_, select
from sqlalchemy.sql.expression import CTE, FromClause, Subquery

from ledger.devices import DeviceKind
from ledger.establishments import EstablishmentKind
from ledger.indicator_basis import Asked, days_table, meal_minutes
from ledger.indicator_places import existed
from ledger.indicator_rows import rows
from ledger.schema import camera_meals, devices, establishments, sites

ALMOST = 1e-9
"""Minutes are whole; their share is not."""


def _cameras(asked: Asked, due: CTE) -> Subquery:
    """Each camera of the span with the minutes that were due and those that were proven."""
    least = meal_minutes(asked.indicator)
    own = devices.alias("own")
    in_use = and_(
        due.c.begins >= own.c.registered_at,
        or_(own.c.retired_at.is_(None), due.c.ends <= own.c.retired_at),
    )
    owed = select(func.count()).select_from(due).where(in_use, due.c.day != "").scalar_subquery()
    told = _told(asked)
    # A told day owes what it told, and no less than the meal that was due on it anyway.
    due_too = select(due.c.day).where(in_use, due.c.day == told.c.day).exists()
    extra = case(
        (and_(due_too, told.c.due > least), told.c.due - least),
        (due_too, 0.0),
        else_=told.c.due,
    )
    whole = cast(owed, Float) * least + func.coalesce(func.sum(extra), 0.0)
    return (
        select(
            own.c.site,
            own.c.device,
            own.c.region,
            own.c.name,
            own.c.registered_at,
            own.c.retired_at,
            whole.label("due"),
            func.coalesce(func.sum(told.c.live), 0.0).label("live"),
        )
        .select_from(
            own.outerjoin(told, and_(told.c.site == own.c.site, told.c.device == own.c.device))
        )
        .where(
            own.c.kind == DeviceKind.CAMERA.value,
            own.c.registered_at < asked.until,
            or_(own.c.retired_at.is_(None), own.c.retired_at > asked.since),
        )
        .group_by(
            *(own.c.site, own.c.device, own.c.region, own.c.name),
            *(own.c.registered_at, own.c.retired_at),
        )
        .subquery("cameras")
    )


def _told(asked: Asked) -> Subquery:
    """What each camera told of each day of the span: of a meal never more than it had."""
    live = case(
        (camera_meals.c.live_minutes < camera_meals.c.due_minutes, camera_meals.c.live_minutes),
        else_=camera_meals.c.due_minutes,
    )
    keys = (camera_meals.c.site, camera_meals.c.device, camera_meals.c.day)
    return (
        select(
            *keys,
            func.sum(live).label("live"),
            func.sum(camera_meals.c.due_minutes).label("due"),
        )
        .where(
            camera_meals.c.ends_at > asked.since,
            camera_meals.c.ends_at <= min(asked.until, asked.at),
        )
        .group_by(*keys)
        .subquery("told")
    )


def camera_minutes(asked: Asked) -> Select[Any]:
    """Each camera that owed anything."""
    cameras = _cameras(asked, days_table(asked.indicator, asked.days))
    joined = cameras.join(sites, sites.c.id == cameras.c.site)
    return rows(
        joined,
        cameras.c.due > 0,
        region=cameras.c.region,
        establishment_id=sites.c.establishment_id,
        key=cameras.c.site + "/" + cameras.c.device,
        at=cameras.c.retired_at,
        title=cameras.c.name,
        detail=sites.c.name,
        part=cameras.c.live,
        whole=cameras.c.due,
    )


def kitchens(asked: Asked) -> Select[Any]:
    """Each canteen that existed on a school day of the span."""
    due = days_table(asked.indicator, asked.days)
    cameras = _cameras(asked, due)
    minutes = (
        select(
            sites.c.establishment_id.label("of"),
            func.sum(cameras.c.due).label("due"),
            func.sum(cameras.c.live).label("live"),
        )
        .join(sites, sites.c.id == cameras.c.site)
        .group_by(sites.c.establishment_id)
        .subquery("minutes")
    )
    there = and_(
        due.c.day != "",
        or_(
            establishments.c.registered_at.is_(None),
            due.c.begins >= establishments.c.registered_at,
        ),
        or_(establishments.c.retired_at.is_(None), due.c.ends <= establishments.c.retired_at),
    )
    days = select(func.count()).select_from(due).where(there).scalar_subquery()
    least = cast(days, Float) * meal_minutes(asked.indicator)
    owed = case((minutes.c.due > least, minutes.c.due), else_=least)
    share = asked.indicator.share or 1.0
    proven = and_(minutes.c.live.is_not(None), minutes.c.live >= owed * share - ALMOST)
    return rows(
        _with(minutes),
        establishments.c.kind == EstablishmentKind.CANTEEN.value,
        *existed(asked),
        or_(days > 0, minutes.c.due > 0),
        region=establishments.c.region,
        establishment_id=establishments.c.id,
        key=establishments.c.id,
        at=establishments.c.retired_at,
        title=establishments.c.name,
        detail=establishments.c.address,
        part=cast(case((proven, 1.0), else_=0.0), Float),
        whole=literal(1.0, Float),
    )


def _with(minutes: Subquery) -> FromClause:
    return establishments.outerjoin(minutes, minutes.c.of == establishments.c.id)
