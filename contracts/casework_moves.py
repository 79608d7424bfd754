"""What may be done with a case now, by whom, with what; and the event that doing it makes.

Pure: rules, case, mover and moment in; offers, an event or a refusal out. `moves` and `apply` go by
the same checks (`casework_checks`), so that what is offered is what is taken. Two things hold
whatever the data say: nothing is published that is not established or whose outcome is not
published by law, and a finding comes from a statutory verdict alone.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from contracts.casework import (
    CLOCK,
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
)
from contracts.casework_checks import (
    hindrances,
    lacking,
    outstanding,
    own_time,
    paused,
    paused_since,
    rights,
    times,
)
from contracts.casework_clocks import Casework
from contracts.casework_data import Move

__all__ = [
    "Offer",
    "after",
    "apply",
    "case_of",
    "moves",
    "offer",
    "opened",
    "outstanding",
    "paused",
    "paused_since",
    "refs",
]


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
    return tuple(
        offer(work, case, move, mover, at)
        for move in work.rules.moves.values()
        if move.is_of(case.kind) and CLOCK not in move.by
    )


def offer(work: Casework, case: Case, move: Move, mover: Mover, at: datetime) -> Offer:
    """One of them."""
    why = tuple(hindrances(work, case, move, mover, at))
    own = own_time(work, mover)
    needs = tuple(need for need in move.needs if need is not Need.TIME or not own)
    return Offer(move, not why, needs, why)


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
    if own_time(work, mover) and Need.TIME in move.needs and given.happened_at is None:
        given = msgspec.structs.replace(given, happened_at=at)
    why = [
        *hindrances(work, case, move, mover, at),
        *lacking(work.rules, case, move, given, mover),
    ]
    if not why:
        counts_at = given.happened_at or at
        why = [
            *times(work.rules, case, move, given, mover, at),
            *rights(work, case, move, given, counts_at, at),
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


def refs(ids: Iterable[str]) -> tuple[FileRef, ...]:
    """References to files by their ids alone; the ledger fills in kind and hash."""
    return tuple(FileRef(one) for one in ids)
