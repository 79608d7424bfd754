"""A case as the establishment sees it: what is asked of it, its rights, what was served on it.

Which steps it sees, and how much of each, is casework's data (`Move.party`). It sees no officer's
name, no note between officers, no step that waits for a second one, no file but those that were
served on it or that its own people handed in; and it makes the steps that the data give its role.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from contracts.casework import OPENED, Case, CaseEvent, CaseKind, Given, Mover, Reason
from contracts.casework_clocks import Casework, ClockFace, clocks
from contracts.casework_data import Move, Outcome, Rules
from contracts.casework_data import State as CaseState
from contracts.casework_moves import Offer, moves, outstanding
from ledger import attachments, cases, officers
from ledger.attachments import Attachment
from ledger.cases import CaseRefused, CaseRow
from ledger.engine import Connection
from ledger.officers import Officer, Role
from server.case_file import ClockLine, Form, clock_line, form_of
from server.cursors import place_of, sliced
from server.desk import Names
from server.signing import Visit

LIST = "party-cases"
"""The list's name in cursors."""


class PartyStep(msgspec.Struct, frozen=True):
    """Something that happened, as far as the establishment sees it."""

    event: CaseEvent
    """Without note, second officer and files, unless it sees these."""
    move: Move | None
    """None: the opening."""
    own: str
    """Name of its own person who did it; empty: the authority."""
    lab: str
    outcome: Outcome | None
    files: tuple[Attachment, ...]
    assignee: str = ""
    """It is told nothing of who works on it."""


class PartyFile(msgspec.Struct, frozen=True):
    """A case for the establishment's own people."""

    row: CaseRow
    state: CaseState
    place: str
    region: tuple[str, str]
    asked: tuple[ClockLine, ...]
    """What it owes and what it may do, by when: running, paused or missed."""
    over: tuple[ClockLine, ...]
    forms: tuple[Form, ...]
    steps: tuple[PartyStep, ...]
    unused: tuple[Attachment, ...]
    """Files of its own that no step refers to yet."""
    order: PartyStep | None
    """What was last ordered of it and is not settled: to put something right."""
    waits: tuple[Move, ...]
    """Its own steps that wait for an officer's answer."""
    takers: tuple[Officer, ...] = ()
    labs: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


class PartyLine(msgspec.Struct, frozen=True):
    """A case in the establishment's list."""

    row: CaseRow
    state: CaseState
    asked: tuple[ClockLine, ...]


def is_party(officer: Officer) -> bool:
    """Whether somebody sees cases as the establishment does."""
    return officer.role is Role.OPERATOR


def seen_by_party(row: CaseRow, faces: Sequence[ClockFace] = ()) -> CaseRow:
    """The row without who works on it and what officers owe; due: what the establishment owes."""
    due = [
        face
        for face in faces
        if face.clock.is_party and face.ended_at is None and face.due_at is not None
        and face.state != "expired"
    ]  # fmt: skip
    first = min(due, key=lambda face: face.due_at or face.started_at, default=None)
    return msgspec.structs.replace(
        row,
        assignee="",
        opened_by="",
        due_at=first.due_at if first else None,
        due_clock=first.clock.id if first else "",
        due_unknown=False,
        remind_at=None,
    )


def party_row(conn: Connection, work: Casework, row: CaseRow, now: datetime) -> CaseRow:
    """The same, read."""
    return seen_by_party(row, clocks(work, cases.case(conn, row), now))


def offers_of(work: Casework, whole: Case, officer: Officer, now: datetime) -> tuple[Offer, ...]:
    """The steps that the data give its role; others are not even named."""
    at = max(now, whole.events[-1].at)
    found = moves(work, whole, Mover(officer.id, officer.role.value), at)
    return tuple(one for one in found if officer.role.value in one.move.by)


def party_steps(
    conn: Connection, rules: Rules, whole: Case, files: dict[str, Attachment], visit: Visit
) -> tuple[PartyStep, ...]:
    """What it sees of what happened, the oldest first."""
    names = Names(conn)
    own = _own_people(conn, visit.officer)
    made = []
    for event in whole.events:
        move = rules.moves.get(event.move)
        if event.move != OPENED and (move is None or not move.party):
            continue
        mine = event.actor in own
        if move is not None and move.party == "whole":
            given = msgspec.structs.replace(event.given, second="", assignee="")
        else:
            kept = event.given
            given = Given(
                deadline=kept.deadline, verdict=kept.verdict, outcome=kept.outcome,
                lab=kept.lab if move is not None else "",
            )  # fmt: skip
        shown = msgspec.structs.replace(
            event, actor=event.actor if mine else "", role=event.role if mine else "", given=given
        )
        made.append(
            PartyStep(
                event=shown,
                move=move,
                own=names.officer(event.actor) if mine else "",
                lab=names.site(given.lab),
                outcome=rules.outcomes.get(given.outcome),
                files=tuple(files[ref.id] for ref in given.files if ref.id in files),
            )
        )
    return tuple(made)


