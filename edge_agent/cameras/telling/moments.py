"""Which moments of an episode are shown: the look that shows it best, one before and one after it.

Small copies of past looks are kept, few and spaced, so that the wait for enough votes costs little
memory: at most GLIMPSES pictures of CONTEXT_SIDE pixels.
"""

from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from datetime import datetime

from contracts.events import Box
from edge_agent.cameras.eyes.attributes import Answer
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.pictures import shrink
from edge_agent.cameras.rule.episodes import Case, Episodes, Head
from edge_agent.cameras.rule.looking import Look
from edge_agent.cameras.telling.evidence import CONTEXT_SIDE, scaled

GLIMPSES = 6
STALE_S = 60.0
"""A look that lies longer before the votes than this shows another story."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A look made small. Boxes are in the small picture's own pixels."""

    picture: Picture
    at: datetime
    seen_s: float
    hidden: tuple[Box, ...]
    """All heads, the doubtful ones too."""
    heads: tuple[Head, ...]

    def of(self, tracks: Container[int], case: Case) -> list[Box]:
        """The heads of these people that stand in the case's zone."""
        found = [head for head in self.heads if head.zone == case.zone]
        return [head.box for head in found if head.track in tracks]

    def doubted(self, case: Case) -> frozenset[int]:
        """The people whom this look calls wrongly dressed."""
        return frozenset(
            head.track for head in self.heads if head.answer(case.wear)[0] is Answer.NO
        )


@dataclass(frozen=True, slots=True)
class Best:
    """The look that shows a finding best so far."""

    worth: float
    look: Look
    subjects: tuple[Head, ...]


def glimpse(look: Look) -> Glimpse:
    """The look made small."""
    frame = look.frame
    picture = shrink(frame.picture, CONTEXT_SIDE)
    scale = picture.shape[1] / frame.picture.shape[1]
    heads = [
        Head(
            head.track,
            scaled(head.box, scale),
            head.zone,
            answers=head.answers,
            confidences=head.confidences,
            asked=head.asked,
        )
        for head in look.heads
    ]
    hidden = tuple(scaled(box, scale) for box in look.hidden)
    return Glimpse(picture, frame.grabbed_at, frame.seen_s, hidden, tuple(heads))


@dataclass(slots=True)
class Moments:
    """One camera's looks that may be needed; `reach_s` is how far back votes can count."""

    episodes: Episodes
    reach_s: float
    _best: dict[Case, Best] = field(default_factory=dict, init=False)
    _past: deque[Glimpse] = field(default_factory=deque, init=False)

    _first: dict[Case, tuple[float, Glimpse]] = field(default_factory=dict, init=False)
    """The look at which each case became suspected, with since when it is."""

    def take(self, look: Look, is_open: Callable[[Case], bool]) -> None:
        """Take in a look. Of cases whose episode is open, no best one is sought."""
        self._remember(look)
        for case, since_s in self.episodes.suspected.items():
            if self._first.get(case, (None,))[0] != since_s:
                self._first[case] = since_s, glimpse(look)
        now_s = look.frame.seen_s
        for case, best in list(self._best.items()):
            if now_s - best.look.frame.seen_s > self.episodes.rule_of(case).window_s:
                del self._best[case]
        by_case: dict[Case, list[Head]] = {}
        for case, head in self.episodes.doubted(look.heads):
            if not is_open(case):
                by_case.setdefault(case, []).append(head)
        for case, heads in by_case.items():
            worth = sum(_worth(head, case) for head in heads)
            known = self._best.get(case)
            if known is None or worth >= known.worth:
                self._best[case] = Best(worth, look, tuple(heads))

    def best(self, case: Case) -> Best | None:
        """The look that shows a case best; it is given away once."""
        return self._best.pop(case, None)

    def first(self, case: Case) -> Glimpse | None:
        """The first of the two looks that the rule asked for; it is given away once."""
        return self._first.pop(case, (0.0, None))[1]

    def before(self, at_s: float) -> Glimpse | None:
        """The last kept look before `at_s`; None if there is none, or only a stale one."""
        for past in reversed(self._past):
            if past.seen_s < at_s:
                return past if at_s - past.seen_s <= STALE_S else None
        return None

    def _remember(self, look: Look) -> None:
        """Keep a glimpse at most every quarter of `reach_s`, so that the kept ones cover it."""
        if self._past and look.frame.seen_s - self._past[-1].seen_s < self.reach_s / 4:
            return
        self._past.append(glimpse(look))
        while len(self._past) > GLIMPSES:
            self._past.popleft()


@dataclass(slots=True)
class Budget:
    """How many pictures a camera may send within an hour; it counts what it refuses."""

    per_hour: int
    sent: int = field(default=0, init=False)
    withheld: int = field(default=0, init=False)
    _times: deque[float] = field(default_factory=deque, init=False)
    _refused_s: float = field(default=float("-inf"), init=False)

    def allows(self, at_s: float, *, context: bool) -> bool:
        """Take one picture out of the hour's number. The last third is kept for best pictures."""
        while self._times and at_s - self._times[0] >= 3600:
            self._times.popleft()
        most = self.per_hour * 2 // 3 if context else self.per_hour
        if len(self._times) >= most:
            self.withheld += 1
            self._refused_s = at_s
            return False
        self._times.append(at_s)
        self.sent += 1
        return True

    def bites(self, at_s: float) -> bool:
        """Whether a picture was refused within the last hour."""
        return at_s - self._refused_s < 3600


def _worth(head: Head, case: Case) -> float:
    """How well a head shows that something is missing: how sure, and how large up to 96 pixels."""
    return head.answer(case.wear)[1] * min(1.0, (head.box.y1 - head.box.y0) / 96)
