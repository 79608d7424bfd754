"""The book of proven meals: of each meal of a camera, how many minutes it had and were proven live.

The edge tells both at the end of a meal (metrics of `Readings`). What is told again, in parts or in
another order, comes to the same: of each figure the greatest counts. What was never told is not
here, and is not taken for live by anybody.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, case
from sqlalchemy.sql.dml import Insert

from contracts.events import Reading
from contracts.topics import Identity
from contracts.workdays import china_day
from ledger.schema import camera_meals
from ledger.sql import insert_in

LIVE, DUE = "camera_live_minutes", "camera_meal_minutes"
"""The metrics' names on the wire."""
MOST_MINUTES = 1440.0


class Meal(msgspec.Struct, frozen=True):
    """One meal of one camera."""

    who: Identity
    ends_at: datetime
    live_minutes: float
    due_minutes: float
    received_at: datetime


def meals_of(who: Identity, readings: Iterable[Reading], received_at: datetime) -> list[Meal]:
    """The meals that a camera's readings tell of."""
    told: dict[datetime, dict[str, float]] = {}
    for one in readings:
        if one.metric in (LIVE, DUE) and 0 <= one.value <= MOST_MINUTES:
            figures = told.setdefault(one.measured_at, {})
            figures[one.metric] = max(one.value, figures.get(one.metric, 0.0))
    return [
        Meal(who, at, figures.get(LIVE, 0.0), figures.get(DUE, 0.0), received_at)
        for at, figures in told.items()
    ]


def add(conn: Connection, meals: Iterable[Meal]) -> None:
    """Book meals, in one order. Raises LedgerRefused for a camera that is not registered."""
    rows: dict[tuple[str, str, datetime], dict[str, Any]] = {}
    for one in sorted(meals, key=lambda one: (one.who, one.ends_at)):
        key = (one.who.site, one.who.device, one.ends_at)
        before = rows.get(key)
        rows[key] = {
            "site": one.who.site,
            "device": one.who.device,
            "ends_at": one.ends_at,
            # A meal that ends at midnight belongs to the day that ends.
            "day": china_day(one.ends_at - datetime.resolution).isoformat(),
            "live_minutes": max(one.live_minutes, before["live_minutes"] if before else 0.0),
            "due_minutes": max(one.due_minutes, before["due_minutes"] if before else 0.0),
            "received_at": one.received_at,
        }
    if rows:
        conn.execute(_put(conn.dialect.name), list(rows.values()))


@cache
def _put(dialect: str) -> Insert:
    statement = insert_in(dialect, camera_meals)
    new = statement.excluded

    def greatest(name: str) -> object:
        known = camera_meals.c[name]
        return case((new[name] > known, new[name]), else_=known)

    return statement.on_conflict_do_update(
        index_elements=["site", "device", "ends_at"],
        set_={name: greatest(name) for name in ("live_minutes", "due_minutes")},
    )
