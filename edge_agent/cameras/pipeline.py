"""One camera's road from a frame to what must be told: no threads, no clock, no input or output.

`take` is given frames, `idle` is told that none has come; both return what has changed. A clip that
is played again gives the same answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.events import Box
from edge_agent.cameras import honesty
from edge_agent.cameras.attributes import Answer, decide, read_attributes
from edge_agent.cameras.detect import detect
from edge_agent.cameras.episodes import Closed, Episodes, Head, Opened
from edge_agent.cameras.frames import Frame
from edge_agent.cameras.honesty import Sight, Turn, Watch
from edge_agent.cameras.inference import Model
from edge_agent.cameras.motion import MotionGate
from edge_agent.cameras.pictures import small_grey
from edge_agent.cameras.scene import Scene, Wear
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.track import Tracked, Tracker

HEAD = "head"
HIDE_FLOOR = 0.1
"""A head this doubtful is hidden in evidence, though it is not judged."""

Change = Opened | Closed | Turn


@dataclass(frozen=True, slots=True)
class Models:
    """What every camera of a site shares."""

    detector: Model
    classifier: Model


@dataclass(frozen=True, slots=True)
class Look:
    """One analysed frame: what was seen in it."""

    frame: Frame
    boxes: tuple[Box, ...]
    """Everything above its threshold, heads with attributes."""
    hidden: tuple[Box, ...]
    """All heads, the doubtful ones too."""
    heads: tuple[Head, ...]
    """The heads that stand in a zone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one frame led to."""

    look: Look | None
    """None if the frame was not analysed."""
    changes: tuple[Change, ...]
    frame: Frame


@dataclass(slots=True)
class Pipeline:
    """One camera. Frames come in order, from one thread."""

    settings: CameraSettings
    scene: Scene
    models: Models
    started_s: float
    watch: Watch = field(init=False)
    gate: MotionGate = field(init=False)
    tracker: Tracker = field(init=False)
    episodes: Episodes = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.settings.honesty, self.started_s)
        self.gate = MotionGate(self.settings.looks_per_s, self.settings.look_every_s)
        self.tracker = Tracker()
        self.episodes = Episodes(self.scene.persistence)

    def take(self, frame: Frame) -> Outcome:
        """Take in a frame."""
        small = small_grey(frame.picture)
        turn = self.watch.frame(honesty.measure(frame.picture, small), frame.seen_s)
        changes: list[Change] = [turn] if turn else []
        look = None
        if self.watch.trusted:
            if self.gate.opens(small, frame.seen_s, self.tracker.somebody):
                look = self.look(frame)
                changes += self.episodes.look(look.heads, frame.seen_s)
        elif self.watch.sight not in (Sight.LIVE, Sight.BLURRED):
            changes += self.episodes.cannot_see(frame.seen_s)
        return Outcome(look, tuple(changes), frame)

    def idle(self, at_s: float) -> list[Change]:
        """No frame has come up to `at_s`."""
        turn = self.watch.idle(at_s)
        changes: list[Change] = [turn] if turn else []
        if self.watch.sight is Sight.OFFLINE:
            changes += self.episodes.cannot_see(at_s)
        return changes

    def look(self, frame: Frame) -> Look:
        """Detect, read attributes, follow, find the zone."""
        seen = detect(self.models.detector, frame.picture, floor=HIDE_FLOOR)
        height, width = frame.picture.shape[:2]
        least = self.models.detector.manifest.thresholds
        told = [box for box in seen if box.confidence >= least[box.label].yes]
        judged = [
            box for box in told if box.label == HEAD and not self.scene.ignores(box, width, height)
        ]
        judged = read_attributes(self.models.classifier, frame.picture, judged)
        followed = self.tracker.follow(judged, frame.seen_s)
        rest = [box for box in told if box.label != HEAD]
        return Look(
            frame,
            boxes=(*judged, *rest),
            hidden=tuple(box for box in seen if box.label == HEAD),
            heads=tuple(self._in_zones(followed, width, height)),
        )

    def _in_zones(self, followed: Sequence[Tracked], width: int, height: int) -> list[Head]:
        heads = []
        for tracked in followed:
            zone = self.scene.zone_of(tracked.box, width, height)
            if zone is None:
                continue
            read = {wear: self._answer(wear, tracked.box.attributes) for wear in zone.required}
            heads.append(
                Head(
                    tracked.track,
                    tracked.box,
                    zone,
                    answers={wear: answer for wear, (answer, _) in read.items()},
                    confidences={wear: confidence for wear, (_, confidence) in read.items()},
                )
            )
        return heads

    def _answer(self, wear: Wear, attributes: dict[str, float] | None) -> tuple[Answer, float]:
        """Is it worn, and how sure is that. A mask worn wrongly is not worn."""
        thresholds = self.models.classifier.manifest.thresholds
        if attributes is None or wear.value not in attributes:
            return Answer.UNKNOWN, 0.0
        probability = attributes[wear.value]
        answer = decide(probability, thresholds[wear.value])
        wrong = attributes.get("mask_wrong") if wear is Wear.MASK else None
        if wrong is not None and answer is Answer.YES:
            is_wrong = decide(wrong, thresholds["mask_wrong"]) is Answer.YES
            answer, probability = (Answer.NO, 1 - wrong) if is_wrong else (answer, probability)
        return answer, probability if answer is Answer.YES else 1 - probability
