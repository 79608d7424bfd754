"""The list of cases: which ones a filter shows, the line of each, the counts, and what waits."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from contracts.casework_data import Move, Rules
from contracts.casework_data import State as CaseState
from ledger import case_confirmations, case_desk, cases, regions
from ledger.case_confirmations import Confirmation
from ledger.case_desk import Tally, Wanted
from ledger.cases import CaseRow
from ledger.engine import Connection
from server.cursors import place_of, sliced
from server.desk import Names
from server.signing import Visit

PAGE = 25
LIST = "cases"
"""The list's name in cursors."""
GROUPS: dict[str, tuple[str, ...]] = {
    "lead": ("lead",),
    "work": ("filed", "dispatched", "disposing"),
    "review": ("disposed", "reviewed"),
    "closed": ("closed", "annulled"),
    "published": ("published",),
}
"""What the list offers as one choice; states that no group names are in `over`."""
OPEN = ("lead", "work", "review")


class CaseFilter(msgspec.Struct, frozen=True):
    """What the list shows; kept in the page's address."""

    state: str = "open"
    kind: str = ""
    region: str = ""
    mine: bool = False
    overdue: bool = False

    def query(self, **changed: str | bool) -> str:
        """The address's query with some parts changed; what is the default is left out."""
        parts: dict[str, str | bool] = {
            "state": "" if self.state == "open" else self.state,
            "kind": self.kind,
            "region": self.region,
            "mine": self.mine,
            "overdue": self.overdue,
        }
        parts |= changed
        if parts["state"] == "open":
            parts["state"] = ""
        kept = [
            f"{name}={'1' if value is True else value}" for name, value in parts.items() if value
        ]
        return "?" + "&".join(kept) if kept else ""

    def states(self, rules: Rules) -> tuple[str, ...]:
        """The states that are shown."""
        if self.state == "all":
            return ()
        if self.state == "open":
            return tuple(one for group in OPEN for one in GROUPS[group])
        if self.state == "over":
            named = {one for group in GROUPS.values() for one in group}
            return tuple(one for one in rules.states if one not in named)
        return GROUPS[self.state]


class CaseLine(msgspec.Struct, frozen=True):
    """A case with the names that its line shows."""

    row: CaseRow
    state: CaseState
    place: str
    region: tuple[str, str]
    assignee: str
    clock: tuple[str, str]
    """Name of the clock that is due next."""
    overdue: bool
    left_s: float
    """Seconds until it is due; since, if it is overdue."""


class Asked(msgspec.Struct, frozen=True):
    """A step that waits for the officer who looks."""

    asked: Confirmation
    row: CaseRow
    move: Move
    by: str


class Counts(msgspec.Struct, frozen=True):
    """The numbers above the list, in the chosen region and kind."""

    groups: dict[str, int]
    open: int
    overdue: int
    mine: int
    all: int


def wanted_of(
    conn: Connection, visit: Visit, chosen: CaseFilter, rules: Rules, now: datetime
) -> Wanted:
    """The filter as the ledger takes it, within what the officer sees."""
    scope, meant = visit.scope, visit.scope.listed
    if chosen.region in scope.regions:
        meant = [one for one in regions.subtree(conn, chosen.region) if one in scope.regions]
    return Wanted(
        regions=meant,
        states=chosen.states(rules),
        kind=chosen.kind,
        assignee=visit.officer.id if chosen.mine else "",
        establishment_id=scope.establishment_id,
        overdue_at=now if chosen.overdue else None,
    )


def find_cases(
    conn: Connection, wanted: Wanted, before: str | None, limit: int = PAGE
) -> tuple[list[CaseRow], str | None]:
    """A page of cases, and the cursor of the one after it. Raises Problem (422)."""
    after = place_of(LIST, before, tuple[datetime | None, int])
    return sliced(case_desk.find(conn, wanted, limit + 1, after), case_desk.place, LIST, limit)


def case_lines(
    conn: Connection, rules: Rules, rows: Iterable[CaseRow], now: datetime
) -> list[CaseLine]:
    """The lines of these cases."""
    found = list(rows)
    names = Names(conn).look_up(
        regions=(row.region for row in found),
        sites=(row.site for row in found if row.establishment_id is None),
        establishments=(row.establishment_id for row in found),
        officers=(row.assignee for row in found),
    )
    return [_line(rules, names, row, now) for row in found]


def _line(rules: Rules, names: Names, row: CaseRow, now: datetime) -> CaseLine:
    clock = next((one for one in rules.clocks if one.id == row.due_clock), None)
    left_s = (row.due_at - now).total_seconds() if row.due_at else 0.0
    return CaseLine(
        row=row,
        state=rules.states.get(row.state) or CaseState(row.state, row.state, row.state),
        place=names.place(row.establishment_id, row.site),
        region=names.region(row.region),
        assignee=names.officer(row.assignee),
        clock=(clock.zh, clock.en) if clock else ("", ""),
        overdue=row.due_at is not None and left_s < 0,
        left_s=abs(left_s),
    )


def count_cases(conn: Connection, wanted: Wanted, now: datetime, me: str) -> Counts:
    """The numbers above the list."""
    told = case_desk.tally(
        conn, msgspec.structs.replace(wanted, states=(), assignee="", overdue_at=None), now, me
    )
    groups = {name: _sum(told, states) for name, states in GROUPS.items()}
    total = sum(one.count for one in told)
    open_states = {one for group in OPEN for one in GROUPS[group]}
    return Counts(
        groups=groups | {"over": total - sum(groups.values())},
        open=sum(groups[one] for one in OPEN),
        overdue=sum(one.overdue for one in told),
        mine=sum(one.mine for one in told if one.state in open_states),
        all=total,
    )


def _sum(told: Sequence[Tally], states: Sequence[str]) -> int:
    return sum(one.count for one in told if one.state in states)


def asked_of(conn: Connection, rules: Rules, visit: Visit) -> list[Asked]:
    """The steps that wait for this officer to confirm them."""
    names = Names(conn)
    found = []
    for one in case_confirmations.waiting_for(conn, visit.officer.id, visit.scope.listed):
        row = cases.get(conn, one.case_id)
        move = rules.moves.get(one.move)
        if row is not None and move is not None:
            found.append(Asked(one, row, move, names.officer(one.asked_by)))
    return found
