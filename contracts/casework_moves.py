"""What may be done with a case now, by whom, with what; and the event that doing it makes.

Pure: rules, case, mover and moment in; offers, an event or a refusal out. `moves` and `apply` go by
the same checks, so that what is offered is what is taken. Two things hold whatever the data say:
nothing is published that is not established or whose outcome is not published by law, and a
finding comes from a statutory verdict alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from contracts.casework import (
    CLOCK,
    FILE_KINDS,
    OPENED,
    Case,
    CaseEvent,
    CaseKind,
    FileRef,
    Finding,
    Given,
    Mover,
    Need,
    Reason,
    Refusal,
    lab_name,
)
from contracts.casework_clocks import Casework, clock_face, clocks
from contracts.casework_data import Move, Rules
from contracts.casework_words import FACTS
from contracts.workdays import CHINA


class Offer(msgspec.Struct, frozen=True):
    """A move of a case as it stands for somebody: what it needs, or why it is not possible."""

    move: Move
    possible: bool
    needs: tuple[Need, ...]
    """What must be given; of a closing, what its outcome asks for comes on top."""
    why: tuple[Reason, ...] = ()


def opened(
    work: Casework,
    *,
    by: Mover,
    at: datetime,
    known_at: datetime,
    occurred_at: datetime,
    event_id: str,
    note: str = "",
    lab: str = "",
) -> CaseEvent:
    """The first event of a case. `lab`: where the quick test was made, which bars a retest there.

    Raises ValueError if the times are not in their order: occurred, known, now.
    """
    if not occurred_at <= known_at <= at:
        raise ValueError(f"a case is known after it occurred: {occurred_at}, {known_at}, {at}")
    return CaseEvent(
        seq=1,
        event_id=event_id,
        move=OPENED,
        at=at,
        actor=by.id,
        role=by.role,
        counts_at=known_at,
        state=work.rules.start,
        finding=Finding.SUSPECT,
        given=Given(note=note, happened_at=occurred_at, lab=lab),
        rules_version=work.rules.version,
    )


def case_of(case_id: str, kind: CaseKind, events: Iterable[CaseEvent]) -> Case:
    """A case from its events, in whatever order and however often they come.

    Raises ValueError if one is missing, or if two differ that claim the same place.
    """
    found: dict[int, CaseEvent] = {}
    for event in events:
        if found.setdefault(event.seq, event) != event:
            raise ValueError(f"case {case_id}: two events claim place {event.seq}")
    ordered = tuple(found[seq] for seq in sorted(found))
    if not ordered or [one.seq for one in ordered] != list(range(1, len(ordered) + 1)):
        raise ValueError(f"case {case_id}: an event is missing")
    return Case(case_id, kind, ordered)


def moves(work: Casework, case: Case, mover: Mover, at: datetime) -> tuple[Offer, ...]:
    """Every move that a case of this kind has, with what it needs, or why it cannot be made."""
    offers = []
    for move in work.rules.moves.values():
        if move.is_of(case.kind) and CLOCK not in move.by:
            why = tuple(_hindrances(work, case, move, mover, at))
            needs = tuple(
                need for need in move.needs if need is not Need.TIME or not _own(work, mover)
            )
            offers.append(Offer(move, not why, needs, why))
    return tuple(offers)


def apply(
    work: Casework,
    case: Case,
    move_id: str,
    given: Given,
    mover: Mover,
    at: datetime,
    event_id: str,
) -> CaseEvent | Refusal:
    """The event that the move makes, or every reason why it cannot be made."""
    move = work.rules.moves.get(move_id)
    if move is None:
        return Refusal((Reason("unknown_move", {"move": move_id[:40]}),))
    if _own(work, mover) and Need.TIME in move.needs and given.happened_at is None:
        given = msgspec.structs.replace(given, happened_at=at)
    why = [
        *_hindrances(work, case, move, mover, at),
        *_lacking(work.rules, case, move, given, mover),
    ]
    if not why:
        counts_at = given.happened_at or at
        why = [
            *_times(work.rules, case, move, given, mover, at),
            *_rights(work, case, move, given, counts_at, at),
        ]
    if why:
        return Refusal(tuple(why))
    finding = case.finding
    if move.finds:
        finding = Finding.ESTABLISHED if given.verdict == "fails" else Finding.CLEARED
    return CaseEvent(
        seq=case.version + 1,
        event_id=event_id,
        move=move.id,
        at=at,
        actor=mover.id,
        role=mover.role,
        counts_at=counts_at,
        state=move.to or case.state,
        finding=finding,
        given=given,
        rules_version=work.rules.version,
    )


def after(case: Case, event: CaseEvent) -> Case:
    """The case with one more event."""
    return msgspec.structs.replace(case, events=(*case.events, event))


def outstanding(rules: Rules, case: Case) -> tuple[str, ...]:
    """Moves that wait for an answer, in the order in which they were made."""
    open_: dict[str, None] = {}
    asking = rules.asking
    for event in case.events:
        move = rules.moves.get(event.move)
        if move is None:
            continue
        for asked in move.answers:
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


def _hindrances(
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
    if move.settled:
        yield from _unsettled(work, case, at)
    if CLOCK in move.by:
        yield from _not_run_out(work, case, move, at)
    if move.within:
        yield from _right(work, case, move, at)


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
    if move.after_action and not any(
        one.move in rules.moves and rules.moves[one.move].action for one in case.events
    ):
        yield Reason("no_action")


def _unsettled(work: Casework, case: Case, at: datetime) -> Iterator[Reason]:
    open_ = [work.rules.moves[one] for one in outstanding(work.rules, case)]
    waiting = [one for one in open_ if not one.pauses]
    if waiting:
        yield Reason("unsettled", _names(waiting))
    for face in clocks(work, case, at):
        if face.clock.role != "right":
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
    """An offer of a right stands while it has begun; how late it came is told when it is used."""
    face = clock_face(work, case, move.within, at)
    if face is None:
        clock = next(one for one in work.rules.clocks if one.id == move.within)
        yield Reason("right_over", _named(clock))
    elif face.state == "unknown":
        yield Reason("clock_unknown", _named(face.clock) | {"why": face.missing})


def _rights(
    work: Casework, case: Case, move: Move, given: Given, counts_at: datetime, at: datetime
) -> Iterator[Reason]:
    """Whether what happened at `counts_at` was within the right's time."""
    if not move.within:
        return
    face = clock_face(work, case, move.within, at)
    assert face is not None
    over = face.ended_at is not None or face.due_at is None or counts_at > face.due_at
    if over or counts_at < face.started_at:
        yield Reason("right_over", _named(face.clock))


def _lacking(rules: Rules, case: Case, move: Move, given: Given, mover: Mover) -> Iterator[Reason]:
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
    if given.second and given.second == mover.id:
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
"""What may be given only where a move takes it; notes, files and a second officer always may."""


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


def _times(
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


def _own(work: Casework, mover: Mover) -> bool:
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


def refs(ids: Iterable[str]) -> tuple[FileRef, ...]:
    """References to files by their ids alone; the ledger fills in kind and hash."""
    return tuple(FileRef(one) for one in ids)
