"""Alerts 预警: raised by rules, resolved by data, acknowledged and closed by people.

Of all alerts with one fingerprint at most one is open (not closed). Every change appends to the
alert's timeline and to the journal, whose body is the alert's row as it is afterwards.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, case, func, null, select, text, tuple_, update

from contracts.words import AlertState
from ledger import journal, notifications
from ledger.alert_types import AlertConflict, AlertCount, AlertRow, NewAlert, TimelineEntry
from ledger.ids import new_id
from ledger.schema import alert_timeline, alerts, sites
from ledger.sql import insert_into, typed, typed_or_none
from ledger.tables.alerts import OPEN

__all__ = [
    "AlertConflict",
    "AlertCount",
    "AlertRow",
    "NewAlert",
    "TimelineEntry",
    "acknowledge",
    "close",
    "counts",
    "get",
    "list_in",
    "raise_alert",
    "resolve",
    "timeline",
]


def raise_alert(conn: Connection, new: NewAlert, at: datetime | None = None) -> tuple[str, bool]:
    """Raise; returns the alert's id and whether it is a new alert.

    An open one of the same fingerprint counts one more; if it was resolved, it fires again and
    needs to be acknowledged again. `at` is the time of the change (default: `raised_at`).
    """
    at = at or new.raised_at
    alert_id = new_id()
    statement = insert_into(conn, alerts).values(
        alert_id=alert_id,
        fingerprint=new.fingerprint,
        rule=new.rule,
        rule_version=new.rule_version,
        severity=int(new.severity),
        state=AlertState.FIRING.value,
        title_zh=new.title_zh,
        title_en=new.title_en,
        summary_zh=new.summary_zh,
        summary_en=new.summary_en,
        region=new.who.region,
        site=new.who.site,
        device=new.who.device,
        establishment_id=select(sites.c.establishment_id)
        .where(sites.c.id == new.who.site)
        .scalar_subquery(),
        raised_at=new.raised_at,
        changed_at=at,
        close_note="",
        count=1,
        last_event_at=new.raised_at,
        result_id=new.result_id,
        observation_id=new.observation_id,
        facts=new.facts,
        evidence=list(new.evidence),
    )
    resolved = alerts.c.state == AlertState.RESOLVED.value
    later = alerts.c.last_event_at < statement.excluded.last_event_at
    again = statement.on_conflict_do_update(
        index_elements=["fingerprint"],
        index_where=text(OPEN),
        set_={
            "count": alerts.c.count + 1,
            "changed_at": at,
            "last_event_at": case(
                (later, statement.excluded.last_event_at), else_=alerts.c.last_event_at
            ),
            "state": case((resolved, AlertState.FIRING.value), else_=alerts.c.state),
            "acknowledged_at": case((resolved, null()), else_=alerts.c.acknowledged_at),
            "acknowledged_by": case((resolved, null()), else_=alerts.c.acknowledged_by),
        },
    )
    row = typed(conn.execute(again.returning(*alerts.c)).one(), AlertRow)
    created = row.alert_id == alert_id
    reopened = row.resolved_at is not None
    if reopened:
        conn.execute(
            update(alerts).where(alerts.c.alert_id == row.alert_id).values(resolved_at=None)
        )
        row = msgspec.structs.replace(row, resolved_at=None)
    kind = "raised" if created else "reopened" if reopened else "again"
    body = {
        "raised_at": new.raised_at,
        "result_id": new.result_id,
        "observation_id": new.observation_id,
        "facts": new.facts,
        "evidence": list(new.evidence),
    }
    _note(conn, row, journal.ALERT_RAISED, at, kind, body=body)
    return row.alert_id, created


def resolve(conn: Connection, fingerprint_or_id: str, at: datetime, reason: str = "") -> bool:
    """The data say that it is over; False if no such alert fires or waits acknowledged."""
    row = conn.execute(
        update(alerts)
        .where(
            (alerts.c.alert_id == fingerprint_or_id) | (alerts.c.fingerprint == fingerprint_or_id),
            alerts.c.state.in_([AlertState.FIRING.value, AlertState.ACKNOWLEDGED.value]),
        )
        .values(state=AlertState.RESOLVED.value, resolved_at=at, changed_at=at)
        .returning(*alerts.c)
    ).one_or_none()
    if row is None:
        return False
    _note(conn, typed(row, AlertRow), journal.ALERT_RESOLVED, at, "resolved", note=reason)
    return True


def acknowledge(conn: Connection, alert_id: str, officer: str, at: datetime) -> bool:
    """An officer (id) has taken it on 签收; False if somebody already had.

    A resolved one stays resolved, with the officer's name. Raises AlertConflict if there is no
    such alert or it is closed.
    """
    fires = alerts.c.state == AlertState.FIRING.value
    row = conn.execute(
        update(alerts)
        .where(
            alerts.c.alert_id == alert_id,
            alerts.c.state != AlertState.CLOSED.value,
            alerts.c.acknowledged_at.is_(None),
        )
        .values(
            state=case((fires, AlertState.ACKNOWLEDGED.value), else_=alerts.c.state),
            acknowledged_at=at,
            acknowledged_by=officer,
            changed_at=at,
        )
        .returning(*alerts.c)
    ).one_or_none()
    if row is None:
        if _standing(conn, alert_id).state is AlertState.CLOSED:
            raise AlertConflict(f"alert {alert_id} is closed")
        return False
    notifications.cancel_for_alert(conn, alert_id, at, "acknowledged")
    _note(conn, typed(row, AlertRow), journal.ALERT_ACKNOWLEDGED, at, "acknowledged", actor=officer)
    return True


def close(conn: Connection, alert_id: str, officer: str, at: datetime, note: str = "") -> bool:
    """An officer (id) says that it is done 办结; False if it was closed already.

    Raises AlertConflict if there is no such alert.
    """
    row = conn.execute(
        update(alerts)
        .where(alerts.c.alert_id == alert_id, alerts.c.state != AlertState.CLOSED.value)
        .values(
            state=AlertState.CLOSED.value,
            closed_at=at,
            closed_by=officer,
            close_note=note,
            changed_at=at,
        )
        .returning(*alerts.c)
    ).one_or_none()
    if row is None:
        _standing(conn, alert_id)
        return False
    notifications.cancel_for_alert(conn, alert_id, at, "closed")
    _note(conn, typed(row, AlertRow), journal.ALERT_CLOSED, at, "closed", actor=officer, note=note)
    return True


def get(conn: Connection, alert_id: str) -> AlertRow | None:
    """The alert of that id."""
    row = conn.execute(select(alerts).where(alerts.c.alert_id == alert_id)).one_or_none()
    return typed_or_none(row, AlertRow)


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


def counts(conn: Connection, regions: Sequence[str] | None = None) -> list[AlertCount]:
    """Alerts in `regions` (None: anywhere) by class and state; what has none is left out."""
    query = select(alerts.c.severity, alerts.c.state, func.count().label("count"))
    if regions is not None:
        query = query.where(alerts.c.region.in_(regions))
    query = query.group_by(alerts.c.severity, alerts.c.state)
    query = query.order_by(alerts.c.severity, alerts.c.state)
    return [typed(row, AlertCount) for row in conn.execute(query)]


def timeline(conn: Connection, alert_id: str) -> list[TimelineEntry]:
    """What happened to an alert, in order."""
    found = select(alert_timeline).where(alert_timeline.c.alert_id == alert_id)
    rows = conn.execute(found.order_by(alert_timeline.c.id))
    return [typed(row, TimelineEntry) for row in rows]


def _standing(conn: Connection, alert_id: str) -> AlertRow:
    row = get(conn, alert_id)
    if row is None:
        raise AlertConflict(f"there is no alert {alert_id[:80]!r}")
    return row


def _page(conn: Connection, query: Select[Any], limit: int, before: str | None) -> list[AlertRow]:
    place = (alerts.c.raised_at, alerts.c.number)
    if before is not None:
        last = conn.execute(select(*place).where(alerts.c.alert_id == before)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*place) < tuple_(*last))
    query = query.order_by(*(column.desc() for column in place)).limit(limit)
    return [typed(row, AlertRow) for row in conn.execute(query)]


def _note(
    conn: Connection,
    row: AlertRow,
    journal_kind: str,
    at: datetime,
    kind: str,
    *,
    actor: str = "",
    note: str = "",
    body: dict[str, Any] | None = None,
) -> None:
    entry = {"alert_id": row.alert_id, "at": at, "kind": kind, "actor": actor, "note": note}
    conn.execute(alert_timeline.insert(), entry | {"body": body or {}})
    journal.append(
        conn,
        journal_kind,
        at=at,
        region=row.region,
        site=row.site,
        ref=row.alert_id,
        body=msgspec.to_builtins(row) | {"event": kind},
    )
