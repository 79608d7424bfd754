"""What an officer changes about a case: opens it, moves it, adds files, confirms as the second one.

A step that names a second officer is not made yet: it waits until that officer, signed in as
themselves, confirms it. It is tried at once, so that whoever asks learns what is missing.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from contracts.casework import CaseKind, FileRef, Given, Reason
from ledger import attachments, audit, case_confirmations, cases, journal, officers, results
from ledger.attachments import Attachment, NewAttachment
from ledger.case_confirmations import Confirmation
from ledger.cases import CaseRefused, CaseRow
from ledger.engine import Connection, writing
from ledger.results import ResultRow
from server.case_forms import Sent
from server.case_party import check_party, is_party, may_add_files
from server.changes import visible_alert
from server.problems import Fault, Problem, not_found
from server.signing import Visit
from server.state import State

GIVEN_CODES = frozenset(
    {
        "missing",
        "unwanted",
        "unknown_outcome",
        "same_officer",
        "second_unfit",
        "assignee_unfit",
        "same_lab",
        "rapid_method",
        "future",
        "too_early",
        "own_time",
        "deadline_past",
        "unknown_file",
        "no_file_kind",
    }
)
"""Reasons that lie in what was given: given otherwise, the step may be possible."""


class Done(msgspec.Struct, frozen=True):
    """A case after a step, or with a step that waits for its second officer."""

    case: CaseRow
    waiting: Confirmation | None = None


class CaseProblem(Problem):
    """A step that was not made: every reason in both languages, and how the case stands now."""

    def __init__(self, refused: CaseRefused, row: CaseRow | None) -> None:
        self.reasons: tuple[Reason, ...] = refused.refusal.reasons
        only_given = all(one.code in GIVEN_CODES for one in self.reasons)
        kind = "case-incomplete" if only_given else "case-unready"
        kind = "case-changed" if refused.changed else kind
        super().__init__(
            422 if only_given else 409,
            kind,
            refused.refusal.en,
            faults=[Fault(one.en, "body", pointer="") for one in self.reasons],
            more={"state": row.state, "version": row.version} if row else None,
        )


def visible_case(conn: Connection, visit: Visit, case_id: str) -> CaseRow:
    """The case, if this officer can see it. Raises Problem (404)."""
    row = cases.get(conn, case_id)
    if row is None or not visit.scope.covers(row.region, row.establishment_id):
        raise not_found("case")
    return row


def open_from_alert(
    state: State, visit: Visit, alert_id: str, kind: CaseKind | None, note: str
) -> tuple[CaseRow, bool]:
    """Open a case from an alert; False: it has one. Raises Problem (404) and CaseProblem."""
    with writing(state.engine) as conn:
        visible_alert(conn, visit, alert_id)
        try:
            return cases.open_from_alert(
                conn, state.casework, alert_id, visit.officer, state.clock(), kind=kind, note=note
            )
        except CaseRefused as refused:
            raise CaseProblem(refused, None) from None


def open_from_result(
    state: State, visit: Visit, result_id: str, kind: CaseKind | None, note: str
) -> tuple[CaseRow, bool]:
    """Open a case from a result; False: it has one. Raises Problem (404) and CaseProblem."""
    with writing(state.engine) as conn:
        visible_result(conn, visit, result_id)
        try:
            return cases.open_from_result(
                conn, state.casework, result_id, visit.officer, state.clock(), kind=kind, note=note
            )
        except CaseRefused as refused:
            raise CaseProblem(refused, None) from None


def visible_result(conn: Connection, visit: Visit, result_id: str) -> ResultRow:
    """The result, if this officer can see it. Raises Problem (404)."""
    row = results.get(conn, result_id)
    if row is None or not visit.scope.covers(row.region, row.establishment_id):
        raise not_found("result")
    return row


def move(state: State, visit: Visit, case_id: str, move_id: str, sent: Sent) -> Done:
    """Make a step, or ask its second officer. Raises Problem (404) and CaseProblem (409, 422)."""
    now = state.clock()
    with writing(state.engine) as conn:
        row = visible_case(conn, visit, case_id)
        given = _with_files(conn, row, sent.given, sent.files, visit, now)
        try:
            check_party(conn, state.casework, row, visit.officer, given)
            if not given.second:
                made = _make(conn, state, row, move_id, given, visit, now, sent)
                _note_token(conn, visit, row, move_id, now)
                return Done(made)
            _try(conn, state, row, move_id, given, visit, now, sent)
        except CaseRefused as refused:
            raise CaseProblem(refused, row) from None
        asked = case_confirmations.ask(
            conn, case_id, sent.version, move_id, given, visit.officer.id, now
        )
        _note(conn, visit, row, "case_confirmation_asked", asked, now)
        return Done(row, asked)


def confirm(state: State, visit: Visit, case_id: str, confirmation_id: str) -> CaseRow:
    """The second officer says that both were there; the step is made in that moment.

    Raises Problem (404, 409) and CaseProblem.
    """
    now = state.clock()
    with writing(state.engine) as conn:
        row = visible_case(conn, visit, case_id)
        asked = _waiting(conn, row, confirmation_id, second=visit.officer.id)
        first = officers.get(conn, asked.asked_by)
        if first is None or not case_confirmations.answer(conn, asked.id, "confirmed", now):
            raise Problem(409, "confirmation-over", "it was answered already")
        _note(conn, visit, row, "case_confirmed", asked, now)
        try:
            return cases.move(
                conn, state.casework, case_id, asked.move, asked.given, first, now,
                version=asked.version, key=asked.id, files_of=attachments.of_case,
            )  # fmt: skip
        except CaseRefused as refused:
            raise CaseProblem(refused, row) from None


def decline(state: State, visit: Visit, case_id: str, confirmation_id: str, note: str) -> CaseRow:
    """The second officer was not there, or does not agree. Raises Problem (404, 409)."""
    now = state.clock()
    with writing(state.engine) as conn:
        row = visible_case(conn, visit, case_id)
        asked = _waiting(conn, row, confirmation_id, second=visit.officer.id)
        case_confirmations.answer(conn, asked.id, "declined", now, note)
        _note(conn, visit, row, "case_declined", asked, now)
        return row


def withdraw(state: State, visit: Visit, case_id: str, confirmation_id: str) -> CaseRow:
    """Whoever asked does not ask any more. Raises Problem (404, 409)."""
    now = state.clock()
    with writing(state.engine) as conn:
        row = visible_case(conn, visit, case_id)
        asked = _waiting(conn, row, confirmation_id, asked_by=visit.officer.id)
        case_confirmations.answer(conn, asked.id, "withdrawn", now)
        _note(conn, visit, row, "case_confirmation_withdrawn", asked, now)
        return row


def add_files(
    state: State, visit: Visit, case_id: str, files: Sequence[NewAttachment]
) -> list[Attachment]:
    """Keep files with a case, for a step to refer to. Raises Problem (404, 409)."""
    now = state.clock()
    with writing(state.engine) as conn:
        row = visible_case(conn, visit, case_id)
        if is_party(visit.officer) and not may_add_files(
            conn, state.casework, row, visit.officer, now
        ):
            raise Problem(409, "case-unready", "there is nothing to hand in now")
        return _keep(conn, row, files, visit, now)


def _make(
    conn: Connection,
    state: State,
    row: CaseRow,
    move_id: str,
    given: Given,
    visit: Visit,
    now: datetime,
    sent: Sent,
) -> CaseRow:
    return cases.move(
        conn, state.casework, row.case_id, move_id, given, visit.officer, now,
        version=sent.version, key=sent.key, files_of=attachments.of_case,
    )  # fmt: skip


def _try(
    conn: Connection,
    state: State,
    row: CaseRow,
    move_id: str,
    given: Given,
    visit: Visit,
    now: datetime,
    sent: Sent,
) -> None:
    """See whether the step could be made, and leave nothing of it. Raises CaseRefused."""
    trial = conn.begin_nested()
    try:
        _make(conn, state, row, move_id, given, visit, now, sent)
    finally:
        trial.rollback()


def _with_files(
    conn: Connection,
    row: CaseRow,
    given: Given,
    files: Sequence[NewAttachment],
    visit: Visit,
    now: datetime,
) -> Given:
    kept = tuple(FileRef(one.id) for one in _keep(conn, row, files, visit, now))
    return msgspec.structs.replace(given, files=(*given.files, *kept)) if kept else given


def _keep(
    conn: Connection,
    row: CaseRow,
    files: Sequence[NewAttachment],
    visit: Visit,
    now: datetime,
) -> list[Attachment]:
    made = [attachments.add(conn, row.case_id, one, visit.officer.id, now) for one in files]
    for one in made:
        detail = {"file": one.id, "sha256": one.sha256, "kind": one.kind}
        audit.append(conn, visit.actor, "case_file_added", f"case/{row.case_id}", detail, now)
    return made


def _waiting(
    conn: Connection, row: CaseRow, confirmation_id: str, *, second: str = "", asked_by: str = ""
) -> Confirmation:
    """A question that waits, for this officer. Raises Problem (404, 409)."""
    asked = case_confirmations.get(conn, confirmation_id)
    mine = asked is not None and (asked.second == second if second else asked.asked_by == asked_by)
    if asked is None or asked.case_id != row.case_id or not mine:
        raise not_found("confirmation")
    if asked.answer:
        raise Problem(409, "confirmation-over", f"it was {asked.answer} already")
    return asked


def _note_token(conn: Connection, visit: Visit, row: CaseRow, move_id: str, now: datetime) -> None:
    """The ledger's own entry names the officer; what a token did stands under its name besides."""
    if visit.token is not None:
        detail = {"move": move_id}
        audit.append(conn, visit.actor, "case_moved_by_token", f"case/{row.case_id}", detail, now)


def _note(
    conn: Connection, visit: Visit, row: CaseRow, action: str, asked: Confirmation, now: datetime
) -> None:
    """Into the audit, and to those who look at the case."""
    detail = {"confirmation": asked.id, "move": asked.move}
    audit.append(conn, visit.actor, action, f"case/{row.case_id}", detail, now)
    journal.append(
        conn,
        journal.CASE,
        at=now,
        region=row.region,
        site=row.site,
        ref=row.case_id,
        body=msgspec.to_builtins(row) | {"event": action},
    )
