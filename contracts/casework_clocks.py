"""When something of a case is due: its clocks, as pure functions of its events and a moment.

Hours pass day and night. Of working days and months the day of the beginning does not count, and a
month without that day ends on its last (民法典 201, 202); the last day ends at midnight, or with
work where an office is meant (203). "Within" includes the end itself (1259): what is done at the
very moment is in time, and a publication is over at it. A clock that an appeal holds up, or that
a move reopens, goes on with what was left, in its own kind of time. A year without a calendar is
not guessed: the clock is `unknown` and says which file is missing.
"""

import calendar as months
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal

import msgspec

from contracts.casework import Case, CaseEvent
from contracts.casework_data import GIVEN, Clock, Rules
from contracts.workdays import CHINA, DAY, Calendar, CalendarMissing, china_day

ClockState = Literal["running", "paused", "met", "late", "overdue", "expired", "unknown"]


class Casework(msgspec.Struct, frozen=True):
    """The rules with the working calendar: what everything about cases goes by."""

    rules: Rules
    calendar: Calendar


class ClockFace(msgspec.Struct, frozen=True):
    """A clock of a case as it stands at a moment."""

    clock: Clock
    state: ClockState
    """running, paused; met, late (ended in time or not); overdue (a duty), expired (a right, a
    publication); unknown: a calendar is missing."""
    started_at: datetime
    due_at: datetime | None
    """The last moment that is in time; None while it is paused or unknown."""
    ended_at: datetime | None = None
    missing: str = ""
    """Which calendar is missing."""


def clocks(work: Casework, case: Case, at: datetime) -> tuple[ClockFace, ...]:
    """All clocks that have begun in a case, as they stand at `at`, in the data's order."""
    faces = []
    for clock_id in dict.fromkeys(one.id for one in work.rules.clocks):
        face = clock_face(work, case, clock_id, at)
        if face is not None:
            faces.append(face)
    return tuple(faces)


def clock_face(work: Casework, case: Case, clock_id: str, at: datetime) -> ClockFace | None:
    """One clock of a case; None if it has not begun."""
    run: _Run | None = None
    paused = False
    for what, moment, event in _marks(work.rules, case, clock_id):
        if moment > at:
            break
        if what == "start":
            run = _begin(work, case, clock_id, moment, event)
        if what in ("pause", "resume"):
            paused = what == "pause"
        if run is not None:
            run.take(work, what, moment, paused=paused)
    return None if run is None else run.face(work, at)


def _begin(
    work: Casework, case: Case, clock_id: str, at: datetime, event: CaseEvent
) -> "_Run | None":
    """The clock that an event begins; None if this case has none, or nobody set a time."""
    clock = work.rules.clock(clock_id, at)
    if clock is None or not clock.is_of(case.kind, case.outcome):
        return None
    if clock.length == GIVEN and event.given.deadline is None:
        return None
    return _Run(clock, at, event.given.deadline)


Mark = tuple[str, datetime, CaseEvent]


def _marks(rules: Rules, case: Case, clock_id: str) -> list[Mark]:
    """What happened that concerns this clock, by when it happened."""
    family = [one for one in rules.clocks if one.id == clock_id]
    starts = {name for one in family for name in one.starts}
    ends = {name for one in family for name in one.ends}
    reopens = {name for one in family for name in one.reopens}
    marks: list[Mark] = []
    for event in case.events:
        kinds = [
            ("end", event.move in ends or event.state in rules.final),
            ("reopen", event.move in reopens),
            ("start", event.move in starts),
            ("pause", event.move in rules.pausing),
            ("resume", event.move in rules.resuming),
        ]
        marks += [(what, event.counts_at, event) for what, is_so in kinds if is_so]
    return sorted(marks, key=lambda mark: (mark[1], mark[2].seq))


