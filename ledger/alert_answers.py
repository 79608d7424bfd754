"""What people say on an alert without moving it: that they have seen it, and what they know of it.

An establishment's people answer so, and grid officers report so. It stands in the alert's timeline;
the alert's state and deadlines are the authority's and stay as they are.
"""

from datetime import datetime

from sqlalchemy import Connection, select

from contracts.words import AlertState
from ledger import alert_life, journal
from ledger.alert_types import AlertConflict
from ledger.schema import alert_timeline

ANSWERED = "answered"
"""Kind of the timeline's entry; its note is empty if somebody has only seen the alert."""


def answer(conn: Connection, alert_id: str, officer: str, at: datetime, note: str = "") -> bool:
    """An officer (id) has seen the alert, and says `note` of it; False if just that was said.

    Raises AlertConflict if there is no such alert or it is closed.
    """
    # The row is locked, so that one who taps twice has said it once.
    alert = alert_life.standing(conn, alert_id, lock=True)
    if alert.state is AlertState.CLOSED:
        raise AlertConflict(f"alert {alert_id} is closed")
    said = select(alert_timeline.c.note).where(
        alert_timeline.c.alert_id == alert_id,
        alert_timeline.c.kind == ANSWERED,
        alert_timeline.c.actor == officer,
    )
    before = list(conn.scalars(said.order_by(alert_timeline.c.id)))
    if (not note and before) or (note and before and before[-1] == note):
        return False
    alert_life.note_change(
        conn, alert, journal.ALERT_ANSWERED, at, ANSWERED, actor=officer, note=note
    )
    return True
