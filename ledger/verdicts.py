"""Officers' verdicts on alerts: right, wrong with a cause, or cannot be told; the last one stands.

Nothing is overwritten: who changes a verdict leaves the one before it as history. A verdict is
noted in the alert's timeline and in the journal; it changes neither the alert's state nor what is
measured, and silences nothing by itself.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, update

from contracts.words import AlertVerdict
from ledger import alert_life, journal
from ledger.alert_types import AlertConflict
from ledger.schema import alert_verdicts
from ledger.sql import among, typed, typed_or_none

JUDGED = "judged"
"""Kind of the timeline's entry."""


class VerdictRow(msgspec.Struct, frozen=True):
    """A verdict, standing while `superseded_at` is None."""

    id: int
    alert_id: str
    officer_id: str
    verdict: AlertVerdict
    cause: str
    """Id in the list of causes; empty if none was named."""
    counts: bool
    """False: left out of the rule's precision (an exercise is no false alarm)."""
    note: str
    at: datetime
    superseded_at: datetime | None


def give(
    conn: Connection,
    alert_id: str,
    officer: str,
    verdict: AlertVerdict,
    at: datetime,
    *,
    cause: str = "",
    counts: bool = True,
    note: str = "",
) -> bool:
    """An officer (id) says what the alert was worth; False if just that already stands.

    The same words of another officer are a verdict of their own. Raises AlertConflict if there is
    no such alert, or if a right alert is given a cause for being wrong.
    """
    if verdict is AlertVerdict.TRUE and (cause or not counts):
        raise AlertConflict("a right alert has no cause for being wrong")
    # The row is locked, so that of two who judge at once the later one stands.
    alert = alert_life.standing(conn, alert_id, lock=True)
    before = standing(conn, alert_id)
    said = (officer, verdict, cause, counts, note)
    if before is not None:
        if said == (before.officer_id, before.verdict, before.cause, before.counts, before.note):
            return False
        conn.execute(
            update(alert_verdicts)
            .where(alert_verdicts.c.id == before.id)
            .values(superseded_at=max(at, before.at))
        )
    row = {
        "alert_id": alert_id,
        "officer_id": officer,
        "verdict": verdict.value,
        "cause": cause,
        "counts": counts,
        "note": note,
        "at": at,
    }
    conn.execute(alert_verdicts.insert(), row)
    body = {"verdict": verdict.value, "cause": cause, "counts": counts}
    alert_life.note_change(
        conn, alert, journal.ALERT_JUDGED, at, JUDGED, actor=officer, note=note, body=body
    )
    return True


def standing(conn: Connection, alert_id: str) -> VerdictRow | None:
    """The verdict that stands on an alert."""
    found = select(alert_verdicts).where(
        alert_verdicts.c.alert_id == alert_id, alert_verdicts.c.superseded_at.is_(None)
    )
    return typed_or_none(conn.execute(found).one_or_none(), VerdictRow)


def standing_on(conn: Connection, alert_ids: Iterable[str]) -> dict[str, VerdictRow]:
    """The verdicts that stand on these alerts, by alert."""
    found = select(alert_verdicts).where(
        among(alert_verdicts.c.alert_id, "alert_ids"), alert_verdicts.c.superseded_at.is_(None)
    )
    rows = (typed(row, VerdictRow) for row in conn.execute(found, {"alert_ids": alert_ids}))
    return {row.alert_id: row for row in rows}


def history(conn: Connection, alert_id: str) -> list[VerdictRow]:
    """Every verdict on an alert, the oldest first."""
    found = select(alert_verdicts).where(alert_verdicts.c.alert_id == alert_id)
    rows = conn.execute(found.order_by(alert_verdicts.c.id))
    return [typed(row, VerdictRow) for row in rows]
