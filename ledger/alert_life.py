"""The life of an alert in people's hands: which move may follow which state, and who may make it.

``firing → acknowledged → disposing → reviewed → closed``; what the data say (`resolved`) stands
beside it. A move that was made already is no error and changes nothing (False); one that cannot be
made is an AlertConflict that says why. Each is one UPDATE that names the states it may come from,
so that of two officers at the same moment one is first.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Update, and_, case, null, or_, select, update

from contracts.words import OPEN_STATES, AlertState, Severity
from ledger import case_links, journal, notifications
from ledger.alert_types import AlertConflict, AlertRow
from ledger.schema import alert_timeline, alerts
from ledger.sql import typed, typed_or_none

_NOTHING_DUE = {"due_at": None, "due_kind": None, "overdue_since": None}
"""A step was made: what comes next has its deadline as soon as the clock is wound."""


class Move(StrEnum):
    """What an officer may do with an alert."""

    ACKNOWLEDGE = "acknowledge"
    DISPOSE = "dispose"
    REVIEW = "review"
    CLOSE = "close"
    PAUSE = "pause"
    RESUME = "resume"


CLOSES_FROM: dict[Severity, frozenset[AlertState]] = {
    Severity.AT_ONCE: frozenset({AlertState.REVIEWED}),
    Severity.DEADLINE: frozenset({AlertState.REVIEWED, AlertState.RESOLVED}),
    Severity.GUIDANCE: frozenset(OPEN_STATES),
}
"""From which states an alert of a class may be closed [U: our choice]. Class 1 needs a second pair
of eyes; class 2 needs it unless the data say that it is over; class 3 is daily guidance."""


def moves(row: AlertRow, officer: str = "", *, in_case: bool = False) -> frozenset[Move]:
    """What may be done with an alert as it stands, by `officer` (id; empty: by anybody).

    `in_case`: it is in an open case, with which it closes (`case_links.holding_alert`).
    """
    can = frozenset(move for move in Move if _hindrance(row, move, officer) is None)
    return can - {Move.CLOSE} if in_case else can


def acknowledge(conn: Connection, alert_id: str, officer: str, at: datetime) -> bool:
    """An officer (id) has taken it on 签收; False if somebody already had.

    A resolved one stays resolved, with the officer's name. Raises AlertConflict if there is no
    such alert or it is closed.
    """
    fires = alerts.c.state == AlertState.FIRING.value
    change = _change(alert_id, at).where(
        alerts.c.state.in_([AlertState.FIRING.value, AlertState.RESOLVED.value]),
        alerts.c.acknowledged_at.is_(None),
    )
    change = change.values(
        state=case((fires, AlertState.ACKNOWLEDGED.value), else_=alerts.c.state),
        acknowledged_at=at,
        acknowledged_by=officer,
    )
    return _step(conn, alert_id, change, Move.ACKNOWLEDGE, journal.ALERT_ACKNOWLEDGED, officer, at)


def dispose(conn: Connection, alert_id: str, officer: str, at: datetime, note: str = "") -> bool:
    """An officer (id) says what was done about it 处置; False if somebody already had.

    It waits for review then. Raises AlertConflict if nobody acknowledged it, or if it is reviewed
    or closed.
    """
    taken = or_(
        alerts.c.state == AlertState.ACKNOWLEDGED.value,
        and_(
            alerts.c.state == AlertState.RESOLVED.value,
            alerts.c.acknowledged_at.is_not(None),
        ),
    )
    change = _change(alert_id, at).where(taken)
    change = change.values(state=AlertState.DISPOSING.value, disposed_at=at, disposed_by=officer)
    return _step(conn, alert_id, change, Move.DISPOSE, journal.ALERT_DISPOSING, officer, at, note)


def review(
    conn: Connection,
    alert_id: str,
    officer: str,
    at: datetime,
    note: str = "",
    *,
    accepted: bool = True,
) -> bool:
    """Another officer (id) holds the disposal for enough 复核, or returns it; False if it was.

    A returned one is acknowledged as before, and must be disposed of anew. Raises AlertConflict if
    it was not disposed of, if the same officer disposed of it, or if it is closed.
    """
    change = _change(alert_id, at).where(
        alerts.c.state == AlertState.DISPOSING.value, alerts.c.disposed_by != officer
    )
    if accepted:
        change = change.values(
            state=AlertState.REVIEWED.value,
            reviewed_at=at,
            reviewed_by=officer,
            **_NOTHING_DUE,
        )
    else:
        over = alerts.c.resolved_at.is_not(None)
        change = change.values(
            state=case((over, AlertState.RESOLVED.value), else_=AlertState.ACKNOWLEDGED.value),
            disposed_at=null(),
            disposed_by=null(),
            **_NOTHING_DUE,
        )
    row = _made(conn, change)
    if row is None:
        if not accepted and standing(conn, alert_id).state is AlertState.REVIEWED:
            raise AlertConflict(f"alert {alert_id} is reviewed: its disposal was held for enough")
        return _refuse(conn, alert_id, Move.REVIEW, officer)
    notifications.cancel_for_alert(conn, alert_id, at, "reviewed")
    kind = journal.ALERT_REVIEWED if accepted else journal.ALERT_RETURNED
    note_change(conn, row, kind, at, kind.removeprefix("alert."), actor=officer, note=note)
    return True


def close(conn: Connection, alert_id: str, officer: str, at: datetime, note: str = "") -> bool:
    """An officer (id) says that it is done 办结; False if it was closed already.

    Raises AlertConflict if there is no such alert, its class asks for more first (CLOSES_FROM), or
    it is in an open case: then it is closed with the case.
    """
    standing(conn, alert_id, lock=True)
    held_by = case_links.holding_alert(conn, alert_id)
    if held_by is not None:
        raise AlertConflict(f"alert {alert_id} is in case {held_by.case_number}: it closes with it")
    closable = or_(
        *(
            and_(
                alerts.c.severity == int(severity),
                alerts.c.state.in_([state.value for state in states]),
            )
            for severity, states in CLOSES_FROM.items()
        )
    )
    change = _change(alert_id, at).where(closable)
    change = change.values(
        state=AlertState.CLOSED.value, closed_at=at, closed_by=officer, close_note=note
    )
    return _step(conn, alert_id, change, Move.CLOSE, journal.ALERT_CLOSED, officer, at, note)


def pause(conn: Connection, alert_id: str, officer: str, at: datetime, reason: str) -> bool:
    """An appeal holds up its deadlines; False if one does already. Raises AlertConflict."""
    change = _change(alert_id, at).where(
        alerts.c.state.in_([state.value for state in OPEN_STATES]),
        alerts.c.paused_since.is_(None),
    )
    row = _made(conn, change.values(paused_since=at))
    if row is None:
        return _refuse(conn, alert_id, Move.PAUSE, officer)
    note_change(conn, row, journal.ALERT_PAUSED, at, "paused", actor=officer, note=reason)
    return True


def resume(conn: Connection, alert_id: str, officer: str, at: datetime, note: str = "") -> bool:
    """The appeal is over: deadlines run on; False if none held them up. Raises AlertConflict."""
    before = standing(conn, alert_id, lock=True)
    since = before.paused_since
    if since is None or before.state is AlertState.CLOSED:
        return _refuse(conn, alert_id, Move.RESUME, officer)
    paused_s = before.paused_s + max(0.0, (at - since).total_seconds())
    change = _change(alert_id, at).values(paused_since=null(), paused_s=paused_s)
    row = typed(conn.execute(change.returning(*alerts.c)).one(), AlertRow)
    note_change(conn, row, journal.ALERT_RESUMED, at, "resumed", actor=officer, note=note)
    return True


def note_change(
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
    """Append to the alert's timeline and to the journal, with the alert as it is now."""
    note_only(conn, row.alert_id, at, kind, actor=actor, note=note, body=body)
    tell_change(conn, row, journal_kind, at, kind)


