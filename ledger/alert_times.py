"""How long alerts took: to be told to somebody, taken on, dealt with; read from their timelines.

The clock starts when the alert was booked, not when the fact happened: an officer cannot take on
what has not come yet. Of an alert that fired again, its first round counts.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Null,
    Select,
    Subquery,
    case,
    cast,
    func,
    null,
    select,
)

from ledger.judged import alerts_of
from ledger.schema import alert_timeline, alerts, notification_alerts, notifications

RAISED = "raised"
ACKNOWLEDGED = "acknowledged"
DISPOSED = frozenset({"disposing", "reviewed", "closed"})
"""What says that the matter was dealt with; of several, the first counts."""


class AlertTimes(msgspec.Struct, frozen=True):
    """When an alert came, and what became of it; None: not yet."""

    told_at: datetime
    """When it was booked."""
    notified_at: datetime | None = None
    acknowledged_at: datetime | None = None
    disposed_at: datetime | None = None

    @property
    def notify_s(self) -> float | None:
        """Seconds until the first channel had taken it."""
        return self._lasted(self.notified_at)

    @property
    def acknowledge_s(self) -> float | None:
        """Seconds until an officer took it on."""
        return self._lasted(self.acknowledged_at)

    @property
    def dispose_s(self) -> float | None:
        """Seconds until it was dealt with."""
        return self._lasted(self.disposed_at)

    def _lasted(self, until: datetime | None) -> float | None:
        return None if until is None else max(0.0, (until - self.told_at).total_seconds())


class Spread(msgspec.Struct, frozen=True):
    """Durations in seconds: how many, the middle one, and the one that nine of ten are within."""

    count: int
    median_s: float | None = None
    p90_s: float | None = None


def spread(durations: Iterable[float | None]) -> Spread:
    """What can be said of these durations; those that are None are not over and don't count."""
    told = sorted(one for one in durations if one is not None)
    return Spread(len(told), _share(told, 0.5), _share(told, 0.9))


def _share(told: Sequence[float], share: float) -> float | None:
    """The quantile of sorted values, in a straight line between neighbours."""
    if not told:
        return None
    place = share * (len(told) - 1)
    low = int(place)
    high = min(low + 1, len(told) - 1)
    return told[low] + (told[high] - told[low]) * (place - low)


class Durations(NamedTuple):
    """How long one alert took, in seconds; None: not yet. Plain, since there may be very many."""

    told_s: float
    """When it was booked, in seconds since 1970."""
    notify_s: float | None
    acknowledge_s: float | None
    dispose_s: float | None


def read(
    conn: Connection,
    regions: Sequence[str],
    since: datetime,
    until: datetime,
    *,
    establishment_id: str | None = None,
    notified: bool = True,
) -> list[Durations]:
    """How long the alerts raised from `since` on and before `until` took, in any order.

    Without `notified` nobody looks when they were told to somebody, which costs as much again.
    """
    wanted = alerts_of(regions, since, until, establishment_id)
    query = _times(wanted, lambda at: epoch(conn, at), notified=notified)
    return [
        Durations(told, _lasted(told, at), _lasted(told, taken), _lasted(told, done))
        for told, at, taken, done in conn.execute(query)
    ]


def of_alert(conn: Connection, alert_id: str) -> AlertTimes | None:
    """The times of one alert."""
    row = conn.execute(_times([alerts.c.alert_id == alert_id])).one_or_none()
    return None if row is None else AlertTimes(*row)


def _times(
    wanted: Sequence[ColumnElement[bool]],
    said_as: Callable[[ColumnElement[Any]], ColumnElement[Any]] = lambda at: at,
    *,
    notified: bool = True,
) -> Select[Any]:
    """When each wanted alert was first booked, told, taken on and dealt with; one row for each."""
    first, sent = firsts(wanted), _sent(wanted)
    at: ColumnElement[Any] = sent.c.at if notified else null()
    times = (first.c.told, at, first.c.acknowledged, first.c.disposed)
    query = select(*(one if isinstance(one, Null) else said_as(one) for one in times))
    both = first.outerjoin(sent, sent.c.alert_id == first.c.alert_id) if notified else first
    return query.select_from(both).where(first.c.told.is_not(None))


def firsts(wanted: Sequence[ColumnElement[bool]], *also: ColumnElement[Any]) -> Subquery:
    """When each wanted alert was first booked, taken on and dealt with; one row for each.

    `also`: columns of the alert that stand beside.
    """
    entry = alert_timeline.c
    kinds = [RAISED, ACKNOWLEDGED, *sorted(DISPOSED)]

    def first(name: str, *some: str) -> ColumnElement[Any]:
        return func.min(case((entry.kind.in_(some), entry.at))).label(name)

    return (
        select(
            entry.alert_id,
            *also,
            first("told", RAISED),
            first("acknowledged", ACKNOWLEDGED),
            first("disposed", *sorted(DISPOSED)),
        )
        .join(alerts, alerts.c.alert_id == entry.alert_id)
        .where(*wanted, entry.kind.in_(kinds))
        .group_by(entry.alert_id, *also)
        .subquery()
    )


def _sent(wanted: Sequence[ColumnElement[bool]]) -> Subquery:
    """When the first channel had taken each wanted alert, alone or in a digest."""
    return (
        select(notification_alerts.c.alert_id, func.min(notifications.c.sent_at).label("at"))
        .join(notifications, notifications.c.id == notification_alerts.c.notification_id)
        .join(alerts, alerts.c.alert_id == notification_alerts.c.alert_id)
        .where(*wanted, notifications.c.sent_at.is_not(None))
        .group_by(notification_alerts.c.alert_id)
        .subquery()
    )


def epoch(conn: Connection, at: ColumnElement[Any]) -> ColumnElement[Any]:
    """A time as seconds since 1970, worked out by the database: a value costs less than a time."""
    if conn.dialect.name == "postgresql":
        return cast(func.extract("epoch", at), Float)
    return (func.julianday(at) - 2440587.5) * 86400.0


def _lasted(since: float, until: float | None) -> float | None:
    return None if until is None else max(0.0, until - since)
