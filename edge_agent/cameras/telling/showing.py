"""Makes the pictures that travel beside observations, and the originals that stay in the vault."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.events import Box, Evidence
from contracts.topics import Identity
from contracts.words import PictureRole
from edge_agent.cameras.frames import Frame, Picture
from edge_agent.cameras.honesty import Sight, Turn
from edge_agent.cameras.pictures import encode_jpeg
from edge_agent.cameras.pipeline import Pipeline
from edge_agent.cameras.rule.episodes import Case, Opened
from edge_agent.cameras.rule.looking import Look
from edge_agent.cameras.telling.evidence import (
    CONTEXT_BYTES,
    LARGEST_BYTES,
    finding,
    make_evidence,
    state,
)
from edge_agent.cameras.telling.moments import Best, Budget, Glimpse, Moments, glimpse
from edge_agent.custody.custody import Custody, Original, original_of

ORIGINAL_QUALITY = 92


@dataclass(frozen=True, slots=True)
class _Due:
    """A picture that is still to be taken."""

    observation_id: str
    tracks: frozenset[int]
    """Who it is about."""
    not_before_s: float


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture that is chosen and named, but not made yet: what is told need not wait for it."""

    evidence_id: str
    make: Callable[[], Evidence]


@dataclass(slots=True)
class Showing:
    """One camera's pictures."""

    who: Identity
    pipeline: Pipeline
    custody: Custody
    budget: Budget = field(init=False)
    moments: Moments = field(init=False)
    originals: list[Original] = field(default_factory=list, init=False)
    """For the vault; whoever runs the camera takes them away."""
    _due: dict[Case, _Due] = field(default_factory=dict, init=False)
    _after_s: float = field(init=False)

    def __post_init__(self) -> None:
        settings = self.pipeline.settings.evidence
        self.budget = Budget(settings.pictures_per_hour)
        scene = self.pipeline.scene
        rules = [zone.persistence or scene.persistence for zone in scene.zones]
        rules += [scene.off_hours for zone in scene.zones if zone.off_hours]
        reach_s = max(rule.window_s for rule in rules)
        self.moments = Moments(self.pipeline.episodes, reach_s)
        self._after_s = settings.after_s

    def look(self, look: Look, is_open: Callable[[Case], bool]) -> None:
        """Take in a look."""
        self.moments.take(look, is_open)

    def opened(self, change: Opened, observation_id: str, at_s: float) -> list[Shot]:
        """What shows an episode that begins: before, if it is known, and best. Where the rule
        asked for two looks, the first of them is what was before."""
        case, tracks = change.case, frozenset(head.track for head in change.subjects)
        self._due[case] = _Due(observation_id, tracks, at_s + self._after_s)
        best = self.moments.best(case)
        if best is None:
            return []
        shots: list[Shot] = []
        before = self.moments.before(min(at_s - change.tally.span_s, best.look.frame.seen_s))
        first = self.moments.first(case)
        if change.confirmed_after_s and first is not None:
            before, tracks = first, first.doubted(case)
        if before is not None and self.budget.allows(at_s, context=True):
            shots.append(self._glimpsed(PictureRole.BEFORE, observation_id, before, tracks, case))
        if self.budget.allows(at_s, context=False):
            shots.append(self._best(observation_id, best, case))
        return shots

    def due(self, look: Look) -> list[tuple[Case, Shot]]:
        """The pictures after the beginning that this look may be."""
        ready = [case for case, due in self._due.items() if look.frame.seen_s >= due.not_before_s]
        return [(case, shot) for case in ready for shot in self._after(case, look)]

    def closed(self, case: Case, look: Look | None) -> list[Shot]:
        """An episode ends: a picture that was still due is this look, or is never taken."""
        if look is None:
            self._due.pop(case, None)
            return []
        return self._after(case, look)

    def turned(
        self, turn: Turn, observation_id: str, frame: Frame | None, at_s: float
    ) -> list[Shot]:
        """What shows a camera that cannot see; of one that is gone, the last that was seen."""
        if frame is None:
            return []
        shots: list[Shot] = []
        before = None if turn.now is Sight.OFFLINE else self.moments.before(turn.since_s)
        if before is not None and self.budget.allows(at_s, context=True):
            shots.append(self._blind(PictureRole.BEFORE, observation_id, before.picture, before.at))
        if self.budget.allows(at_s, context=False):
            shots.append(
                self._blind(PictureRole.BEST, observation_id, frame.picture, frame.grabbed_at)
            )
        return shots

    def take_originals(self) -> list[Original]:
        """The originals since the last call."""
        taken, self.originals = self.originals, []
        return taken

    def figures(self) -> dict[str, float]:
        """Numbers for the camera's status."""
        return {
            "pictures": float(self.budget.sent),
            "pictures_withheld": float(self.budget.withheld),
        }

    def _after(self, case: Case, look: Look) -> list[Shot]:
        due = self._due.pop(case, None)
        if due is None or not self.budget.allows(look.frame.seen_s, context=True):
            return []
        seen = glimpse(look)
        return [self._glimpsed(PictureRole.AFTER, due.observation_id, seen, due.tracks, case)]

    def _glimpsed(
        self,
        role: PictureRole,
        observation_id: str,
        seen: Glimpse,
        tracks: frozenset[int],
        case: Case,
    ) -> Shot:
        def make() -> Evidence:
            boxes = seen.of(tracks, case)
            shown = finding(seen.picture, case.wear, boxes, seen.hidden)
            return self._make(role, observation_id, shown, boxes, seen.at)

        return Shot(self._name(observation_id, role), make)

    def _best(self, observation_id: str, best: Best, case: Case) -> Shot:
        def make() -> Evidence:
            frame = best.look.frame
            boxes = [head.box for head in best.subjects]
            shown = finding(frame.picture, case.wear, boxes, best.look.hidden)
            original = self._original(observation_id, frame)
            return self._make(
                PictureRole.BEST, observation_id, shown, boxes, frame.grabbed_at, original
            )

        return Shot(self._name(observation_id, PictureRole.BEST), make)

    def _blind(
        self, role: PictureRole, observation_id: str, picture: Picture, at: datetime
    ) -> Shot:
        return Shot(
            self._name(observation_id, role),
            lambda: self._make(role, observation_id, state(picture), (), at),
        )

    def _make(
        self,
        role: PictureRole,
        observation_id: str,
        shown: Picture,
        boxes: Sequence[Box],
        at: datetime,
        original_sha256: str = "",
    ) -> Evidence:
        made = make_evidence(
            shown,
            boxes,
            evidence_id=self._name(observation_id, role),
            observation_id=observation_id,
            captured_at=at,
            role=role,
            most_bytes=LARGEST_BYTES if role is PictureRole.BEST else CONTEXT_BYTES,
            original_sha256=original_sha256,
        )
        return self.custody.sign(self.who, made)

    def _original(self, observation_id: str, frame: Frame) -> str:
        """Put the unblurred picture aside for the vault, if there is one; its SHA-256 or empty."""
        if self.custody.vault is None:
            return ""
        content = encode_jpeg(frame.picture, ORIGINAL_QUALITY)
        height, width = frame.picture.shape[:2]
        evidence_id = self._name(observation_id, PictureRole.BEST)
        original = original_of(
            self.who, evidence_id, observation_id, frame.grabbed_at, content, (width, height)
        )
        self.originals.append(original)
        return original.about.sha256

    def _name(self, observation_id: str, role: PictureRole) -> str:
        """The same picture has the same id whenever a clip is played."""
        name = f"{self.who.source}/{observation_id}"
        if role is not PictureRole.BEST:
            name += f"/{role.value}"
        return uuid.uuid5(uuid.NAMESPACE_URL, name).hex
