"""Makers of cases for tests: events as they would have happened, and what each move asks for."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.casework import Case, CaseEvent, CaseKind, FileRef, Given, Mover, Need
from contracts.casework_clocks import Casework
from contracts.casework_file import FOLDER, read_casework
from contracts.casework_moves import after, apply, case_of, opened
from contracts.workdays import CHINA, Calendar

CALENDARS = FOLDER.parent / "calendars"
RULES = read_casework()
WORK = Casework(RULES, Calendar.read(CALENDARS))
AT = datetime(2026, 3, 2, 9, 30, tzinfo=CHINA)
LI, WANG, CHEN = (Mover(name, "county") for name in ("li", "wang", "chen"))
PARTY = Mover("stall", "operator")
SECOND = timedelta(seconds=1)
FILES = {
    Need.PHOTO: FileRef("f1", "photo", "a" * 64),
    Need.DOCUMENT: FileRef("f2", "document", "b" * 64),
    Need.REPORT: FileRef("f3", "report", "c" * 64),
    Need.FILE: FileRef("f4", "document", "d" * 64),
}


def china(*parts: int) -> datetime:
    """A moment by China's time."""
    return datetime(*parts, tzinfo=CHINA)  # type: ignore[misc]


def complete(move_id: str, at: datetime, **changes: Any) -> Given:
    """All that a move asks for, and nothing more."""
    needs = list(RULES.moves[move_id].needs)
    outcome = changes.get("outcome", "no_penalty" if Need.OUTCOME in needs else "")
    if outcome:
        needs += RULES.outcomes[outcome].needs
    values: dict[str, Any] = {
        "note": "说明" if Need.NOTE in needs else "",
        "files": tuple(FILES[need] for need in needs if need in FILES),
        "second": "zhao" if Need.SECOND in needs else "",
        "happened_at": at if Need.TIME in needs else None,
        "deadline": at + timedelta(days=3) if Need.DEADLINE in needs else None,
        "lab": "江门市检验中心" if {Need.LAB, Need.OTHER_LAB} & set(needs) else "",
        "method": "statutory" if Need.STATUTORY in needs else "",
        "verdict": "fails" if Need.VERDICT in needs else "",
        "assignee": "li" if Need.ASSIGNEE in needs else "",
        "outcome": outcome,
    }
    return Given(**(values | changes))


def beginning(
    kind: CaseKind = CaseKind.PRODUCE_TEST, at: datetime = AT, work: Casework = WORK
) -> Case:
    """A case that was just opened."""
    event = opened(work, by=LI, at=at, known_at=at, occurred_at=at, event_id="e1", lab="棠下快检室")
    return case_of("c1", kind, [event])


def put(case: Case, move: str, at: datetime, **changes: Any) -> Case:
    """The case with an event that nobody checked, for what a test needs to have happened."""
    given = changes.pop("given", Given())
    last = case.events[-1]
    event = CaseEvent(
        seq=last.seq + 1,
        event_id=f"e{last.seq + 1}",
        move=move,
        at=at,
        actor="somebody",
        role="county",
        counts_at=given.happened_at or at,
        state=last.state,
        finding=last.finding,
        given=given,
        rules_version="1",
    )
    return after(case, msgspec.structs.replace(event, **changes))


def go(
    case: Case, move: str, at: datetime, by: Mover = LI, work: Casework = WORK, **changes: Any
) -> Case:
    """The case after a move that must be possible."""
    event = apply(work, case, move, complete(move, at, **changes), by, at, f"e{case.version + 1}")
    assert isinstance(event, CaseEvent), event.en
    return after(case, event)


def walk(case: Case, *moves: str, at: datetime | None = None) -> Case:
    """One move after the other, a minute apart; who reviews is another officer."""
    at = at or case.events[-1].at
    for move in moves:
        at += timedelta(minutes=1)
        case = go(case, move, at, WANG if move in ("approve", "send_back") else LI)
    return case
