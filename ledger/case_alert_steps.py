"""What a case does to its alerts: they are taken on with it, and dealt with, reviewed, closed.

An alert in an open case closes with the case only (`alert_life.close` refuses it otherwise). What
an alert has behind it already is left alone; one that has fired again since stays open, as a new
matter: no case closes over what came after.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from contracts.casework import CaseEvent
from contracts.casework_data import Move
from ledger import alert_life, case_links
from ledger.alert_types import AlertConflict
from ledger.case_types import CaseRow

CASE = "case"
"""Kind of the entry in an alert's timeline: the case's number as note, the move in the body."""


def take_on(conn: Connection, row: CaseRow, event: CaseEvent) -> None:
    """A case was opened: who opened it has taken its alerts on."""
    for alert in case_links.alerts_of(conn, row.case_id):
        _try(lambda: alert_life.acknowledge(conn, alert.alert_id, event.actor, event.at))  # noqa: B023
        _tell(conn, row, alert.alert_id, event)


def carry(conn: Connection, row: CaseRow, move: Move, event: CaseEvent) -> None:
    """A case was moved: its alerts follow as far as they can."""
    ends = row.closed_at == event.at
    if not move.alert and not ends and not move.reopens:
        return
    for alert in case_links.alerts_of(conn, row.case_id):
        if move.alert:
            for step in _steps(conn, row, alert.alert_id, move.alert, event):
                _try(step)
        _tell(conn, row, alert.alert_id, event)


Step = Callable[[], bool]


def _steps(
    conn: Connection, row: CaseRow, alert_id: str, what: str, event: CaseEvent
) -> list[Step]:
    actor, second = event.actor, event.given.second
    # What officers write in a case stays there: the establishment reads its alerts' notes.
    at, note = event.at, row.case_number
    dispose = [
        lambda: alert_life.acknowledge(conn, alert_id, actor, at),
        lambda: alert_life.dispose(conn, alert_id, actor, at, note),
    ]
    match what:
        case "dispose":
            return list(dispose)
        case "return":
            return [lambda: alert_life.review(conn, alert_id, actor, at, note, accepted=False)]
        case "review":
            return [lambda: alert_life.review(conn, alert_id, actor, at, note)]
        case "close":
            closing: list[Step] = [lambda: alert_life.close(conn, alert_id, actor, at, note)]
            if not second:
                return closing
            # Two officers looked and say so together: one disposes, the other reviews.
            return [
                *dispose,
                lambda: alert_life.review(conn, alert_id, second, at, note),
                *closing,
            ]
        case "pause":
            return [lambda: alert_life.pause(conn, alert_id, actor, at, note)]
        case "resume":
            return [lambda: alert_life.resume(conn, alert_id, actor, at, note)]
        case _:
            return []


def _try(step: Step) -> None:
    try:
        step()
    except AlertConflict:
        return  # it has that behind it, or has fired again: its own life goes on


def _tell(conn: Connection, row: CaseRow, alert_id: str, event: CaseEvent) -> None:
    body = {"case_id": row.case_id, "move": event.move, "state": event.state}
    alert_life.note_only(
        conn, alert_id, event.at, CASE, actor=event.actor, note=row.case_number, body=body
    )
