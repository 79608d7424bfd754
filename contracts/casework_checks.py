"""Why a move of a case cannot be made: now, by this mover, with this, at that time.

Pure checks, each a generator of reasons; `casework_moves` gathers them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from contracts.casework import (
    CLOCK,
    FILE_KINDS,
    Case,
    Finding,
    Given,
    Mover,
    Need,
    Reason,
    lab_name,
)
from contracts.casework_clocks import Casework, clock_face, clocks
from contracts.casework_data import Move, Rules
from contracts.casework_words import FACTS
from contracts.workdays import CHINA


def outstanding(rules: Rules, case: Case) -> tuple[str, ...]:
    """Moves that wait for an answer, in the order in which they were made."""
    open_: dict[str, None] = {}
    asking = rules.asking
    for event in case.events:
        move = rules.moves.get(event.move)
        if move is None:
            continue
        for asked in (*move.answers, *move.settles):
            open_.pop(asked, None)
        if move.id in asking:
            open_[move.id] = None
    return tuple(open_)


def paused(rules: Rules, case: Case) -> bool:
    """Whether an appeal holds the case up."""
    return any(rules.moves[one].pauses for one in outstanding(rules, case))


def paused_since(rules: Rules, case: Case) -> datetime | None:
    """Since when."""
    for one in outstanding(rules, case):
        event = case.last(one)
        if rules.moves[one].pauses and event is not None:
            return event.counts_at
    return None


def hindrances(
    work: Casework, case: Case, move: Move, mover: Mover, at: datetime
) -> Iterator[Reason]:
    """Why the move cannot be made now, whatever is given with it."""
    rules = work.rules
    if not move.is_of(case.kind):
        yield Reason("kind")
        return
    if case.state not in move.sources:
        yield Reason("state", _named(rules.states[case.state]))
    if mover.role not in move.by:
        yield Reason("role")
    if move.assignee and mover.id != case.assignee:
        yield Reason("assignee_only")
    if at < case.events[-1].at:
        yield Reason("earlier")
    yield from _four_eyes(rules, case, move, mover.id)
    yield from _order(rules, case, move)
    if not move.while_paused and paused(rules, case):
        yield Reason("paused")
    if move.finding and case.finding not in move.finding:
        yield Reason("finding", _fact(case.finding.value))
    if move.outcomes and case.outcome not in move.outcomes:
        yield Reason("outcome")
    if move.publishes and (
        case.finding is not Finding.ESTABLISHED
        or case.outcome not in rules.outcomes
        or not rules.outcomes[case.outcome].publish
    ):
        yield Reason("not_published")
    if move.reopens and case.outcome in rules.outcomes and _decides(rules, case.outcome):
        yield Reason("decided", _named(rules.outcomes[case.outcome]))
    if move.settled:
        yield from _unsettled(rules, case)
    if move.quiet:
        yield from _unquiet(work, case, at)
    if CLOCK in move.by:
        yield from _not_run_out(work, case, move, at)
    if move.within:
        yield from _right(work, case, move, at)


def _decides(rules: Rules, outcome: str) -> bool:
    """Whether it is a decision against the party: that is annulled, and not gone back on."""
    return rules.outcomes[outcome].publish or rules.outcomes[outcome].warning


def _four_eyes(rules: Rules, case: Case, move: Move, who: str) -> Iterator[Reason]:
    for earlier in move.not_by:
        event = case.last(earlier)
        if event is not None and who in (event.actor, event.given.second):
            yield Reason("four_eyes", _named(rules.moves[earlier]))


def _order(rules: Rules, case: Case, move: Move) -> Iterator[Reason]:
    open_ = outstanding(rules, case)
    if move.id in open_:
        yield Reason("unanswered", _named(move))
    elif move.once and case.last(move.id) is not None:
        yield Reason("once")
    if move.answers and not set(move.answers) & set(open_):
        asked = [rules.moves[one] for one in move.answers]
        yield Reason("nothing_to_answer", _names(asked))
    if move.while_open and not set(move.while_open) & set(open_):
        asked = [rules.moves[one] for one in move.while_open]
        yield Reason("nothing_to_answer", _names(asked))
    if move.after_action and not any(
        one.move in rules.moves and rules.moves[one.move].action for one in case.events
    ):
        yield Reason("no_action")


def _unsettled(rules: Rules, case: Case) -> Iterator[Reason]:
    open_ = [rules.moves[one] for one in outstanding(rules, case)]
    waiting = [one for one in open_ if not one.pauses]
    if waiting:
        yield Reason("unsettled", _names(waiting))


def _unquiet(work: Casework, case: Case, at: datetime) -> Iterator[Reason]:
    for right in dict.fromkeys(one.id for one in work.rules.clocks if one.role == "right"):
        face = clock_face(work, case, right, at)
        if face is None:
            continue
        if face.state == "running" and face.due_at is not None:
            yield Reason("right_running", _named(face.clock) | {"until": _moment(face.due_at)})
        elif face.state == "unknown":
            yield Reason("clock_unknown", _named(face.clock) | {"why": face.missing})


def _not_run_out(work: Casework, case: Case, move: Move, at: datetime) -> Iterator[Reason]:
    making = [face for face in clocks(work, case, at) if face.clock.makes == move.id]
    if not any(face.state == "expired" for face in making):
        clock = next(one for one in work.rules.clocks if one.makes == move.id)
        yield Reason("clock_running", _named(clock))


def _right(work: Casework, case: Case, move: Move, at: datetime) -> Iterator[Reason]:
    """A right is offered once it has begun; whether it was used in time is told when it is used."""
    if clock_face(work, case, move.within, at) is None:
        clock = next(one for one in work.rules.clocks if one.id == move.within)
        yield Reason("right_over", _named(clock))


def rights(
    work: Casework, case: Case, move: Move, given: Given, counts_at: datetime, at: datetime
) -> Iterator[Reason]:
    """Whether what happened at `counts_at` was within the right's time.

    For want of a calendar nobody's right is over.
    """
    if not move.within:
        return
    face = clock_face(work, case, move.within, at)
    assert face is not None
    over = face.ended_at is not None or (face.due_at is not None and counts_at > face.due_at)
    if over or counts_at < face.started_at:
        yield Reason("right_over", _named(face.clock))


def lacking(rules: Rules, case: Case, move: Move, given: Given, mover: Mover) -> Iterator[Reason]:
    """What is missing in what was given, what is too much, and what the law bars."""
    needs: tuple[Need, ...] = move.needs
    if Need.OUTCOME in needs and given.outcome:
        outcome = rules.outcomes.get(given.outcome)
        if outcome is None:
            yield Reason("unknown_outcome", {"outcome": given.outcome[:40]})
        else:
            needs += outcome.needs
            if outcome.finding and case.finding not in outcome.finding:
                yield Reason("finding", _fact(case.finding.value))
    has = {need: _has(given, need) for need in Need}
    missing = [need for need in dict.fromkeys(needs) if not has[need]]
    if missing:
        yield Reason("missing", _facts(need.value for need in missing))
    takes = {*needs, *move.takes}
    too_much = [need for need, given_ in _SINGLE.items() if has[need] and not takes & given_]
    if too_much:
        yield Reason("unwanted", _facts(need.value for need in too_much))
    if given.second and mover.role in rules.own_time:
        yield Reason("unwanted", _facts([Need.SECOND.value]))
    elif given.second and given.second == mover.id:
        yield Reason("same_officer")
    elif given.second:
        yield from _four_eyes(rules, case, move, given.second)
    if Need.OTHER_LAB in takes and given.lab and lab_name(given.lab) in case.labs:
        yield Reason("same_lab")
    if Need.STATUTORY in takes and given.method == "rapid":
        yield Reason("rapid_method")


_SINGLE: dict[Need, frozenset[Need]] = {
    Need.TIME: frozenset({Need.TIME}),
    Need.DEADLINE: frozenset({Need.DEADLINE}),
    Need.LAB: frozenset({Need.LAB, Need.OTHER_LAB}),
    Need.STATUTORY: frozenset({Need.STATUTORY}),
    Need.VERDICT: frozenset({Need.VERDICT}),
    Need.ASSIGNEE: frozenset({Need.ASSIGNEE}),
    Need.OUTCOME: frozenset({Need.OUTCOME}),
}
"""What may be given only where a move takes it; notes and files always may, and a second officer
by everybody but the party."""


def _has(given: Given, need: Need) -> bool:
    if need in FILE_KINDS:
        return any(file.kind == FILE_KINDS[need] for file in given.files)
    return {
        Need.NOTE: bool(given.note.strip()),
        Need.FILE: bool(given.files),
        Need.SECOND: bool(given.second),
        Need.TIME: given.happened_at is not None,
        Need.DEADLINE: given.deadline is not None,
        Need.LAB: bool(lab_name(given.lab)),
        Need.OTHER_LAB: bool(lab_name(given.lab)),
        Need.STATUTORY: bool(given.method),
        Need.VERDICT: bool(given.verdict),
        Need.ASSIGNEE: bool(given.assignee),
        Need.OUTCOME: bool(given.outcome),
    }[need]


def times(
    rules: Rules, case: Case, move: Move, given: Given, mover: Mover, at: datetime
) -> Iterator[Reason]:
    if given.deadline is not None and given.deadline <= at:
        yield Reason("deadline_past")
    happened = given.happened_at
    if happened is None:
        return
    if mover.role in rules.own_time and happened != at:
        yield Reason("own_time")
    if happened > at:
        yield Reason("future")
    since, what = case.occurred_at, _fact("occurred")
    for earlier in move.not_before:
        event = case.last(earlier)
        if event is not None and event.counts_at > since:
            since, what = event.counts_at, _named(rules.moves[earlier])
    if happened < since:
        yield Reason("too_early", what | {"since": _moment(since)})


def own_time(work: Casework, mover: Mover) -> bool:
    """Whether what they hand in counts from now, whatever they say."""
    return mover.role in work.rules.own_time


def _fact(name: str) -> dict[str, str]:
    zh, en = FACTS[name]
    return {"zh": zh, "en": en}


def _facts(names: Iterable[str]) -> dict[str, str]:
    pairs = [FACTS[name] for name in names]
    return {"zh": "、".join(zh for zh, _ in pairs), "en": ", ".join(en for _, en in pairs)}


class _Worded(Protocol):
    @property
    def zh(self) -> str: ...

    @property
    def en(self) -> str: ...


def _named(one: _Worded) -> dict[str, str]:
    return {"zh": one.zh, "en": one.en}


def _names(some: Sequence[Move]) -> dict[str, str]:
    return {
        "zh": "、".join(one.zh for one in some),
        "en": ", ".join(one.en for one in some),
    }


def _moment(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
