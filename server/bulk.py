"""One move for many alerts: each is made by itself, audited by itself, and answered by itself."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from contracts.words import AlertState
from ledger import alert_search, alerts
from ledger.alert_search import Sought
from ledger.alerts import AlertRow
from ledger.engine import Connection, reading
from server import changes
from server.changes import Made
from server.desk import AlertLine, alert_lines
from server.judging import Said, basis_of
from server.problems import Problem
from server.signing import Visit
from server.state import State

MOST = 200
"""So many alerts at most are moved in one go."""


class Outcome(StrEnum):
    """What became of one alert."""

    DONE = "done"
    ALREADY = "already"
    """It stood so before; nothing was changed."""
    REFUSED = "refused"
    GONE = "gone"
    """There is no such alert, or the officer cannot see it."""


class Told(msgspec.Struct, frozen=True):
    """The answer for one alert; `why` names the reason in words (``bulk.why.…``), or is empty."""

    alert_id: str
    outcome: Outcome
    line: AlertLine | None
    why: str = ""


class PickedGroup(NamedTuple):
    """A group as it was shown: with alerts up to the one of that number."""

    site: str
    rule: str
    up_to: int


Move = Callable[[State, Visit, str], Made]


def acknowledge() -> Move:
    """Take each on."""
    return changes.make_acknowledged


def dispose(note: str) -> Move:
    """Say what was done about each, in the same words."""
    return lambda state, visit, alert_id: changes.make_disposed(state, visit, alert_id, note)


def judge(said: Said) -> Move:
    """Say what each was worth."""

    def make(state: State, visit: Visit, alert_id: str) -> Made:
        with reading(state.engine) as conn:
            alert = changes.visible_alert(conn, visit, alert_id)
        if said.cause is not None and not said.cause.fits(basis_of(alert)):
            raise Problem(409, "verdict", "this cause does not fit what the alert rests on")
        return changes.make_judged(state, visit, alert_id, said)

    return make


def chosen(
    conn: Connection,
    sought: Sought,
    alert_ids: Sequence[str],
    groups: Sequence[PickedGroup],
    up_to: int | None,
) -> list[str]:
    """The alerts that were picked one by one, by their group, or (`up_to`) all that are sought.

    Of each group and of all: those that are sought and were there when the page was shown, at most
    the newest MOST.
    """
    found = list(dict.fromkeys(alert_ids))
    if not alert_ids and not groups and up_to is not None:
        found = [row.alert_id for row in alert_search.find(conn, sought, MOST, up_to=up_to)]
    for group in groups:
        here = msgspec.structs.replace(sought, site=group.site, rule=group.rule)
        rows = alert_search.find(conn, here, MOST, up_to=group.up_to)
        found += [row.alert_id for row in rows]
    return list(dict.fromkeys(found))


def move_all(state: State, visit: Visit, alert_ids: Sequence[str], move: Move) -> list[Told]:
    """Make the move for each in turn. What cannot be made is told and holds up none of the others.

    What fails otherwise (the ledger is away) ends it there: whoever sends it again changes nothing
    of what was made.
    """
    told = [_move_one(state, visit, alert_id, move) for alert_id in alert_ids]
    with reading(state.engine) as conn:
        rows = [
            row
            for one in told
            if one.outcome is not Outcome.GONE and (row := alerts.get(conn, one.alert_id))
        ]
        lines = {line.alert.alert_id: line for line in alert_lines(conn, rows)}
    return [msgspec.structs.replace(one, line=lines.get(one.alert_id)) for one in told]


def _move_one(state: State, visit: Visit, alert_id: str, move: Move) -> Told:
    try:
        made = move(state, visit, alert_id)
    except Problem as error:
        if error.status == 404:
            return Told(alert_id, Outcome.GONE, None, "bulk.why.gone")
        if error.status != 409:
            raise
        with reading(state.engine) as conn:
            row = alerts.get(conn, alert_id)
        return Told(alert_id, Outcome.REFUSED, None, _why(row, error))
    return Told(alert_id, Outcome.DONE if made.changed else Outcome.ALREADY, None)


def _why(row: AlertRow | None, error: Problem) -> str:
    if error.kind == "verdict":
        return "bulk.why.cause"
    if row is None or row.state is AlertState.CLOSED:
        return "bulk.why.closed"
    if row.state is AlertState.REVIEWED:
        return "bulk.why.reviewed"
    return "bulk.why.untaken" if row.acknowledged_at is None else "bulk.why.changed"