class _Run:
    """A clock on its way through a case's events."""

    def __init__(self, clock: Clock, at: datetime, given: datetime | None) -> None:
        self.clock = clock
        self.started_at = at
        self.ended_at: datetime | None = None
        self._given = given
        self._due: datetime | None = None
        self._left: timedelta | None = None
        self._missing = ""

    def take(self, work: Casework, what: str, at: datetime, *, paused: bool) -> None:
        """Something that concerns it happened at `at`; an appeal runs since, or does not."""
        held = paused and self.clock.pauses
        if what == "end":
            self.ended_at = self.ended_at or at
            return
        try:
            if what == "reopen" and self.ended_at is not None:
                ended, self.ended_at = self.ended_at, None
                self._hold(work, ended)
            elif held and self.ended_at is None:
                self._hold(work, at)
            if not held and self.ended_at is None:
                self._go_on(work, at)
        except CalendarMissing as error:
            self._missing = str(error)

    def face(self, work: Casework, at: datetime) -> ClockFace:
        """As it stands at `at`."""
        if not self._missing and self._left:
            # What is done while an appeal holds it up cannot be late.
            state: ClockState = "paused" if self.ended_at is None else "met"
            return ClockFace(self.clock, state, self.started_at, None, self.ended_at)
        try:
            due = self._due_at(work)
        except CalendarMissing as error:
            self._missing = str(error)
        if self._missing:
            return ClockFace(
                self.clock, "unknown", self.started_at, None, self.ended_at, self._missing
            )
        return ClockFace(self.clock, self._state(due, at), self.started_at, due, self.ended_at)

    def _due_at(self, work: Casework) -> datetime:
        if self._due is None:
            self._due = due_at(work, self.clock, self.started_at, self._given)
        return self._due

    def _hold(self, work: Casework, at: datetime) -> None:
        if self._left is None:
            self._left = self._remaining(work, at)

    def _go_on(self, work: Casework, at: datetime) -> None:
        if self._left:
            self._due = self._later(work, at, self._left)
        self._left = None

    def _state(self, due: datetime, at: datetime) -> ClockState:
        if self.clock.role == "expiry":
            if self.ended_at is not None:
                return "met"
            return "expired" if at >= due else "running"
        if self.ended_at is not None:
            return "met" if self.ended_at <= due else "late"
        if at <= due:
            return "running"
        return "overdue" if self.clock.role == "duty" else "expired"

    def _remaining(self, work: Casework, at: datetime) -> timedelta:
        due = self._due_at(work)
        if self.clock.span[1] == "working day":
            return work.calendar.working_time_between(at, due, work.rules.hours)
        return max(due - at, timedelta(0))

    def _later(self, work: Casework, at: datetime, left: timedelta) -> datetime:
        if self.clock.span[1] == "working day":
            return work.calendar.add_working_time(at, left, work.rules.hours)
        return at + left


def due_at(
    work: Casework, clock: Clock, start: datetime, given: datetime | None = None
) -> datetime:
    """The last moment in time of a clock that begins at `start`. Raises CalendarMissing."""
    count, unit = clock.span
    if unit == GIVEN:
        if given is None:
            raise ValueError(f"clock {clock.id}: the move that began it gave no deadline")
        return given
    if unit == "h":
        return start + timedelta(hours=count)
    first = china_day(start)
    last = (
        work.calendar.add_workdays(first, count) if unit == "working day" else _month(first, count)
    )
    if clock.last_day == "work":
        return datetime.combine(last, work.rules.hours[-1][1], CHINA).astimezone(start.tzinfo)
    return datetime.combine(last + DAY, time.min, CHINA).astimezone(start.tzinfo)


def _month(first: date, count: int) -> date:
    """The same day `count` months later; the month's last where there is none."""
    month = first.month - 1 + count
    year, month = first.year + month // 12, month % 12 + 1
    return date(year, month, min(first.day, months.monthrange(year, month)[1]))


def next_due(faces: Sequence[ClockFace]) -> ClockFace | None:
    """The duty that is due next, or has been overdue longest."""
    open_ = [
        face
        for face in faces
        if face.clock.role == "duty" and face.ended_at is None and face.due_at is not None
    ]
    return min(open_, key=lambda face: face.due_at or face.started_at, default=None)
