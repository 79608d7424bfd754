"""Alerts 预警: raised by rules, resolved by data, moved along by people; the door to all of it.

Of all alerts with one fingerprint at most one is open (not closed). Every change appends to the
alert's timeline and to the journal, whose body is the alert's row as it is afterwards. What people
may do when is in `alert_life`, deadlines are kept by `deadlines`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    case,
    null,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from contracts.words import OPEN_STATES, AlertState
from ledger import journal
from ledger.alert_counts import counts
from ledger.alert_life import (
    Move,
    acknowledge,
    close,
    dispose,
    moves,
    note_change,
    pause,
    resume,
    review,
)
from ledger.alert_types import AlertConflict, AlertCount, AlertRow, NewAlert, TimelineEntry
from ledger.ids import new_id
from ledger.schema import alert_timeline, alerts, sites
from ledger.sql import among, insert_in, typed, typed_or_none
from ledger.tables.alerts import OPEN

__all__ = [
    "AlertConflict",
    "AlertCount",
    "AlertRow",
    "Move",
    "NewAlert",
    "TimelineEntry",
    "acknowledge",
    "close",
    "counts",
    "dispose",
    "get",
    "list_in",
    "moves",
    "pause",
    "raise_alert",
    "resolve",
    "resume",
    "review",
    "those",
    "timeline",
]


def raise_alert(conn: Connection, new: NewAlert, at: datetime | None = None) -> tuple[str, bool]:
    """Raise; returns the alert's id and whether it is a new alert.

    An open one of the same fingerprint counts one more; if it was resolved or reviewed, it fires
    again and begins its life anew. `at` is the time of the change (default: `raised_at`).
    """
    at = at or new.raised_at
    alert_id = new_id()
    given = {
        "alert_id": alert_id,
        "fingerprint": new.fingerprint,
        "rule": new.rule,
        "rule_version": new.rule_version,
        "severity": int(new.severity),
        "title_zh": new.title_zh,
        "title_en": new.title_en,
        "summary_zh": new.summary_zh,
        "summary_en": new.summary_en,
        "region": new.who.region,
        "site": new.who.site,
        "device": new.who.device,
        "raised_at": new.raised_at,
        "changed_at": at,
        "last_event_at": new.raised_at,
        "result_id": new.result_id,
        "observation_id": new.observation_id,
        "facts": new.facts,
        "evidence": list(new.evidence),
    }
    row = typed(
        conn.execute(
            _raising(conn.dialect.name), {f"new_{name}": value for name, value in given.items()}
        ).one(),
        AlertRow,
    )
    created = row.alert_id == alert_id
    reopened = row.resolved_at is not None or row.reviewed_at is not None
    if reopened:
        found = update(alerts).where(alerts.c.alert_id == row.alert_id).values(_ANEW)
        row = typed(conn.execute(found.returning(*alerts.c)).one(), AlertRow)
    kind = "raised" if created else "reopened" if reopened else "again"
    body = {
        "raised_at": new.raised_at,
        "result_id": new.result_id,
        "observation_id": new.observation_id,
        "facts": new.facts,
        "evidence": list(new.evidence),
    }
    note_change(conn, row, journal.ALERT_RAISED, at, kind, body=body)
    return row.alert_id, created


_GIVEN = (
    *("alert_id", "fingerprint", "rule", "rule_version", "severity", "title_zh", "title_en"),
    *("summary_zh", "summary_en", "region", "site", "device", "raised_at", "changed_at"),
    *("last_event_at", "result_id", "observation_id", "facts", "evidence"),
)


@cache
def _raising(dialect: str) -> ReturningInsert[Any]:
    """The statement of `raise_alert`, built once: building it costs more than running it."""
    given = {name: bindparam(f"new_{name}", type_=alerts.c[name].type) for name in _GIVEN}
    owner = select(sites.c.establishment_id).where(sites.c.id == given["site"])
    statement = insert_in(dialect, alerts).values(
        **given,
        state=AlertState.FIRING.value,
        establishment_id=owner.scalar_subquery(),
        close_note="",
        count=1,
        unwound=True,
    )
    over = or_(alerts.c.resolved_at.is_not(None), alerts.c.state == AlertState.REVIEWED.value)
    later = alerts.c.last_event_at < statement.excluded.last_event_at
    return statement.on_conflict_do_update(
        index_elements=["fingerprint"],
        index_where=text(OPEN),
        set_={
            "count": alerts.c.count + 1,
            "changed_at": statement.excluded.changed_at,
            "last_event_at": case(
                (later, statement.excluded.last_event_at), else_=alerts.c.last_event_at
            ),
            "state": case((over, AlertState.FIRING.value), else_=alerts.c.state),
            "acknowledged_at": case((over, null()), else_=alerts.c.acknowledged_at),
            "acknowledged_by": case((over, null()), else_=alerts.c.acknowledged_by),
        },
    ).returning(*alerts.c)


_UNDISPOSED = alerts.c.state.in_([AlertState.FIRING.value, AlertState.ACKNOWLEDGED.value])
_RESOLVE = (
    update(alerts)
    .where(
        (alerts.c.alert_id == bindparam("which")) | (alerts.c.fingerprint == bindparam("which")),
        alerts.c.state.in_([state.value for state in OPEN_STATES]),
        alerts.c.resolved_at.is_(None),
    )
    .values(
        state=case((_UNDISPOSED, AlertState.RESOLVED.value), else_=alerts.c.state),
        resolved_at=bindparam("now"),
        changed_at=bindparam("now"),
        unwound=True,
    )
    .returning(*alerts.c)
)


def resolve(conn: Connection, fingerprint_or_id: str, at: datetime, reason: str = "") -> bool:
    """The data say that it is over; False if no such alert is open or they have said so before.

    One that has been disposed of stays in its state, with `resolved_at` beside it.
    """
    row = conn.execute(_RESOLVE, {"which": fingerprint_or_id, "now": at}).one_or_none()
    if row is None:
        return False
    note_change(conn, typed(row, AlertRow), journal.ALERT_RESOLVED, at, "resolved", note=reason)
    return True


_ANEW = {
    "resolved_at": None,
    "disposed_at": None,
    "disposed_by": None,
    "reviewed_at": None,
    "reviewed_by": None,
    "level": 0,
    "due_at": None,
    "due_kind": None,
    "overdue_since": None,
    "paused_since": None,
    "paused_s": 0.0,
    "unwound": True,
}
"""What an alert that fires again forgets; its timeline and cards stay."""


_GET = select(alerts).where(alerts.c.alert_id == bindparam("alert_id"))
_THOSE = select(alerts).where(among(alerts.c.alert_id, "alert_ids"))


def get(conn: Connection, alert_id: str) -> AlertRow | None:
    """The alert of that id."""
    return typed_or_none(conn.execute(_GET, {"alert_id": alert_id}).one_or_none(), AlertRow)


def those(conn: Connection, alert_ids: Collection[str]) -> dict[str, AlertRow]:
    """Alerts by their ids; those that are not known are left out."""
    found = conn.execute(_THOSE, {"alert_ids": alert_ids}) if alert_ids else ()
    return {row.alert_id: typed(row, AlertRow) for row in found}


def list_in(
    conn: Connection,
    regions: Sequence[str] | None,
    states: Sequence[AlertState] | None = None,
    limit: int = 50,
    before: str | None = None,
    *,
    establishment_id: str | None = None,
) -> list[AlertRow]:
    """Alerts in `regions` (None: anywhere), newest raised first; `before`: the last id seen."""
    query = select(alerts)
    if regions is not None:
        query = query.where(alerts.c.region.in_(regions))
    if states is not None:
        query = query.where(alerts.c.state.in_([state.value for state in states]))
    if establishment_id is not None:
        query = query.where(alerts.c.establishment_id == establishment_id)
    return _page(conn, query, limit, before)


def timeline(conn: Connection, alert_id: str) -> list[TimelineEntry]:
    """What happened to an alert, in order."""
    found = select(alert_timeline).where(alert_timeline.c.alert_id == alert_id)
    rows = conn.execute(found.order_by(alert_timeline.c.id))
    return [typed(row, TimelineEntry) for row in rows]


def _page(conn: Connection, query: Select[Any], limit: int, before: str | None) -> list[AlertRow]:
    place = (alerts.c.raised_at, alerts.c.number)
    if before is not None:
        last = conn.execute(select(*place).where(alerts.c.alert_id == before)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*place) < tuple_(*last))
    query = query.order_by(*(column.desc() for column in place)).limit(limit)
    return [typed(row, AlertRow) for row in conn.execute(query)]
