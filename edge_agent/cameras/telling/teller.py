"""Turns what changed before a camera into facts: observations, each with its evidence.

Keeps which observations are open, so that every one is closed under the same id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from contracts.events import Observation
from contracts.topics import Identity
from contracts.words import Phase
from edge_agent.cameras import words
from edge_agent.cameras.frames import Frame
from edge_agent.cameras.honesty import Sight, Turn
from edge_agent.cameras.pipeline import Change, Look, Outcome, Pipeline
from edge_agent.cameras.rule.episodes import Case, Closed, Ending, Opened
from edge_agent.cameras.telling.showing import Shot, Showing
from edge_agent.custody.custody import NO_CUSTODY, Custody
from edge_agent.ports import Fact


@dataclass(slots=True)
class Teller:
    """One camera's story. `who` speaks; `pipeline` says what the scene and the models are."""

    who: Identity
    pipeline: Pipeline
    custody: Custody = NO_CUSTODY
    open: dict[str, Observation] = field(default_factory=dict, init=False)
    """Observations that are open, by a key of what they are about."""
    showing: Showing = field(init=False)
    _frame: Frame | None = field(default=None, init=False)
    _shots: list[Shot] = field(default_factory=list, init=False)
    """Pictures that observations name and nobody has asked for yet."""

    def __post_init__(self) -> None:
        self.showing = Showing(self.who, self.pipeline, self.custody)

    def tell(self, outcome: Outcome) -> list[Fact]:
        """The facts that a frame led to, in the order in which they must travel."""
        return [*self.news(outcome), *self.pictures()]

    def news(self, outcome: Outcome) -> list[Fact]:
        """The same without the pictures: those take time to make, and are asked for next."""
        self._frame, look = outcome.frame, outcome.look
        if look is not None:
            self.showing.look(look, lambda case: _key(case) in self.open)
        at, at_s = outcome.frame.grabbed_at, outcome.frame.seen_s
        facts = self._facts(outcome.changes, at, at_s, "", look)
        if look is not None:
            for case, shot in self.showing.due(look):
                self._add(_key(case), [shot])
        return facts

    def pictures(self) -> list[Fact]:
        """Make the pictures that the last news named."""
        shots, self._shots = self._shots, []
        made = [shot.make() for shot in shots]
        return [Fact(self.who, "evidence", one, one.captured_at) for one in made]

    def tell_idle(
        self, changes: Sequence[Change], at: datetime, at_s: float, trouble: str
    ) -> list[Fact]:
        """The facts that the absence of frames led to; `trouble` is what the source says."""
        return [*self._facts(changes, at, at_s, trouble), *self.pictures()]

    def end(self, at: datetime, at_s: float) -> list[Fact]:
        """The watch ends: close everything that is open."""
        facts = self._facts(self.pipeline.episodes.end(), at, at_s, "")
        facts += [self._close(key, at, at, words.STOPPED) for key in list(self.open)]
        return [*facts, *self.pictures()]

    def _facts(
        self,
        changes: Sequence[Change],
        at: datetime,
        at_s: float,
        trouble: str,
        look: Look | None = None,
    ) -> list[Fact]:
        facts: list[Fact] = []
        for change in changes:
            if isinstance(change, Opened):
                facts += self._tell_opened(change, at, at_s)
            elif isinstance(change, Closed):
                self._add(_key(change.case), self.showing.closed(change.case, look))
                facts.append(self._tell_closed(change, at, at_s))
            else:
                facts += self._tell_turn(change, at, at_s, trouble)
        return facts

    def _tell_closed(self, change: Closed, at: datetime, at_s: float) -> Fact:
        key = _key(change.case)
        opened = self.open[key]
        self.open[key] = msgspec.structs.replace(
            opened,
            people=max(opened.people, change.people),
            confidence=min(1.0, max(opened.confidence, change.confidence)),
            peak_at=at - timedelta(seconds=max(0.0, at_s - change.peak_s)),
            tracks=change.tracks,
            stretches=change.stretches,
            retracted=change.ending is Ending.STILL,
        )
        clear_s = max(0.0, at_s - change.until_s)
        said = words.closed(change, round(clear_s))
        return self._close(key, at, at - timedelta(seconds=clear_s), said)

    def _tell_opened(self, change: Opened, at: datetime, at_s: float) -> list[Fact]:
        case = change.case
        kind = case.kind
        started_at = at - timedelta(seconds=max(0.0, at_s - change.since_s))
        zone_number = self.pipeline.scene.zones.index(case.zone) + 1
        observation_id = f"{kind}-z{zone_number}-{at:%Y%m%dT%H%M%S%f}"
        shots = self.showing.opened(change, observation_id, at_s)
        observation = Observation(
            observation_id=observation_id,
            kind=kind,
            phase=Phase.OPEN,
            started_at=started_at,
            captured_at=at,
            reason=words.opened(change),
            zone=case.zone.name,
            zone_kind=case.zone.kind.value,
            people=len(change.subjects),
            peak_at=at,
            tracks=len(change.subjects),
            stretches=1,
            confidence=min(1.0, change.tally.confidence),
            boxes=tuple(head.box for head in change.subjects),
            models=(
                self.pipeline.models.detector.reference,
                self.pipeline.models.classifier.reference,
            ),
            evidence=tuple(shot.evidence_id for shot in shots),
        )
        return self._open(_key(case), observation, shots)

    def _tell_turn(self, turn: Turn, at: datetime, at_s: float, trouble: str) -> list[Fact]:
        since = at - timedelta(seconds=max(0.0, at_s - turn.since_s))
        facts: list[Fact] = []
        if turn.before.value in self.open:
            before = self.open[turn.before.value]
            lasted_s = (since - before.started_at).total_seconds()
            said = words.sees_again(turn.before, max(0.0, lasted_s))
            facts.append(self._close(turn.before.value, at, since, said))
        if turn.now is Sight.LIVE:
            return facts
        observation_id = f"{turn.now.value}-{at:%Y%m%dT%H%M%S%f}"
        shots = self.showing.turned(turn, observation_id, self._frame, at_s)
        observation = Observation(
            observation_id=observation_id,
            kind=turn.now.value,
            phase=Phase.OPEN,
            started_at=since,
            captured_at=at,
            reason=words.blind(turn, (at - since).total_seconds(), trouble),
            evidence=tuple(shot.evidence_id for shot in shots),
        )
        return facts + self._open(turn.now.value, observation, shots)

    def _open(self, key: str, observation: Observation, shots: Sequence[Shot]) -> list[Fact]:
        self.open[key] = observation
        self._shots += shots
        return [Fact(self.who, "observations", observation, observation.captured_at)]

    def _add(self, key: str, shots: Sequence[Shot]) -> None:
        """Pictures that come to an open observation; its closing will name them."""
        if shots:
            opened = self.open[key]
            ids = tuple(shot.evidence_id for shot in shots)
            self.open[key] = msgspec.structs.replace(opened, evidence=(*opened.evidence, *ids))
            self._shots += shots

    def _close(self, key: str, at: datetime, until: datetime, said: str) -> Fact:
        closed = closing(self.open.pop(key), at, until, said)
        return Fact(self.who, "observations", closed, at)


def closing(opened: Observation, at: datetime, until: datetime, said: str) -> Observation:
    """The observation that closes an open one; it never ends before it began."""
    return msgspec.structs.replace(
        opened,
        phase=Phase.CLOSED,
        ended_at=max(until, opened.started_at),
        captured_at=at,
        reason=said,
    )


def _key(case: Case) -> str:
    return f"{case.zone.name}/{case.kind}"
