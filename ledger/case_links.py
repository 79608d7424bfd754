"""What cases rest on: their alerts and results, and which case an alert is in."""

from collections.abc import Iterable

from sqlalchemy import Connection, Select, or_, select

from contracts.words import AlertState
from ledger.alert_types import AlertRow
from ledger.case_types import CaseRow
from ledger.results import ResultRow
from ledger.schema import alerts, case_alerts, case_results, cases, results
from ledger.sql import among, insert_into, typed, typed_or_none

CANCELLED = "cancelled"
"""The state of a case that was opened by mistake: its results may be in another one."""


def add(
    conn: Connection, case_id: str, *, alerts: Iterable[str] = (), results: Iterable[str] = ()
) -> None:
    """Link a case to what it rests on; what is linked already is left alone."""
    for table, name, ids in (
        (case_alerts, "alert_id", sorted(set(alerts))),
        (case_results, "result_id", sorted(set(results))),
    ):
        for one in ids:
            row = {"case_id": case_id, name: one}
            conn.execute(insert_into(conn, table).values(row).on_conflict_do_nothing())


def alerts_of(conn: Connection, case_id: str) -> list[AlertRow]:
    """A case's alerts, the oldest first."""
    found = (
        select(alerts)
        .join(case_alerts, case_alerts.c.alert_id == alerts.c.alert_id)
        .where(case_alerts.c.case_id == case_id)
        .order_by(alerts.c.number)
    )
    return [typed(row, AlertRow) for row in conn.execute(found)]


def alert_ids_of(conn: Connection, case_id: str) -> set[str]:
    """The ids of a case's alerts."""
    found = select(case_alerts.c.alert_id).where(case_alerts.c.case_id == case_id)
    return set(conn.scalars(found))


def open_alerts_of_result(conn: Connection, result_id: str) -> list[str]:
    """Alerts that rest on a result, are not closed and in no open case; locked until the commit."""
    found = select(alerts.c.alert_id).where(
        alerts.c.result_id == result_id, alerts.c.state != AlertState.CLOSED.value
    )
    found = found.order_by(alerts.c.number).with_for_update()
    return [one for one in list(conn.scalars(found)) if holding_alert(conn, one) is None]


def results_of(conn: Connection, case_id: str) -> list[ResultRow]:
    """A case's results without their bytes, the oldest first."""
    found = (
        select(*(column for column in results.c if column.name != "raw"))
        .join(case_results, case_results.c.result_id == results.c.result_id)
        .where(case_results.c.case_id == case_id)
        .order_by(results.c.captured_at, results.c.number)
    )
    return [typed(row, ResultRow) for row in conn.execute(found)]


def of_alert(conn: Connection, alert_id: str) -> list[CaseRow]:
    """The cases that an alert is or was in, the newest first."""
    found = _of_alert().where(case_alerts.c.alert_id == alert_id)
    return [typed(row, CaseRow) for row in conn.execute(found.order_by(cases.c.number.desc()))]


def of_alerts(conn: Connection, alert_ids: Iterable[str]) -> dict[str, str]:
    """The numbers of the cases that hold these alerts now, by alert."""
    rows = conn.execute(_OF_ALERTS, {"alert_ids": sorted(set(alert_ids))})
    return {row.alert_id: row.case_number for row in rows}


_OPEN = or_(cases.c.closed_at.is_(None), cases.c.reopened_at.is_not(None))
"""Officers have to do with it: it never came to an end, or was brought back."""
_OF_ALERTS = (
    select(case_alerts.c.alert_id, cases.c.case_number)
    .join(cases, cases.c.case_id == case_alerts.c.case_id)
    .where(among(case_alerts.c.alert_id, "alert_ids"), _OPEN)
)


def holding_alert(conn: Connection, alert_id: str) -> CaseRow | None:
    """The case that an alert is in and that is not closed yet."""
    found = _of_alert().where(case_alerts.c.alert_id == alert_id, _OPEN)
    row = conn.execute(found.order_by(cases.c.number.desc()).limit(1)).one_or_none()
    return typed_or_none(row, CaseRow)


def holding_result(conn: Connection, result_id: str) -> CaseRow | None:
    """The case of a result: one for good, unless it was cancelled."""
    found = (
        select(cases)
        .join(case_results, case_results.c.case_id == cases.c.case_id)
        .where(case_results.c.result_id == result_id, cases.c.state != CANCELLED)
        .order_by(cases.c.number.desc())
        .limit(1)
    )
    return typed_or_none(conn.execute(found).one_or_none(), CaseRow)


def _of_alert() -> Select[tuple[object, ...]]:
    return select(cases).join(case_alerts, case_alerts.c.case_id == cases.c.case_id)
