"""What can be said of a kitchen's day: meals proven live, hygiene that people confirmed."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select

from contracts.words import AlertVerdict
from ledger.schema import alert_verdicts, alerts, camera_meals, observations
from ledger.sql import among_these

SIGHT = "camera_"
"""Kinds of observations that begin so say what a camera could not see, nothing of hygiene."""


def confirmed(conn: Connection, establishment_id: str, begin: datetime) -> int:
    """Alerts of what cameras saw, raised from `begin` on, that an officer judged to be right."""
    of_scene = alerts.join(
        observations,
        (observations.c.observation_id == alerts.c.observation_id)
        & (observations.c.site == alerts.c.site)
        & (observations.c.device == alerts.c.device),
    )
    found = (
        select(func.count(alerts.c.alert_id.distinct()))
        .select_from(of_scene.join(alert_verdicts, alert_verdicts.c.alert_id == alerts.c.alert_id))
        .where(
            alerts.c.establishment_id == establishment_id,
            alerts.c.raised_at >= begin,
            alert_verdicts.c.verdict == AlertVerdict.TRUE.value,
            alert_verdicts.c.superseded_at.is_(None),
            observations.c.kind.not_like(f"{SIGHT}%"),
        )
    )
    return conn.scalar(found) or 0


def meals(
    conn: Connection, sites: Iterable[str], begin: datetime, until: datetime
) -> list[tuple[datetime, float, float, int]]:
    """Meals at these sites that ended from `begin` up to `until`, by their end.

    Of each: its end, minutes proven live of all cameras together, minutes that the meal had, and
    how many cameras told of it.
    """
    found = (
        select(
            camera_meals.c.ends_at,
            func.sum(camera_meals.c.live_minutes),
            func.max(camera_meals.c.due_minutes),
            func.count(),
        )
        .where(
            among_these(camera_meals.c.site, sites),
            camera_meals.c.ends_at >= begin,
            camera_meals.c.ends_at <= until,
            camera_meals.c.due_minutes > 0,
        )
        .group_by(camera_meals.c.ends_at)
        .order_by(camera_meals.c.ends_at)
    )
    return [(at, float(live), float(due), count) for at, live, due, count in conn.execute(found)]
