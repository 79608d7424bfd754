"""The rule: who must wear what where, and from which look to which one that was not so.

One episode per zone and piece of clothing, however many people there are: it opens when the votes
about one person suffice (and, where the rule asks for it, suffice again minutes later), follows the
greatest number of people, and closes when for a while nobody is in violation any more. Time in
which the camera cannot see counts for neither side. The order of the heads in a look is irrelevant.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from enum import Enum

from contracts.events import Box
from edge_agent.cameras.eyes.attributes import Answer
from edge_agent.cameras.rule.explain import Standing, Why
from edge_agent.cameras.rule.scene import OFF_HOURS, Persistence, Wear, Zone
from edge_agent.cameras.rule.votes import Ballot, Tally

OFF_HOURS_PERSON = "off_hours_person"
REJOIN_S = 10.0
"""Who appears so soon after another was lost is taken for the same: it is tracks that break."""


@dataclass(frozen=True, slots=True)
class Head:
    """A followed head in a zone, with what the model says of it."""

    track: int
    box: Box
    zone: Zone
    answers: dict[Wear, Answer]
    confidences: dict[Wear, float]
    """How sure the model is of each answer, 0..1."""
    asked: tuple[Wear | None, ...]
    """What the zone asks of it at this hour; None: that nobody be here."""

    def answer(self, wear: Wear | None) -> tuple[Answer, float]:
        """Is it as asked, and how sure is that."""
        if wear is None:
            return Answer.NO, self.box.confidence
        return self.answers.get(wear, Answer.UNKNOWN), self.confidences.get(wear, 0.0)


@dataclass(frozen=True, slots=True)
class Case:
    """Which rule of which zone."""

    zone: Zone
    wear: Wear | None
    """None: nobody may be here outside working hours."""

    @property
    def kind(self) -> str:
        """The observation's kind."""
        return OFF_HOURS_PERSON if self.wear is None else f"no_{self.wear.value}"


@dataclass(frozen=True, slots=True)
class Opened:
    """Enough was seen: an episode begins."""

    case: Case
    subjects: tuple[Head, ...]
    tally: Tally
    since_s: float
    confirmed_after_s: float = 0.0
    """Between the first sufficient look and this one, where the rule asks for two; else 0."""


class Ending(Enum):
    """How an episode ended."""

    OVER = "over"
    """Nobody was in violation any more."""
    LOST = "lost"
    """It could not be followed to its end."""
    STILL = "still"
    """All that it was about proved to be pictures: it should not have begun."""


@dataclass(frozen=True, slots=True)
class Closed:
    """An episode is over."""

    case: Case
    people: int
    """The most at a time."""
    confidence: float
    until_s: float
    """When somebody was last seen in violation."""
    ending: Ending
    peak_s: float
    """When the most people were in violation, and of those looks the surest."""
    tracks: int
    """People that were followed; one who left for long and came back counts anew."""
    stretches: int
    """How often it began, with a pause of `leave_s` or more between."""

    @property
    def lost(self) -> bool:
        """True if it could not be followed to its end."""
        return self.ending is Ending.LOST


@dataclass(slots=True)
class _Running:
    people: int
    confidence: float
    last_s: float
    peak_s: float
    peak_confidence: float
    tracks: set[int] = field(default_factory=set)
    """All that it was about."""
    stretches: int = 1
    clear_s: float = 0.0
    """Seeing time since somebody was last in violation."""
    blind_since_s: float | None = None
    counted: int = 0
    """People that were followed."""
    _seen: dict[int, float] = field(default_factory=dict)
    """When the track of each of them was last in view."""

    def follow(self, subjects: Sequence[Head], in_view: Set[int], at_s: float) -> None:
        """Count who is new among `subjects`; `in_view` are the tracks of all heads of the look."""
        for track in in_view & self._seen.keys():
            self._seen[track] = at_s
        for head in subjects:
            if head.track in self._seen:
                continue
            lost = {track: seen_s for track, seen_s in self._seen.items() if track not in in_view}
            same = max(lost, key=lambda track: (lost[track], track), default=None)
            if same is not None and at_s - lost[same] <= REJOIN_S:
                del self._seen[same]
            else:
                self.counted += 1
            self._seen[head.track] = at_s
        self.tracks.update(head.track for head in subjects)

    def again(
        self, subjects: Sequence[Head], confidence: float, at_s: float, rest_s: float
    ) -> None:
        """The violation goes on, or begins anew after a pause."""
        if (len(subjects), confidence) > (self.people, self.peak_confidence):
            self.peak_s, self.peak_confidence = at_s, confidence
        self.people = max(self.people, len(subjects))
        self.confidence = max(self.confidence, confidence)
        self.stretches += self.clear_s >= rest_s
        self.last_s, self.clear_s = at_s, 0.0


