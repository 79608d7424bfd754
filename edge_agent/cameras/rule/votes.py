"""What the last looks at one person say about one piece of clothing: N of M, with hysteresis."""

from collections import deque
from dataclasses import dataclass, field

from edge_agent.cameras.eyes.attributes import Answer
from edge_agent.cameras.rule.scene import Persistence

MOST_VOTES = 512


@dataclass(frozen=True, slots=True)
class Vote:
    """A look at which something was read; those that cannot tell are no votes."""

    at_s: float
    answer: Answer
    """YES (worn), NO or UNSURE."""
    confidence: float
    """How sure the model is of the answer, 0..1."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes that count at the moment."""

    looks: int
    """Yes, no and unsure."""
    told: int
    """Of those, yes and no."""
    missing: int
    """Of those, no."""
    span_s: float
    """From the first "no" to the last."""
    confidence: float
    """Mean of the votes that say "missing"; 0 without one."""


@dataclass(slots=True)
class Ballot:
    """The votes about one person and one piece of clothing. The first look is at `first_s`."""

    rule: Persistence
    first_s: float
    missing: bool = field(default=False, init=False)
    """The verdict that stands."""
    last_s: float = field(default=float("-inf"), init=False)
    _votes: deque[Vote] = field(default_factory=lambda: deque(maxlen=MOST_VOTES), init=False)
    _told_s: float = field(default=float("-inf"), init=False)

    def cast(self, answer: Answer, confidence: float, at_s: float) -> bool:
        """Take in one look (YES: worn); returns the verdict that now stands."""
        self.last_s = at_s
        while self._votes and at_s - self._votes[0].at_s > self.rule.window_s:
            self._votes.popleft()
        if answer is not Answer.UNKNOWN:
            self._votes.append(Vote(at_s, answer, confidence))
        if answer.is_clear:
            self._told_s = at_s
        tally = self.tally()
        if not tally.told:
            self.missing = self.missing and at_s - self._told_s <= self.rule.hold_s
        elif self.missing:
            self.missing = tally.missing > self.rule.leave_share * tally.told
        else:
            self.missing = (
                tally.missing >= self.rule.enter_votes
                and tally.missing >= self.rule.enter_share * tally.looks
                and tally.span_s >= self.rule.enter_s
                and not self.passing
            )
        return self.missing

    @property
    def passing(self) -> bool:
        """True while the person is not long enough in the zone to count."""
        return self.last_s - self.first_s < self.rule.dwell_s

    def tally(self) -> Tally:
        """The votes that count at the moment."""
        against = [vote for vote in self._votes if vote.answer is Answer.NO]
        told = sum(vote.answer.is_clear for vote in self._votes)
        if not against:
            return Tally(len(self._votes), told, 0, 0.0, 0.0)
        return Tally(
            looks=len(self._votes),
            told=told,
            missing=len(against),
            span_s=against[-1].at_s - against[0].at_s,
            confidence=sum(vote.confidence for vote in against) / len(against),
        )
