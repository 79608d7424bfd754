"""Who is told of what in a case: steps that wait for somebody, duties that are due or missed.

By what the ledger says now: a step that somebody has gone on from is told no more. Nobody is told
of what they did themselves. What is told is kept with its message in one transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property

import msgspec

from contracts.casework import Case, CaseEvent
from contracts.casework_clocks import Casework, clocks
from contracts.casework_data import Clock, Move
from contracts.casework_moves import outstanding
from contracts.casework_reminders import Reminder, reminders
from contracts.notices import Part
from gateway.notify import case_words
from ledger import case_confirmations, cases, duties, establishments, officers, regions, sites
from ledger.case_tellings import CaseChange
from ledger.case_types import CaseRow
from ledger.duties import Staff
from ledger.engine import Connection
from ledger.officers import Officer
from ledger.staff import LEVELS, TOP


class Said(msgspec.Struct, frozen=True):
    """Something that one person is to be told of a case."""

    row: CaseRow
    what: str
    """Its own in the case."""
    recipient: str
    part: Part
    level: int = 0


class CaseTold:
    """One case as it stands, and what is to be told of it."""

    def __init__(self, conn: Connection, work: Casework, row: CaseRow, at: datetime) -> None:
        self._conn, self._work, self.row, self._at = conn, work, row, at

    @cached_property
    def whole(self) -> Case:
        """With all that happened to it."""
        return cases.case(self._conn, self.row)

    def changed(self, change: CaseChange) -> Iterator[Said]:
        """What waits for somebody since that change."""
        yield from self._asked()
        move = self._work.rules.moves.get(change.event)
        event = next((one for one in self.whole.events if one.seq == change.version), None)
        if move is None or event is None or event.move != move.id:
            return
        if self._waits(move, event):
            yield from self._step(move, event)

    def due(self) -> Iterator[Said]:
        """The stages that duties and rights have come to."""
        for one in reminders(clocks(self._work, self.whole, self._at), self._at):
            yield from self._reminded(one)

    def _waits(self, move: Move, event: CaseEvent) -> bool:
        """Whether it still waits: what was served on the party is told whatever follows."""
        if move.to:
            return event.state == self.row.state
        rules = self._work.rules
        asks = move.id in rules.asking and "party" not in move.tells
        return not asks or move.id in outstanding(rules, self.whole)

    def _asked(self) -> Iterator[Said]:
        for one in case_confirmations.of_case(self._conn, self.row.case_id):
            move = self._work.rules.moves.get(one.move)
            if one.answer or one.version != self.row.version or move is None:
                continue
            asker = officers.get(self._conn, one.asked_by)
            part = case_words.ask_part(self.row, move, self._place, asker.name if asker else "")
            yield Said(self.row, f"{case_words.ASK}|{one.id}", one.second, part)

    def _step(self, move: Move, event: CaseEvent) -> Iterator[Said]:
        made_by = {event.actor, event.given.second}
        for to in move.tells:
            if to == "party":
                people = self._people
            elif to == "assignee":
                people = self._in_charge
            else:
                people, _ = self._officers(0, made_by)
            part = case_words.step_part(self.row, move, self._place, event.given.deadline, to)
            for one in people:
                if one.id not in made_by:
                    yield Said(self.row, f"step|{event.seq}|{to}", one.id, part)

    def _reminded(self, one: Reminder) -> Iterator[Said]:
        clock, due_at = one.face.clock, one.face.due_at
        assert due_at is not None
        first = self._first_level(clock)
        barred = self._barred(clock)
        told: list[tuple[Officer, int]] = []
        if clock.is_party and one.stage != "again":
            told += [(person, 0) for person in self._people]
        if one.stage == "soon" and not clock.is_party:
            told += [(who, 0) for who in self._officers(first, barred)[0]]
        elif one.stage == "over":
            told += [(who, 0) for who in self._officers(first, barred)[0]]
            told += self._above(first + 1)
        elif one.stage == "again":
            told += self._above(first + 2)
        seen: set[str] = set()
        for who, level in told:
            if who.id not in seen:
                seen.add(who.id)
                part = case_words.due_part(self.row, clock, self._place, due_at, one.stage, level)
                yield Said(self.row, one.key, who.id, part, level)

    def _above(self, level: int) -> list[tuple[Officer, int]]:
        if level > TOP:
            return []
        found = self._staff.responsible(self.row, level, self._at)
        return [(one, found.level) for one in found.officers]

    def _first_level(self, clock: Clock) -> int:
        """The lowest level that may make a step that ends the clock."""
        able = {role for end in clock.ends for role in self._work.rules.moves[end].by}
        return next((n for n, role in enumerate(LEVELS) if role.value in able), 0)

    def _barred(self, clock: Clock) -> set[str]:
        """Whose other eyes are wanted: they cannot make the step."""
        moves = self._work.rules.moves
        earlier = {name for end in clock.ends for name in moves[end].not_by}
        found = [event for name in earlier if (event := self.whole.last(name)) is not None]
        return {who for event in found for who in (event.actor, event.given.second)} - {""}

    def _officers(self, level: int, without: set[str]) -> tuple[Sequence[Officer], int]:
        """Who is in charge; else who is responsible from that level on, without some."""
        found = [one for one in self._in_charge if one.id not in without]
        if found and LEVELS.index(found[0].role) >= level:
            return found, level
        for asked in range(level, TOP + 1):
            there = self._staff.responsible(self.row, asked, self._at)
            left = [one for one in there.officers if one.id not in without]
            if left:
                return left, there.level
        return (), level

    @cached_property
    def _in_charge(self) -> tuple[Officer, ...]:
        found = officers.get(self._conn, self.row.assignee) if self.row.assignee else None
        able = found is not None and found.active and found.role in LEVELS
        return (found,) if found is not None and able else ()

    @cached_property
    def _people(self) -> Sequence[Officer]:
        return self._staff.people(self.row.establishment_id)

    @cached_property
    def _staff(self) -> Staff:
        paths = regions.paths(self._conn, {self.row.region})
        own = () if self.row.establishment_id is None else (self.row.establishment_id,)
        return duties.staff(self._conn, paths, own, self._at, self._at)

    @cached_property
    def _place(self) -> str:
        if self.row.establishment_id is not None:
            found = establishments.get(self._conn, self.row.establishment_id)
            if found is not None:
                return found.name
        site = sites.get(self._conn, self.row.site)
        return site.name if site else self.row.site


def by_recipient(said: Iterable[Said]) -> dict[str, list[Said]]:
    """What each is told, in one message; who is told most urgent things first."""
    found: dict[str, list[Said]] = {}
    for one in said:
        found.setdefault(one.recipient, []).append(one)
    return found