@dataclass(slots=True)
class Episodes:
    """All rules of a scene: `rule`, unless a zone has its own; `off_hours` for the night."""

    rule: Persistence
    off_hours: Persistence = OFF_HOURS
    _ballots: dict[tuple[int, Case], Ballot] = field(default_factory=dict, init=False)
    _running: dict[Case, _Running] = field(default_factory=dict, init=False)
    suspected: dict[Case, float] = field(default_factory=dict, init=False)
    """Since when, of cases that wait for their second look."""
    _last_look_s: float | None = field(default=None, init=False)

    def rule_of(self, case: Case) -> Persistence:
        """What must be seen of a case."""
        return self.off_hours if case.wear is None else case.zone.persistence or self.rule

    def look(
        self, heads: Sequence[Head], at_s: float, still: Set[int] = frozenset()
    ) -> list[Opened | Closed]:
        """Take in one look: the heads in zones, at `at_s`; `still` are tracks that are pictures."""
        guilty = self._vote(sorted(heads, key=lambda head: head.track), at_s)
        in_view = {head.track for head in heads}
        passed_s = 0.0 if self._last_look_s is None else at_s - self._last_look_s
        self._last_look_s = at_s
        changes: list[Opened | Closed] = []
        for case, subjects in guilty.items():
            tally = self._strongest(case, subjects)
            running = self._running.get(case)
            if running is not None:
                running.again(subjects, tally.confidence, at_s, self.rule_of(case).leave_s)
            elif opened := self._begin(case, subjects, tally, at_s):
                changes.append(opened)
        for case, running in self._running.items():
            running.follow(guilty.get(case, ()), in_view, at_s)
        self._forget_suspicions(guilty.keys(), at_s)
        for case, running in list(self._running.items()):
            running.blind_since_s = None
            if case in guilty:
                continue
            rule = self.rule_of(case)
            running.clear_s += passed_s
            if running.tracks <= still:
                changes.append(self._close(case, Ending.STILL))
            elif running.clear_s >= rule.leave_s + rule.merge_s:
                changes.append(self._close(case, Ending.OVER))
        return changes

    def cannot_see(self, at_s: float) -> list[Opened | Closed]:
        """The camera does not see at `at_s`: episodes are held, up to the rule's `hold_s`."""
        self._last_look_s = None
        changes: list[Opened | Closed] = []
        for case, running in list(self._running.items()):
            if running.blind_since_s is None:
                running.blind_since_s = at_s
            if at_s - running.blind_since_s >= self.rule_of(case).hold_s:
                changes.append(self._close(case, Ending.LOST))
        return changes

    def end(self) -> list[Opened | Closed]:
        """The watch ends: every episode closes, as far as it was seen."""
        return [self._close(case, Ending.LOST) for case in list(self._running)]

    def doubted(self, heads: Sequence[Head]) -> list[tuple[Case, Head]]:
        """The heads that this look calls wrongly dressed, whatever the votes say so far."""
        return [
            (Case(head.zone, wear), head)
            for head in heads
            for wear in head.asked
            if head.answer(wear)[0] is Answer.NO
        ]

    def standings(self, head: Head) -> tuple[Standing, ...]:
        """How a head of the last look stands to what is asked of it."""
        return tuple(self._standing(head, Case(head.zone, wear)) for wear in head.asked)

    def _standing(self, head: Head, case: Case) -> Standing:
        answer, confidence = head.answer(case.wear)
        ballot = self._ballots[(head.track, case)]
        tally = ballot.tally()
        if ballot.missing:
            why = Why.EPISODE if case in self._running else Why.SUSPECTED
        elif not tally.told:
            why = Why.CANNOT_TELL
        elif not tally.missing:
            why = Why.DRESSED
        else:
            why = Why.PASSING if ballot.passing else Why.COUNTING
        return Standing(
            case.wear, why, answer, confidence, tally.missing, tally.looks, tally.span_s
        )

    def _vote(self, heads: Sequence[Head], at_s: float) -> dict[Case, tuple[Head, ...]]:
        self._ballots = {
            key: ballot
            for key, ballot in self._ballots.items()
            if at_s - ballot.last_s <= ballot.rule.window_s
        }
        guilty: dict[Case, tuple[Head, ...]] = {}
        for head in heads:
            for wear in head.asked:
                case = Case(head.zone, wear)
                key = (head.track, case)
                if key not in self._ballots:
                    self._ballots[key] = Ballot(self.rule_of(case), at_s)
                if self._ballots[key].cast(*head.answer(wear), at_s):
                    guilty[case] = (*guilty.get(case, ()), head)
        return guilty

    def _begin(
        self, case: Case, subjects: tuple[Head, ...], tally: Tally, at_s: float
    ) -> Opened | None:
        """The votes suffice: an episode begins, unless the rule wants to look again later."""
        since_s, rule = at_s - tally.span_s, self.rule_of(case)
        if rule.confirm_after_s:
            first_s = self.suspected.setdefault(case, since_s)
            if at_s - first_s > rule.confirm_after_s + rule.confirm_within_s:
                first_s = self.suspected[case] = since_s
            if at_s - first_s < rule.confirm_after_s:
                return None
            since_s = self.suspected.pop(case)
        self._running[case] = _Running(
            len(subjects),
            tally.confidence,
            at_s,
            peak_s=at_s,
            peak_confidence=tally.confidence,
        )
        confirmed_after_s = at_s - since_s if rule.confirm_after_s else 0.0
        return Opened(case, subjects, tally, since_s, confirmed_after_s)

    def _forget_suspicions(self, guilty: Set[Case], at_s: float) -> None:
        for case, since_s in list(self.suspected.items()):
            rule = self.rule_of(case)
            if case not in guilty and at_s - since_s > rule.confirm_after_s + rule.confirm_within_s:
                del self.suspected[case]

    def _strongest(self, case: Case, subjects: Sequence[Head]) -> Tally:
        tallies = [self._ballots[(head.track, case)].tally() for head in subjects]
        return max(tallies, key=lambda tally: (tally.missing, tally.confidence))

    def _close(self, case: Case, ending: Ending) -> Closed:
        running = self._running.pop(case)
        return Closed(
            case,
            running.people,
            running.confidence,
            running.last_s,
            ending,
            running.peak_s,
            running.counted,
            running.stretches,
        )
