"""What the keeper of deadlines reads and writes: alerts whose clock must be wound, and the clock.

An alert's `unwound` says that something happened to it since (each move sets it), `due_at` that a
deadline runs. Whoever keeps deadlines locks the rows first, so that of several gateways each alert
is wound by one; what another has locked is left to it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Integer, and_, bindparam, or_, select, text, update

from contracts.words import Due
from ledger import journal
from ledger.alert_life import note_change, tell_change
from ledger.alert_types import AlertRow, TimelineEntry
from ledger.schema import alert_timeline, alerts
from ledger.sql import among, typed
from ledger.tables.alerts import UNWOUND

MOVES = (
    "raised",
    "reopened",
    "acknowledged",
    "disposing",
    "returned",
    "reviewed",
    "resolved",
    "closed",
    "paused",
    "resumed",
)
"""Kinds of the timeline that a clock goes by."""


class Unwound(msgspec.Struct, frozen=True):
    """An alert whose clock must be wound."""

    alert: AlertRow
    clock: dict[str, Any]
    """As it was kept; {} at first."""
    wound_to: int
    """The last entry of the timeline that it has taken into account."""


class Shown(msgspec.Struct, frozen=True):
    """The part of a clock that an alert shows."""

    level: int
    due_at: datetime | None
    due_kind: Due | None
    overdue_since: datetime | None


_DUE = and_(
    alerts.c.due_at.is_not(None),
    alerts.c.paused_since.is_(None),
    alerts.c.due_at <= bindparam("now"),
)
_FIRST = select(alerts.c.number).limit(bindparam("most", type_=Integer()))
_CHANGED = _FIRST.where(text(UNWOUND)).order_by(alerts.c.severity, alerts.c.number)
_RUN_OUT = _FIRST.where(_DUE).order_by(alerts.c.severity, alerts.c.due_at)


def waiting(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Numbers of alerts whose clock must be wound at `now`, class 1 first."""
    found: dict[int, None] = {}
    for query in (_CHANGED, _RUN_OUT):  # one after the other, as each has its index
        found |= dict.fromkeys(conn.scalars(query, {"now": now, "most": limit}))
    return list(found)


_TAKE = (
    select(alerts)
    .where(alerts.c.number.in_(bindparam("numbers", expanding=True)), or_(alerts.c.unwound, _DUE))
    .order_by(alerts.c.number)
    .with_for_update(skip_locked=True)
)


def take(conn: Connection, numbers: Sequence[int], now: datetime) -> list[Unwound]:
    """Lock those that still wait and that nobody else has locked; held until the commit."""
    rows = conn.execute(_TAKE, {"numbers": numbers, "now": now})
    return [Unwound(typed(row, AlertRow), row.clock, row.wound_to) for row in rows]


_HAPPENED = (
    select(alert_timeline)
    .where(
        among(alert_timeline.c.alert_id, "alert_ids"),
        alert_timeline.c.id > bindparam("since"),
        alert_timeline.c.kind.in_(MOVES),
    )
    .order_by(alert_timeline.c.id)
)


def happened(conn: Connection, taken: Iterable[Unwound]) -> dict[str, list[TimelineEntry]]:
    """What has happened to each alert since its clock was wound, in order."""
    since = {one.alert.alert_id: one.wound_to for one in taken}
    given = {"alert_ids": since, "since": min(since.values(), default=0)}
    found: dict[str, list[TimelineEntry]] = {alert_id: [] for alert_id in since}
    for row in conn.execute(_HAPPENED, given):
        entry = typed(row, TimelineEntry)
        if entry.id > since[entry.alert_id]:
            found[entry.alert_id].append(entry)
    return found


class Wound(msgspec.Struct, frozen=True):
    """An alert whose clock was wound."""

    alert: AlertRow
    """As it was before."""
    clock: dict[str, Any]
    shown: Shown
    wound_to: int
    told: bool
    """Those who follow the journal hear of it anyway."""


_KEEP = (
    update(alerts)
    .where(alerts.c.alert_id == bindparam("of"))
    .values(
        unwound=False,
        **{
            name: bindparam(f"new_{name}", type_=alerts.c[name].type)
            for name in ("clock", "wound_to", "level", "due_at", "due_kind", "overdue_since")
        },
    )
)


def keep(conn: Connection, wound: Sequence[Wound], at: datetime) -> None:
    """Keep clocks that were wound.

    A changed deadline is told to those who follow the journal, unless they hear of it anyway.
    """
    if not wound:
        return
    rows = [
        {
            "of": one.alert.alert_id,
            "new_clock": one.clock,
            "new_wound_to": one.wound_to,
            "new_level": one.shown.level,
            "new_due_at": one.shown.due_at,
            "new_due_kind": one.shown.due_kind and one.shown.due_kind.value,
            "new_overdue_since": one.shown.overdue_since,
        }
        for one in wound
    ]
    conn.execute(_KEEP, rows)
    for one in wound:
        if not one.told and one.shown != shown_by(one.alert):
            tell_change(conn, showing(one.alert, one.shown), journal.ALERT_DUE, at, "due")


def escalated(
    conn: Connection, alert: AlertRow, shown: Shown, at: datetime, body: dict[str, Any]
) -> None:
    """A deadline ran out at `at`: tell it, with the alert as it was right after."""
    row = showing(alert, shown)
    note_change(conn, row, journal.ALERT_ESCALATED, at, "escalated", body=body)


def showing(alert: AlertRow, shown: Shown) -> AlertRow:
    """The alert with another clock."""
    return msgspec.structs.replace(
        alert,
        level=shown.level,
        due_at=shown.due_at,
        due_kind=shown.due_kind,
        overdue_since=shown.overdue_since,
    )


def shown_by(alert: AlertRow) -> Shown:
    """What an alert shows of its clock."""
    return Shown(alert.level, alert.due_at, alert.due_kind, alert.overdue_since)


def overdue_in(conn: Connection, regions: Sequence[str] | None) -> list[AlertRow]:
    """Overdue alerts in `regions` (None: anywhere), the longest overdue first."""
    query = select(alerts).where(alerts.c.overdue_since.is_not(None))
    if regions is not None:
        query = query.where(alerts.c.region.in_(regions))
    rows = conn.execute(query.order_by(alerts.c.overdue_since, alerts.c.number))
    return [typed(row, AlertRow) for row in rows]
