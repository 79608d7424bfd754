"""What stands around an alert: what its device said at that time, and alerts like it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, select

from contracts.topics import Identity
from ledger import journal
from ledger.alert_types import AlertRow
from ledger.journal import JournalRow
from ledger.observations import ObservationRow
from ledger.results import ResultRow
from ledger.schema import alerts, observations, results
from ledger.schema import journal as journal_table
from ledger.sql import typed

LOOKED_BACK = 5000
"""So many rows of the journal, at most, are looked through for what a device said of itself."""
MOST_LIKE = 200


class Likeness(msgspec.Struct, frozen=True):
    """Alerts that are like one in some way: the newest, and the ids of all that were counted."""

    newest: list[AlertRow]
    ids: list[str]
    """At most MOST_LIKE."""


def tests_of(
    conn: Connection, who: Identity, until: datetime, since: datetime, limit: int
) -> list[ResultRow]:
    """A device's results captured between two moments, newest first, without their bytes."""
    columns = [column for column in results.c if column.name != "raw"]
    query = select(*columns).where(
        results.c.site == who.site,
        results.c.device == who.device,
        results.c.captured_at <= until,
        results.c.captured_at >= since,
    )
    query = query.order_by(results.c.captured_at.desc(), results.c.number.desc()).limit(limit)
    return [typed(row, ResultRow) for row in conn.execute(query)]


def observations_of(
    conn: Connection, who: Identity, until: datetime, limit: int
) -> list[ObservationRow]:
    """What a camera saw up to a moment, newest first."""
    query = select(observations).where(
        observations.c.site == who.site,
        observations.c.device == who.device,
        observations.c.started_at <= until,
    )
    query = query.order_by(observations.c.started_at.desc(), observations.c.number.desc())
    return [typed(row, ObservationRow) for row in conn.execute(query.limit(limit))]


def alerts_of(conn: Connection, alert: AlertRow, limit: int) -> list[AlertRow]:
    """The other alerts of an alert's device, newest first."""
    query = select(alerts).where(
        alerts.c.site == alert.site,
        alerts.c.device == alert.device,
        alerts.c.alert_id != alert.alert_id,
    )
    return _rows(conn, _newest(query).limit(limit))


def statuses_of(conn: Connection, who: Identity, limit: int) -> list[JournalRow]:
    """What was lately noted of a device's state, newest first."""
    query = select(journal_table).where(
        journal_table.c.id > journal.last_id(conn) - LOOKED_BACK,
        journal_table.c.kind == journal.DEVICE,
        journal_table.c.ref == who.source,
    )
    rows = conn.execute(query.order_by(journal_table.c.id.desc()).limit(limit))
    return [typed(row, JournalRow) for row in rows]


def same_rule_here(conn: Connection, alert: AlertRow, now: datetime, limit: int) -> Likeness:
    """Those of the same rule at the same site, of the last 90 days."""
    return _like(conn, alert, now, limit, alerts.c.site == alert.site, alerts.c.rule == alert.rule)


def same_rule_near(
    conn: Connection, alert: AlertRow, regions: Sequence[str], now: datetime, limit: int
) -> Likeness:
    """Those of the same rule at other sites of `regions`, of the last 90 days."""
    return _like(
        conn, alert, now, limit,
        alerts.c.rule == alert.rule, alerts.c.region.in_(regions), alerts.c.site != alert.site,
    )  # fmt: skip


def same_establishment(conn: Connection, alert: AlertRow, now: datetime, limit: int) -> Likeness:
    """Those of the same establishment by other rules, of the last 90 days."""
    return _like(
        conn, alert, now, limit,
        alerts.c.establishment_id == alert.establishment_id, alerts.c.rule != alert.rule,
    )  # fmt: skip


def _like(
    conn: Connection, alert: AlertRow, now: datetime, limit: int, *told: ColumnElement[bool]
) -> Likeness:
    since = now - timedelta(days=90)
    where = (*told, alerts.c.alert_id != alert.alert_id, alerts.c.raised_at >= since)
    rows = _rows(conn, _newest(select(alerts).where(*where)).limit(limit))
    if len(rows) < limit:
        return Likeness(rows, [row.alert_id for row in rows])
    ids = _newest(select(alerts.c.alert_id).where(*where)).limit(MOST_LIKE)
    return Likeness(rows, list(conn.scalars(ids)))


def _newest(query: Select[Any]) -> Select[Any]:
    return query.order_by(alerts.c.raised_at.desc(), alerts.c.number.desc())


def _rows(conn: Connection, query: Select[Any]) -> list[AlertRow]:
    return [typed(row, AlertRow) for row in conn.execute(query)]
