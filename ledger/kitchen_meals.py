"""Proven-live minutes of cameras as the wall of kitchens shows them: by day, and meal by meal."""

from collections.abc import Iterable
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection, func, select

from contracts.topics import Identity
from ledger.schema import camera_meals
from ledger.sql import among


class Day(msgspec.Struct, frozen=True):
    """The meals of one camera on one day of China's calendar."""

    day: date
    live_minutes: int
    due_minutes: int
    meals: int


class MealTold(msgspec.Struct, frozen=True):
    """One meal of one camera."""

    ends_at: datetime
    live_minutes: int
    due_minutes: int


_DAYS = (
    select(
        camera_meals.c.site,
        camera_meals.c.device,
        camera_meals.c.day,
        func.sum(camera_meals.c.live_minutes),
        func.sum(camera_meals.c.due_minutes),
        func.count(),
    )
    .where(among(camera_meals.c.site, "sites"), camera_meals.c.due_minutes > 0)
    .group_by(camera_meals.c.site, camera_meals.c.device, camera_meals.c.day)
    .order_by(camera_meals.c.day)
)


def days(
    conn: Connection, sites: Iterable[str], since: date
) -> dict[tuple[str, str], dict[date, Day]]:
    """What the cameras of these sites told from the day `since` on, by site and camera."""
    found: dict[tuple[str, str], dict[date, Day]] = {}
    asked = _DAYS.where(camera_meals.c.day >= since.isoformat())
    for site, device, day, live, due, meals in conn.execute(asked, {"sites": list(sites)}):
        at = date.fromisoformat(day)
        made = Day(at, round(min(live, due)), round(due), meals)
        found.setdefault((site, device), {})[at] = made
    return found


def of_camera(conn: Connection, who: Identity, since: date) -> list[MealTold]:
    """A camera's meals from the day `since` on, the newest first."""
    found = (
        select(camera_meals.c.ends_at, camera_meals.c.live_minutes, camera_meals.c.due_minutes)
        .where(
            camera_meals.c.site == who.site,
            camera_meals.c.device == who.device,
            camera_meals.c.day >= since.isoformat(),
            camera_meals.c.due_minutes > 0,
        )
        .order_by(camera_meals.c.ends_at.desc())
    )
    return [
        MealTold(ends_at, round(min(live, due)), round(due))
        for ends_at, live, due in conn.execute(found)
    ]