def party_files(
    conn: Connection, rules: Rules, whole: Case, officer: Officer
) -> dict[str, Attachment]:
    """The files that it may see, by id: served on it, or handed in by its own people."""
    own = _own_people(conn, officer)
    served = {
        ref.id
        for event in whole.events
        if (move := rules.moves.get(event.move)) is not None and move.party == "whole"
        for ref in event.given.files
    }
    return {
        one.id: one
        for one in attachments.of_case(conn, whole.case_id)
        if one.id in served or one.added_by in own
    }


def read_party_file(
    conn: Connection, work: Casework, visit: Visit, row: CaseRow, now: datetime
) -> PartyFile:
    """Gather it."""
    rules, names = work.rules, Names(conn)
    whole = cases.case(conn, row)
    files = party_files(conn, rules, whole, visit.officer)
    steps = party_steps(conn, rules, whole, files, visit)
    faces = clocks(work, whole, now)
    lines = [clock_line(work, face, now) for face in faces if face.clock.is_party]
    used = {ref.id for event in whole.events for ref in event.given.files}
    own = _own_people(conn, visit.officer)
    offers = offers_of(work, whole, visit.officer, now)
    unsettled = outstanding(rules, whole)
    ordered = [
        step for step in steps if step.move and step.move.id in _orders(rules) & set(unsettled)
    ]
    return PartyFile(
        row=seen_by_party(row, faces),
        state=rules.states.get(row.state) or CaseState(row.state, row.state, row.state),
        place=names.place(row.establishment_id, row.site),
        region=names.region(row.region),
        asked=tuple(line for line in lines if _goes_on(line)),
        over=tuple(line for line in lines if not _goes_on(line)),
        forms=tuple(form_of(work, offer) for offer in offers if offer.possible),
        steps=steps,
        unused=tuple(one for one in files.values() if one.id not in used and one.added_by in own),
        order=ordered[-1] if ordered else None,
        waits=tuple(
            rules.moves[one] for one in unsettled if visit.officer.role.value in rules.moves[one].by
        ),
    )


def find_party_cases(
    conn: Connection,
    visit: Visit,
    states: Sequence[str],
    kind: CaseKind | None,
    before: str | None,
    limit: int,
) -> tuple[list[CaseRow], str | None]:
    """A page of the establishment's cases, the newest first, and the cursor of the next one.

    Raises Problem (422).
    """
    place = place_of(LIST, before, tuple[str])
    rows = cases.list_in(
        conn,
        visit.scope.listed,
        states=states or None,
        kind=kind,
        establishment_id=visit.scope.establishment_id,
        limit=limit + 1,
        before=place[0] if place else None,
    )
    return sliced(rows, lambda row: (row.case_id,), LIST, limit)


def party_lines(
    conn: Connection, work: Casework, rows: Sequence[CaseRow], now: datetime
) -> list[PartyLine]:
    """Lines of the establishment's list: what is asked of it soonest first, then the newest."""
    made = []
    for row in rows:
        faces = clocks(work, cases.case(conn, row), now)
        lines = (clock_line(work, face, now) for face in faces if face.clock.is_party)
        state = work.rules.states.get(row.state) or CaseState(row.state, row.state, row.state)
        asked = tuple(line for line in lines if _goes_on(line))
        made.append(PartyLine(seen_by_party(row, faces), state, asked))
    nothing = [line for line in made if not line.row.due_at]
    owing = [line for line in made if line.row.due_at]
    return sorted(owing, key=lambda line: line.row.due_at or now) + nothing


def check_party(
    conn: Connection, work: Casework, row: CaseRow, officer: Officer, given: Given
) -> None:
    """Raises CaseRefused if the establishment refers to a file that it may not see."""
    if not is_party(officer) or not given.files:
        return
    known = party_files(conn, work.rules, cases.case(conn, row), officer)
    unknown = sorted({one.id for one in given.files} - set(known))
    if unknown:
        raise CaseRefused(Reason("unknown_file", {"ids": ", ".join(unknown)[:200]}))


def may_add_files(
    conn: Connection, work: Casework, row: CaseRow, officer: Officer, now: datetime
) -> bool:
    """Whether there is a step that it could hand files in with."""
    whole = cases.case(conn, row)
    return any(one.possible for one in offers_of(work, whole, officer, now))


def _orders(rules: Rules) -> set[str]:
    """Steps that ask something of the establishment."""
    return {asked for move in rules.moves.values() for asked in move.while_open}


def _goes_on(line: ClockLine) -> bool:
    """Whether it still matters to the establishment; a right that is over does not."""
    return line.face.state in ("running", "paused", "overdue", "unknown")


def _own_people(conn: Connection, officer: Officer) -> set[str]:
    """Ids of the people of the same establishment, also those who have left."""
    if officer.establishment_id is None:
        return {officer.id}
    return {one.id for one in officers.of_establishment(conn, officer.establishment_id)}
