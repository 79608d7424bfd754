"""Steps of an alert's life, for tests of something else: its way to its end, up a level."""

from datetime import datetime

from contracts.words import AlertState
from ledger import alerts, deadlines
from ledger.deadlines import Shown, Wound
from ledger.engine import Connection

REVIEWER = "reviewer"
"""Another than whoever disposes of it; the ledger does not ask who that is."""


def review(conn: Connection, alert_id: str, officer: str, at: datetime) -> None:
    """Acknowledged, disposed of and reviewed."""
    alerts.acknowledge(conn, alert_id, officer, at)
    alerts.dispose(conn, alert_id, officer, at, "已处置")
    alerts.review(conn, alert_id, REVIEWER, at)


def close(conn: Connection, alert_id: str, officer: str, at: datetime, note: str = "") -> None:
    """All the way, if it is open."""
    row = alerts.get(conn, alert_id)
    if row is not None and row.state is not AlertState.CLOSED:
        review(conn, alert_id, officer, at)
        alerts.close(conn, alert_id, officer, at, note)


def escalate(
    conn: Connection, alert_id: str, level: int, at: datetime, due_at: datetime | None = None
) -> None:
    """A deadline ran out: as the keeper of deadlines does it, without a clock to keep."""
    row = alerts.get(conn, alert_id)
    assert row is not None, alert_id
    shown = Shown(level, due_at, None, row.overdue_since or at)
    deadlines.keep(conn, [Wound(row, {}, shown, wound_to=0, told=True)], at)
    deadlines.escalated(conn, row, shown, at, {})
