"""What a polling host has on its way: one request, or a run of requests record by record."""

from datetime import date

from contracts.profile import Step
from edge_agent.instruments.decoder import Row
from edge_agent.instruments.fields import Fields

ASKS = 2
"""How often a single record of a run is asked for before it counts as lost."""
LOST_IN_A_ROW = 3
"""So many lost records one after another end a run: no one is answering."""

State = tuple[bytes, ...]
INSTEAD: State = (b"", b"instead")
"""Marks a step that is asked because the one before it was not answered."""


class Exchange:
    """One request on its way."""

    def __init__(self, step: Step, day: date, state: State, deadline: float) -> None:
        self.step = step
        self.instead = state == INSTEAD
        self.day = day
        self.state = state
        self.deadline = deadline
        self.got = 0
        self.total = 1
        self.ended = False
        self.rows: list[Row] = []

    @property
    def complete(self) -> bool:
        """Whether all replies have come."""
        if self.step.ends:
            return self.ended
        return self.got >= self.total and not self.step.until_quiet

    @property
    def missing(self) -> int:
        """Replies that should have come; where only their end is known, at least one."""
        if self.step.ends:
            return 0 if self.ended else 1
        return 0 if self.step.until_quiet else max(0, self.total - self.got)

    def takes(self, record: str) -> bool:
        """Whether a record of that name is a reply."""
        return record == self.step.reply or record in self.step.also


class Run:
    """Records fetched one by one: `first` to `past`; from `at` on where the others are known."""

    def __init__(
        self, step: Step, day: date, opened: str, state: State, first: int, past: int, at: int
    ) -> None:
        self.step = step
        self.day = day
        self.place = (opened, day)
        self.state = state
        self.first = first
        self.index = at
        self.past = past
        self.lost = 0
        self._asked = 0
        self._in_a_row = 0
        self._last = b""
        self._repeated = False

    @property
    def done(self) -> bool:
        """Whether every index has been asked for."""
        return self.index >= self.past

    @property
    def hopeless(self) -> bool:
        """Whether it is time to give up."""
        return self._in_a_row >= LOST_IN_A_ROW

    def answers(self, frame: bytes) -> bool:
        """Whether a frame is the answer to the present index; one like the last is its repeat."""
        if frame == self._last:
            self._repeated = True
            return False
        self._last = frame
        return True

    def got(self) -> None:
        """The present record has come."""
        self.index += 1
        self._asked = self._in_a_row = 0
        self._repeated = False

    def unanswered(self) -> bool:
        """Nothing came in time. Returns whether that counts as a failure of the line."""
        self._asked += 1
        if self._asked < ASKS:
            return False
        if self._repeated:  # asked afresh, it says the same again: two alike
            self.got()
            return False
        self.index += 1
        self.lost += 1
        self._in_a_row += 1
        self._asked = 0
        return True

    def give_up(self) -> None:
        """Count what was not asked for as lost."""
        self.lost += max(0, self.past - self.index)
        self.index = self.past


def run_of(
    opened: Step,
    fetch: Step,
    day: date,
    cells: Fields,
    state: State,
    known: tuple[int, int] | None,
) -> Run:
    """The run that a reply to `opened` asks for; `known` is what was fetched: first and past."""
    first = int(cells[opened.first].number or 0) if opened.first else 0
    past = int(cells[opened.past].number or 0)
    grown = known is not None and known[0] == first and known[1] <= past
    at = known[1] if known is not None and grown else first
    return Run(fetch, day, opened.name, state, first, past, at)
