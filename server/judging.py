"""What an officer may say of an alert: right, cannot be told, or wrong with one of the causes."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from contracts.causes import Basis, Cause
from contracts.words import AlertVerdict
from ledger import proposals, verdicts
from ledger.alerts import AlertConflict, AlertRow
from ledger.engine import Connection
from ledger.proposals import Policy, Proposal, ProposalState
from server.problems import Problem, at_field
from server.settings import WorthSettings
from server.signing import Visit
from server.state import State

_AT_CAUSE = at_field("cause", detail="does not go with the verdict")


class Said(msgspec.Struct, frozen=True):
    """A verdict that was asked for and may be given."""

    verdict: AlertVerdict
    cause: Cause | None = None
    note: str = ""


def basis_of(alert: AlertRow) -> Basis:
    """What an alert rests on."""
    if alert.observation_id:
        return "observation"
    if alert.result_id:
        return "result"
    return "reading" if alert.facts.get("metric") else "state"


def offered(state: State, alert: AlertRow) -> list[Cause]:
    """The causes that fit the alert."""
    basis = basis_of(alert)
    return [cause for cause in state.causes.values() if cause.fits(basis)]


def said(state: State, verdict: AlertVerdict, cause_id: str, note: str) -> Said:
    """What was asked for, checked. Raises Problem (422)."""
    cause = state.causes.get(cause_id) if cause_id else None
    note = note.strip()
    if cause_id and cause is None:
        raise Problem(
            422,
            "invalid-request",
            f"cause: there is no cause {cause_id[:40]!r}",
            faults=[_AT_CAUSE],
        )
    if verdict is AlertVerdict.FALSE and cause is None:
        raise Problem(422, "invalid-request", "cause: a wrong alert needs one", faults=[_AT_CAUSE])
    if verdict is AlertVerdict.TRUE and cause is not None:
        raise Problem(422, "invalid-request", "cause: a right alert has none", faults=[_AT_CAUSE])
    if cause is not None and cause.text and not note:
        said = "this cause needs words of your own"
        raise Problem(422, "cause-text", f"note: {said}", faults=[at_field("note", detail=said)])
    return Said(verdict, cause, note)


def policy_of(settings: WorthSettings) -> Policy:
    """When verdicts are reason enough for a proposal."""
    return Policy(settings.window_days, settings.least_judged, settings.precision_below)


def judge(
    conn: Connection, state: State, visit: Visit, alert: AlertRow, told: Said, now: datetime
) -> bool:
    """Book the verdict, and what follows from it as proposals; False if it stands already.

    Raises Problem (409).
    """
    try:
        changed = verdicts.give(
            conn,
            alert.alert_id,
            visit.officer.id,
            told.verdict,
            now,
            cause=told.cause.id if told.cause else "",
            counts=told.cause.counts if told.cause else True,
            note=told.note,
        )
    except AlertConflict as error:
        raise Problem(409, "verdict", str(error)) from None
    if changed:
        proposals.renew(conn, alert, now, policy_of(state.settings.worth))
    return changed


def proposals_here(
    conn: Connection,
    visit: Visit,
    states: Iterable[ProposalState] = (ProposalState.OPEN,),
    limit: int = 100,
) -> list[Proposal]:
    """The proposals in these states that this officer can see, the newest first."""
    found = proposals.list_in(conn, visit.scope.listed, states, limit)
    return [one for one in found if visit.scope.covers(one.region, one.establishment_id)]
