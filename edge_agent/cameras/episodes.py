"""The rule: who must wear what where, and from which look to which one that was not so.

One episode per zone and piece of clothing, however many people there are: it opens when the votes
about one person suffice, follows the greatest number of people, and closes when for a while nobody
is in violation any more. Time in which the camera cannot see counts for neither side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.events import Box
from edge_agent.cameras.attributes import Answer
from edge_agent.cameras.scene import Persistence, Wear, Zone
from edge_agent.cameras.votes import Ballot, Tally


@dataclass(frozen=True, slots=True)
class Head:
    """A followed head in a zone, with what the model says of it."""

    track: int
    box: Box
    zone: Zone
    answers: dict[Wear, Answer]
    confidences: dict[Wear, float]
    """How sure the model is of each answer, 0..1."""


@dataclass(frozen=True, slots=True)
class Case:
    """Which rule of which zone."""

    zone: Zone
    wear: Wear


@dataclass(frozen=True, slots=True)
class Opened:
    """Enough was seen: an episode begins."""

    case: Case
    subjects: tuple[Head, ...]
    tally: Tally
    since_s: float


@dataclass(frozen=True, slots=True)
class Closed:
    """An episode is over."""

    case: Case
    people: int
    """The most at a time."""
    confidence: float
    until_s: float
    """When somebody was last seen in violation."""
    lost: bool
    """True if it could not be followed to its end."""


@dataclass(slots=True)
class _Running:
    people: int
    confidence: float
    last_s: float
    clear_s: float = 0.0
    """Seeing time since somebody was last in violation."""
    blind_since_s: float | None = None


@dataclass(slots=True)
class Episodes:
    """All rules of a scene."""

    rule: Persistence
    _ballots: dict[tuple[int, Case], Ballot] = field(default_factory=dict, init=False)
    _running: dict[Case, _Running] = field(default_factory=dict, init=False)
    _last_look_s: float | None = field(default=None, init=False)

    def look(self, heads: Sequence[Head], at_s: float) -> list[Opened | Closed]:
        """Take in one look: the heads in zones, at `at_s`."""
        guilty = self._vote(heads, at_s)
        passed_s = 0.0 if self._last_look_s is None else at_s - self._last_look_s
        self._last_look_s = at_s
        changes: list[Opened | Closed] = []
        for case, subjects in guilty.items():
            tally = self._strongest(case, subjects)
            running = self._running.get(case)
            if running is None:
                self._running[case] = _Running(len(subjects), tally.confidence, at_s)
                changes.append(Opened(case, subjects, tally, at_s - tally.span_s))
            else:
                running.people = max(running.people, len(subjects))
                running.confidence = max(running.confidence, tally.confidence)
                running.last_s, running.clear_s = at_s, 0.0
        for case, running in list(self._running.items()):
            running.blind_since_s = None
            if case not in guilty:
                running.clear_s += passed_s
                if running.clear_s >= self.rule.leave_s:
                    changes.append(self._close(case, lost=False))
        return changes

    def cannot_see(self, at_s: float) -> list[Opened | Closed]:
        """The camera does not see at `at_s`: episodes are held, up to the rule's `hold_s`."""
        self._last_look_s = None
        changes: list[Opened | Closed] = []
        for case, running in list(self._running.items()):
            if running.blind_since_s is None:
                running.blind_since_s = at_s
            if at_s - running.blind_since_s >= self.rule.hold_s:
                changes.append(self._close(case, lost=True))
        return changes

    def end(self) -> list[Opened | Closed]:
        """The watch ends: every episode closes, as far as it was seen."""
        return [self._close(case, lost=True) for case in list(self._running)]

    def doubted(self, heads: Sequence[Head]) -> list[tuple[Case, Head]]:
        """The heads that this look calls wrongly dressed, whatever the votes say so far."""
        return [
            (Case(head.zone, wear), head)
            for head in heads
            for wear in head.zone.required
            if head.answers.get(wear) is Answer.NO
        ]

    def _vote(self, heads: Sequence[Head], at_s: float) -> dict[Case, tuple[Head, ...]]:
        self._ballots = {
            key: ballot
            for key, ballot in self._ballots.items()
            if at_s - ballot.last_s <= self.rule.window_s
        }
        guilty: dict[Case, tuple[Head, ...]] = {}
        for head in heads:
            for wear in head.zone.required:
                case = Case(head.zone, wear)
                ballot = self._ballots.setdefault((head.track, case), Ballot(self.rule))
                answer = head.answers.get(wear, Answer.UNKNOWN)
                if ballot.cast(answer, head.confidences.get(wear, 0.0), at_s):
                    guilty[case] = (*guilty.get(case, ()), head)
        return guilty

    def _strongest(self, case: Case, subjects: Sequence[Head]) -> Tally:
        tallies = [self._ballots[(head.track, case)].tally() for head in subjects]
        return max(tallies, key=lambda tally: (tally.missing, tally.confidence))

    def _close(self, case: Case, *, lost: bool) -> Closed:
        running = self._running.pop(case)
        return Closed(case, running.people, running.confidence, running.last_s, lost)
