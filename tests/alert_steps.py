"""An alert's way to its end, for tests that only need it to be closed."""

from datetime import datetime

from contracts.words import AlertState
from ledger import alerts
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
