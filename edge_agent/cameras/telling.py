"""Turns what changed before a camera into facts: observations, each with its evidence.

Keeps which observations are open, so that every one is closed under the same id.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from contracts.events import Box, Evidence, Observation
from contracts.topics import Identity
from contracts.words import Phase
from edge_agent.cameras import words
from edge_agent.cameras.episodes import Case, Closed, Ending, Head, Opened
from edge_agent.cameras.evidence import finding, make_evidence, state
from edge_agent.cameras.frames import Frame, Picture
from edge_agent.cameras.honesty import Sight, Turn
from edge_agent.cameras.pipeline import Change, Look, Outcome, Pipeline
from edge_agent.ports import Fact


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The look that shows a finding best so far."""

    worth: float
    look: Look
    subjects: tuple[Head, ...]


@dataclass(slots=True)
class Teller:
    """One camera's story. `who` speaks; `pipeline` says what the scene and the models are."""

    who: Identity
    pipeline: Pipeline
    open: dict[str, Observation] = field(default_factory=dict, init=False)
    """Observations that are open, by a key of what they are about."""
    _best: dict[Case, _Candidate] = field(default_factory=dict, init=False)
    _frame: Frame | None = field(default=None, init=False)

    def tell(self, outcome: Outcome) -> list[Fact]:
        """The facts that a frame led to, in the order in which they must travel."""
        self._frame = outcome.frame
        if outcome.look is not None:
            self._weigh(outcome.look)
        return self._facts(outcome.changes, outcome.frame.grabbed_at, outcome.frame.seen_s, "")

    def tell_idle(
        self, changes: Sequence[Change], at: datetime, at_s: float, trouble: str
    ) -> list[Fact]:
        """The facts that the absence of frames led to; `trouble` is what the source says."""
        return self._facts(changes, at, at_s, trouble)

    def end(self, at: datetime, at_s: float) -> list[Fact]:
        """The watch ends: close everything that is open."""
        facts = self._facts(self.pipeline.episodes.end(), at, at_s, "")
        return facts + [self._close(key, at, at, words.STOPPED) for key in list(self.open)]

    def _facts(
        self, changes: Sequence[Change], at: datetime, at_s: float, trouble: str
    ) -> list[Fact]:
        facts: list[Fact] = []
        for change in changes:
            if isinstance(change, Opened):
                facts += self._tell_opened(change, at, at_s)
            elif isinstance(change, Closed):
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

    def _weigh(self, look: Look) -> None:
        """Keep the look that shows each doubted case best; an old one no longer counts."""
        window_s = self.pipeline.scene.persistence.window_s
        for case, best in list(self._best.items()):
            if look.frame.seen_s - best.look.frame.seen_s > window_s:
                del self._best[case]
        by_case: dict[Case, list[Head]] = {}
        for case, head in self.pipeline.episodes.doubted(look.heads):
            if _key(case) not in self.open:
                by_case.setdefault(case, []).append(head)
        for case, heads in by_case.items():
            worth = sum(_worth(head, case) for head in heads)
            known = self._best.get(case)
            if known is None or worth >= known.worth:
                self._best[case] = _Candidate(worth, look, tuple(heads))

    def _tell_opened(self, change: Opened, at: datetime, at_s: float) -> list[Fact]:
        case = change.case
        kind = case.kind
        started_at = at - timedelta(seconds=max(0.0, at_s - change.since_s))
        zone_number = self.pipeline.scene.zones.index(case.zone) + 1
        observation_id = f"{kind}-z{zone_number}-{at:%Y%m%dT%H%M%S%f}"
        evidence: list[Evidence] = []
        best = self._best.pop(case, None)
        if best is not None:
            boxes = [head.box for head in best.subjects]
            picture = finding(best.look.frame.picture, case.wear, boxes, best.look.hidden)
            taken_at = best.look.frame.grabbed_at
            evidence.append(self._evidence(observation_id, picture, boxes, taken_at))
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
            evidence=tuple(piece.evidence_id for piece in evidence),
        )
        return self._open(_key(case), observation, evidence)

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
        evidence: list[Evidence] = []
        if self._frame is not None:  # of a camera that is gone: the last that was seen
            picture = state(self._frame.picture)
            evidence.append(self._evidence(observation_id, picture, (), self._frame.grabbed_at))
        observation = Observation(
            observation_id=observation_id,
            kind=turn.now.value,
            phase=Phase.OPEN,
            started_at=since,
            captured_at=at,
            reason=words.blind(turn.now, (at - since).total_seconds(), trouble),
            evidence=tuple(piece.evidence_id for piece in evidence),
        )
        return facts + self._open(turn.now.value, observation, evidence)

    def _evidence(
        self, observation_id: str, picture: Picture, boxes: Sequence[Box], at: datetime
    ) -> Evidence:
        name = f"{self.who.source}/{observation_id}"
        return make_evidence(
            picture,
            boxes,
            evidence_id=uuid.uuid5(uuid.NAMESPACE_URL, name).hex,
            observation_id=observation_id,
            captured_at=at,
        )

    def _open(self, key: str, observation: Observation, evidence: Sequence[Evidence]) -> list[Fact]:
        self.open[key] = observation
        at = observation.captured_at
        pieces = [Fact(self.who, "evidence", piece, piece.captured_at) for piece in evidence]
        return [*pieces, Fact(self.who, "observations", observation, at)]

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


def _worth(head: Head, case: Case) -> float:
    """How well a head shows that something is missing: how sure, and how large up to 96 pixels."""
    return head.answer(case.wear)[1] * min(1.0, (head.box.y1 - head.box.y0) / 96)
