"""What an officer changes about an alert: its life and what it was worth, each with its audit."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from contracts.words import AlertState
from ledger import alert_answers, alert_life, alert_times, alerts, audit
from ledger.alerts import AlertConflict, AlertRow
from ledger.engine import Connection, writing
from server import judging
from server.judging import Said
from server.problems import Problem, not_found
from server.signing import Visit
from server.state import State

Make = Callable[[Connection, str, datetime], bool]
"""A move of `ledger.alert_life`, given officer and time; False if it was made already."""


def visible_alert(conn: Connection, visit: Visit, alert_id: str) -> AlertRow:
    """The alert, if this officer can see it. Raises Problem (404)."""
    row = alerts.get(conn, alert_id)
    if row is None or not visit.scope.covers(row.region, row.establishment_id):
        raise not_found("alert")
    return row


class Made(NamedTuple):
    """An alert after a move, and whether the move changed it: False if it was made already."""

    alert: AlertRow
    changed: bool


def acknowledge(state: State, visit: Visit, alert_id: str) -> AlertRow:
    """Take an alert on. Somebody else's being first is no error. Raises Problem (404, 409)."""
    return make_acknowledged(state, visit, alert_id).alert


def make_acknowledged(state: State, visit: Visit, alert_id: str) -> Made:
    """The same, with whether it changed anything."""
    return _move(
        state, visit, alert_id, "alert_acknowledged",
        lambda conn, who, at: alert_life.acknowledge(conn, alert_id, who, at),
    )  # fmt: skip


def dispose(state: State, visit: Visit, alert_id: str, note: str) -> AlertRow:
    """Say what was done about it. Raises Problem (404, 409)."""
    return make_disposed(state, visit, alert_id, note).alert


def make_disposed(state: State, visit: Visit, alert_id: str, note: str) -> Made:
    """The same, with whether it changed anything."""
    return _move(
        state, visit, alert_id, "alert_disposed",
        lambda conn, who, at: alert_life.dispose(conn, alert_id, who, at, note), note,
    )  # fmt: skip


def review(state: State, visit: Visit, alert_id: str, note: str, *, accepted: bool) -> AlertRow:
    """Hold another's disposal for enough, or return it. Raises Problem (404, 409)."""
    return _move(
        state, visit, alert_id, "alert_reviewed" if accepted else "alert_returned",
        lambda conn, who, at: alert_life.review(conn, alert_id, who, at, note, accepted=accepted),
        note,
    ).alert  # fmt: skip


def pause(state: State, visit: Visit, alert_id: str, reason: str) -> AlertRow:
    """Hold its deadlines up for an appeal. Raises Problem (404, 409)."""
    return _move(
        state, visit, alert_id, "alert_paused",
        lambda conn, who, at: alert_life.pause(conn, alert_id, who, at, reason), reason,
    ).alert  # fmt: skip


def resume(state: State, visit: Visit, alert_id: str, note: str) -> AlertRow:
    """Let its deadlines run on. Raises Problem (404, 409)."""
    return _move(
        state, visit, alert_id, "alert_resumed",
        lambda conn, who, at: alert_life.resume(conn, alert_id, who, at, note), note,
    ).alert  # fmt: skip


def close(state: State, visit: Visit, alert_id: str, note: str) -> AlertRow:
    """Say that an alert is done, and how. Raises Problem (404, 409 if it was closed already)."""
    return _move(
        state, visit, alert_id, "alert_closed",
        lambda conn, who, at: alert_life.close(conn, alert_id, who, at, note), note, once=True,
    ).alert  # fmt: skip


def answer(state: State, visit: Visit, alert_id: str, note: str) -> AlertRow:
    """Say that one has seen an alert, and what one knows of it. Raises Problem (404, 409)."""
    return _move(
        state, visit, alert_id, "alert_answered",
        lambda conn, who, at: alert_answers.answer(conn, alert_id, who, at, note), note,
    ).alert  # fmt: skip


def judge(state: State, visit: Visit, alert_id: str, told: Said) -> AlertRow:
    """Say what an alert was worth. Raises Problem (404, 409)."""
    return make_judged(state, visit, alert_id, told).alert


def make_judged(state: State, visit: Visit, alert_id: str, told: Said) -> Made:
    """The same, with whether it changed anything."""
    now = state.clock()
    with writing(state.engine) as conn:
        alert = visible_alert(conn, visit, alert_id)
        changed = judging.judge(conn, state, visit, alert, told, now)
        if changed:
            detail = {
                "verdict": told.verdict.value,
                "cause": told.cause.id if told.cause else "",
                "note": told.note,
            }
            audit.append(conn, visit.actor, "alert_judged", f"alert/{alert_id}", detail, now)
        return Made(visible_alert(conn, visit, alert_id), changed)


def _move(
    state: State,
    visit: Visit,
    alert_id: str,
    action: str,
    make: Make,
    note: str = "",
    *,
    once: bool = False,
) -> Made:
    now = state.clock()
    with writing(state.engine) as conn:
        before = visible_alert(conn, visit, alert_id)
        closed = before.state is AlertState.CLOSED
        try:
            changed = make(conn, visit.officer.id, now)
        except AlertConflict as error:
            kind = "alert-closed" if closed else "alert-unready"
            raise Problem(409, kind, str(error)) from None
        if not changed and once:
            raise Problem(409, "alert-closed", f"alert {alert_id} is closed already")
        if changed:
            detail = {"note": note} if note else {}
            audit.append(conn, visit.actor, action, f"alert/{alert_id}", detail, now)
            _measure(state, conn, before, action, now)
        return Made(visible_alert(conn, visit, alert_id), changed)


def _measure(state: State, conn: Connection, before: AlertRow, action: str, now: datetime) -> None:
    """Observe how long it took, counted from when the alert was booked."""
    times = alert_times.of_alert(conn, before.alert_id)
    if times is None:
        return
    took_s = max(0.0, (now - times.told_at).total_seconds())
    severity = str(int(before.severity))
    if action == "alert_acknowledged":
        state.metrics.acknowledge_s.labels(severity).observe(took_s)
    elif times.disposed_at == now and action in ("alert_disposed", "alert_closed"):
        state.metrics.dispose_s.labels(severity).observe(took_s)
