"""Sets of kitchens: what each camera owed at meals and what it proved, and of each canteen.

A camera owes the meal of every school day that it was in use on, whether or not it, its agent or
its scene said anything; and what it told of besides. What nobody told of was not live. Retired and
brought back, it owes nothing of meals that lie wholly between; one in whose middle it was taken out
of use is owed. A canteen
owes at least one camera's meals for every school day that it existed; what its cameras that were
retired since have missed, stays missed.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, func, literal, or_, select
from sqlalchemy.sql.expression import CTE, FromClause, Subquery

from ledger.devices import DeviceKind
from ledger.establishments import EstablishmentKind
from ledger.indicator_basis import Asked, days_table, meal_minutes, meal_span
from ledger.indicator_places import existed
from ledger.indicator_rows import rows
from ledger.schema import camera_meals, device_gaps, devices, establishments, sites

ALMOST = 1e-9
"""Minutes are whole; their share is not."""


def _cameras(asked: Asked, due: CTE) -> CTE:
    """Each camera of the span with the minutes that were due and those that were proven."""
    least = meal_minutes(asked.indicator)
    own, told = _own(asked, due), _told(asked).subquery("told")
    extra = case(
        (and_(_due_on(asked, told), told.c.due > least), told.c.due - least),
        (_due_on(asked, told), 0.0),
        else_=told.c.due,
    )
    # A told day owes what it told, and no less than the meal that was due on it anyway.
    added = (
        select(
            told.c.site,
            told.c.device,
            func.sum(extra).label("extra"),
            func.sum(told.c.live).label("live"),
        )
        .group_by(told.c.site, told.c.device)
        .subquery("added")
    )
    whole = cast(own.c.days, Float) * least + func.coalesce(added.c.extra, 0.0)
    return (
        select(
            *(own.c[name] for name in ("site", "device", "region", "name", "retired_at")),
            func.coalesce(added.c.live, 0.0).label("live"),
            case((own.c.always == 1, whole), else_=whole + _not_due(asked, due, own)).label("due"),
        )
        .select_from(
            own.outerjoin(added, and_(added.c.site == own.c.site, added.c.device == own.c.device))
        )
        .cte("cameras")
        .prefix_with("MATERIALIZED")
    )


def _due_on(asked: Asked, told: FromClause) -> ColumnElement[bool]:
    """That a meal was due on a told day by the calendar."""
    return told.c.day.in_([day.isoformat() for day in asked.days])


def _not_due(asked: Asked, due: CTE, own: FromClause) -> ColumnElement[float]:
    """What a camera told of days that it owed no meal of, up to a meal a day: that is due, too."""
    least = meal_minutes(asked.indicator)
    of_own = and_(camera_meals.c.site == own.c.site, camera_meals.c.device == own.c.device)
    told = _told(asked).where(of_own).correlate(own).subquery("of_own")
    owed = (
        select(due.c.day)
        .where(due.c.day == told.c.day, _in_use(due, own), ~_away(due, own).exists())
        .correlate(own, told)
        .exists()
    )
    most = case((told.c.due < least, told.c.due), else_=least)
    missed = select(func.coalesce(func.sum(most), 0.0)).where(_due_on(asked, told), ~owed)
    return missed.correlate(own).scalar_subquery()


def _own(asked: Asked, due: CTE) -> CTE:
    """Each camera of the span with the number of meals that it owed by the calendar."""
    own = devices.alias("own")
    gaps = select(device_gaps.c.since).where(_of(own)).correlate(own).exists()
    # Most were in use all the time: theirs need no counting.
    always = and_(own.c.registered_at <= _first(asked), own.c.retired_at.is_(None), ~gaps)
    owed = select(func.count()).select_from(due).where(_in_use(due, own), due.c.day != "")
    excused = (
        select(func.count())
        .select_from(due)
        .where(due.c.day != "", _in_use(due, own), _away(due, own).exists())
    )
    days = case(
        (always, len(asked.days)),
        else_=owed.correlate(own).scalar_subquery() - excused.correlate(own).scalar_subquery(),
    )
    return (
        select(
            own.c.site,
            own.c.device,
            own.c.region,
            own.c.name,
            own.c.registered_at,
            own.c.retired_at,
            case((always, 1), else_=0).label("always"),
            days.label("days"),
        )
        .where(
            own.c.kind == DeviceKind.CAMERA.value,
            asked.here(own.c.region),
            own.c.registered_at < asked.until,
            or_(own.c.retired_at.is_(None), own.c.retired_at > asked.since),
        )
        .cte("owing")
        .prefix_with("MATERIALIZED")
    )


def _first(asked: Asked) -> datetime:
    """When the first meal that is due begins."""
    return meal_span(asked.indicator, asked.days[0])[0] if asked.days else asked.since


def _of(own: FromClause) -> ColumnElement[bool]:
    return and_(device_gaps.c.site == own.c.site, device_gaps.c.device == own.c.device)


def _in_use(due: FromClause, own: FromClause) -> ColumnElement[bool]:
    """That a camera was registered when a meal began, and not retired."""
    return and_(
        due.c.begins >= own.c.registered_at,
        or_(own.c.retired_at.is_(None), due.c.begins < own.c.retired_at),
    )


def _away(due: FromClause, own: FromClause) -> Select[Any]:
    """The times out of use of a camera that had a meal wholly in them."""
    return (
        select(device_gaps.c.since)
        .where(_of(own), device_gaps.c.since <= due.c.begins, device_gaps.c.until >= due.c.ends)
        .correlate(own, due)
    )


def _told(asked: Asked) -> Select[Any]:
    """What each camera told of each day of the span: of a meal never more than it had."""
    live = case(
        (camera_meals.c.live_minutes < camera_meals.c.due_minutes, camera_meals.c.live_minutes),
        else_=camera_meals.c.due_minutes,
    )
    keys = (camera_meals.c.site, camera_meals.c.device, camera_meals.c.day)
    # By the devices, so that only the meals of those that are wanted are read.
    whose = and_(devices.c.site == camera_meals.c.site, devices.c.device == camera_meals.c.device)
    return (
        select(
            *keys,
            func.sum(live).label("live"),
            func.sum(camera_meals.c.due_minutes).label("due"),
        )
        .select_from(devices.join(camera_meals, whose))
        .where(
            devices.c.kind == DeviceKind.CAMERA.value,
            asked.here(devices.c.region),
            camera_meals.c.ends_at > asked.since,
            camera_meals.c.ends_at <= min(asked.until, asked.at),
        )
        .group_by(*keys)
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
    first = _first(asked)
    always = and_(
        or_(establishments.c.registered_at.is_(None), establishments.c.registered_at <= first),
        establishments.c.retired_at.is_(None),
    )
    counted = select(func.count()).select_from(due).where(there).scalar_subquery()
    days = case((always, len(asked.days)), else_=counted)
    least = cast(days, Float) * meal_minutes(asked.indicator)
    owed = case((minutes.c.due > least, minutes.c.due), else_=least)
    share = asked.indicator.share or 1.0
    proven = and_(minutes.c.live.is_not(None), minutes.c.live >= owed * share - ALMOST)
    return rows(
        _with(minutes),
        establishments.c.kind == EstablishmentKind.CANTEEN.value,
        asked.here(establishments.c.region),
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