def tell_change(
    conn: Connection, row: AlertRow, journal_kind: str, at: datetime, kind: str
) -> None:
    """Append to the journal, with the alert as it is now."""
    journal.append(
        conn,
        journal_kind,
        at=at,
        region=row.region,
        site=row.site,
        ref=row.alert_id,
        body=msgspec.to_builtins(row) | {"event": kind},
    )


_NOTE = alert_timeline.insert()


def note_only(
    conn: Connection,
    alert_id: str,
    at: datetime,
    kind: str,
    *,
    actor: str = "",
    note: str = "",
    body: dict[str, Any] | None = None,
) -> None:
    """Append to the alert's timeline what is no news to those who follow the journal."""
    entry = {"alert_id": alert_id, "at": at, "kind": kind, "actor": actor, "note": note}
    conn.execute(_NOTE, entry | {"body": body or {}})


def standing(conn: Connection, alert_id: str, *, lock: bool = False) -> AlertRow:
    """The alert as it stands, with `lock` held so until the commit. Raises AlertConflict."""
    query = select(alerts).where(alerts.c.alert_id == alert_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise AlertConflict(f"there is no alert {alert_id[:80]!r}")
    return typed(row, AlertRow)


def _change(alert_id: str, at: datetime) -> Update:
    """A change of an alert that its deadlines have to follow."""
    return update(alerts).where(alerts.c.alert_id == alert_id).values(changed_at=at, unwound=True)


def _step(
    conn: Connection,
    alert_id: str,
    change: Update,
    move: Move,
    journal_kind: str,
    officer: str,
    at: datetime,
    note: str = "",
) -> bool:
    """Make a move that ends what was due and what was to be told of before; False if it was made.

    Raises AlertConflict if it cannot be made.
    """
    row = _made(conn, change.values(_NOTHING_DUE))
    if row is None:
        return _refuse(conn, alert_id, move, officer)
    kind = journal_kind.removeprefix("alert.")
    notifications.cancel_for_alert(conn, alert_id, at, kind)
    note_change(conn, row, journal_kind, at, kind, actor=officer, note=note)
    return True


def _made(conn: Connection, change: Update) -> AlertRow | None:
    return typed_or_none(conn.execute(change.returning(*alerts.c)).one_or_none(), AlertRow)


def _refuse(conn: Connection, alert_id: str, move: Move, officer: str) -> bool:
    """False if the move was made already; otherwise raises AlertConflict that says why not."""
    row = standing(conn, alert_id)
    if _made_already(row, move):
        return False
    why = _hindrance(row, move, officer) or "changed at the same moment; try again"
    raise AlertConflict(f"alert {alert_id} {why}")


def _made_already(row: AlertRow, move: Move) -> bool:
    closed = row.state is AlertState.CLOSED
    return {
        Move.ACKNOWLEDGE: row.acknowledged_at is not None and not closed,
        Move.DISPOSE: row.state is AlertState.DISPOSING,
        Move.REVIEW: row.state is AlertState.REVIEWED,
        Move.CLOSE: closed,
        Move.PAUSE: row.paused_since is not None and not closed,
        Move.RESUME: row.paused_since is None and not closed,
    }[move]


def _hindrance(row: AlertRow, move: Move, officer: str) -> str | None:
    """Why the move cannot be made now; None if it can."""
    if row.state is AlertState.CLOSED:
        return "is closed"
    if _made_already(row, move):
        return f"is {row.state} already" if move is not Move.RESUME else "is not paused"
    match move:
        case Move.DISPOSE:
            if row.acknowledged_at is None:
                return f"is {row.state}: nobody has acknowledged it"
            if row.state is AlertState.REVIEWED:
                return "is reviewed: its disposal was held for enough"
        case Move.REVIEW:
            if row.state is not AlertState.DISPOSING:
                return f"is {row.state}: there is no disposal to review"
            if officer and row.disposed_by == officer:
                return "must be reviewed by another officer than the one who disposed of it"
        case Move.CLOSE:
            if row.state not in CLOSES_FROM[row.severity]:
                wanted = " or ".join(sorted(CLOSES_FROM[row.severity]))
                return f"is {row.state}: of class {int(row.severity)} it is closed once {wanted}"
        case _:
            pass
    return None
