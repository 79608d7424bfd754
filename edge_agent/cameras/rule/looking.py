"""One look at a frame: find heads, read what they wear, follow them, say where each belongs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.events import Box
from edge_agent.cameras.eyes.attributes import Answer, both_read, decide, read_attributes
from edge_agent.cameras.eyes.boxes import headless
from edge_agent.cameras.eyes.detect import detect
from edge_agent.cameras.eyes.inference import Model
from edge_agent.cameras.frames import Frame
from edge_agent.cameras.pictures import is_colourless
from edge_agent.cameras.rule.episodes import Episodes, Head
from edge_agent.cameras.rule.explain import Explanation, Why, furthest
from edge_agent.cameras.rule.scene import Scene, Wear, Zone
from edge_agent.cameras.rule.still import Life, Movements
from edge_agent.cameras.rule.track import Tracked, Tracker

HEAD = "head"
PERSON = "person"
HIDE_FLOOR = 0.1
"""A head this doubtful is hidden in evidence, though it is not judged."""


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
    """All heads, the doubtful ones too, and where a person's head must be that was not found."""
    heads: tuple[Head, ...]
    """The heads that stand in a zone and count there."""
    explanations: tuple[Explanation, ...] = ()
    """Why each head above its threshold counts or does not."""


@dataclass(slots=True)
class Looker:
    """A camera's looks. They come in order, from one thread."""

    scene: Scene
    models: Models
    tracker: Tracker = field(default_factory=Tracker, init=False)
    movements: Movements = field(init=False)
    _lives: dict[int, Life] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.movements = Movements(self.scene.stillness)

    @property
    def somebody(self) -> bool:
        """True while anybody is followed who is not taken for a picture."""
        pictured = {track for track, life in self._lives.items() if life.picture}
        return bool(self.tracker.tracks - pictured)

    def look(self, frame: Frame) -> Look:
        """Detect, read attributes, follow, find the zone. Masked and unplaced heads are explained
        at once, the others have their standing after the vote: see `explained`."""
        seen = detect(self.models.detector, frame.picture, floor=HIDE_FLOOR)
        height, width = frame.picture.shape[:2]
        least = self.models.detector.manifest.thresholds
        told = [box for box in seen if box.confidence >= least[box.label].yes]
        rest = [box for box in told if box.label != HEAD]
        judged: list[Box] = []
        why: list[Explanation] = []
        for box in told:
            if box.label == HEAD:
                mask = self.scene.mask_over(box, width, height)
                if mask is None:
                    judged.append(box)
                else:
                    why.append(Explanation(None, box, Why.MASKED, mask.name))
        judged = read_attributes(self.models.classifier, frame.picture, judged)
        doubtful = [
            box
            for box in seen
            if box.label == HEAD
            and box.confidence < least[HEAD].yes
            and not self.scene.ignores(box, width, height)
        ]
        followed = self.tracker.follow(judged, frame.seen_s, doubtful)
        self._lives = self.movements.look(
            frame.picture, followed, self.tracker.tracks, frame.seen_s
        )
        heads: list[Head] = []
        for tracked in followed:
            placed = self._placed(tracked, _foot(tracked.box, rest), frame)
            if isinstance(placed, Head):
                heads.append(placed)
            else:
                why.append(placed)
        hidden = [box for box in seen if box.label == HEAD]
        return Look(
            frame,
            boxes=(*judged, *rest),
            hidden=(*hidden, *headless([box for box in rest if box.label == PERSON], hidden)),
            heads=self._heard(heads, frame),
            explanations=tuple(why),
        )

    def _heard(self, heads: Sequence[Head], frame: Frame) -> tuple[Head, ...]:
        """A "not worn" stands only if it is still one when the mirrored head is read too, and by
        infrared light only if it is sure enough for that."""
        accused = [head for head in heads if Answer.NO in head.answers.values()]
        boxes = [head.box for head in accused]
        again = read_attributes(self.models.classifier, frame.picture, boxes, mirrored=True)
        second = dict(zip((head.track for head in accused), again, strict=True))
        by_infrared = bool(accused) and is_colourless(frame.picture)
        return tuple(
            self._confirmed(head, second[head.track], by_infrared=by_infrared)
            if head.track in second
            else head
            for head in heads
        )

    def _confirmed(self, head: Head, mirrored: Box, *, by_infrared: bool) -> Head:
        readings = (head.box.attributes, both_read(head.box, mirrored))
        answers = {
            wear: Answer.UNSURE
            if answer is Answer.NO
            and any(
                self._answer(wear, one, by_infrared=by_infrared)[0] is not Answer.NO
                for one in readings
            )
            else answer
            for wear, answer in head.answers.items()
        }
        return replace(head, answers=answers)

    def _placed(
        self, tracked: Tracked, foot: tuple[float, float] | None, frame: Frame
    ) -> Head | Explanation:
        """The head in its zone, or why it does not count."""
        height, width = frame.picture.shape[:2]
        zone = self.scene.area_of(tracked.box, width, height, foot)
        life = self._lives[tracked.track]
        if zone is None:
            why = Why.OUTSIDE
        elif not zone.judges(tracked.box, height):
            why = Why.TOO_SMALL
        elif life.picture:
            why = Why.STILL
        elif self.scene.stillness.life_first and not life.moved:
            why = Why.NOT_MOVED
        else:
            return self._head(tracked, zone, frame.grabbed_at)
        place = zone.name if zone else ""
        return Explanation(tracked.track, tracked.box, why, place, still_s=life.still_s)

    def explained(self, look: Look, episodes: Episodes) -> tuple[Explanation, ...]:
        """The explanations of the last look, once its votes are cast."""
        counted = []
        for head in look.heads:
            standings = episodes.standings(head)
            still_s = self._lives[head.track].still_s
            counted.append(
                Explanation(
                    head.track, head.box, furthest(standings), head.zone.name, standings, still_s
                )
            )
        return (*counted, *look.explanations)

    def _head(self, tracked: Tracked, zone: Zone, at: datetime) -> Head:
        required = zone.required_at(at, self.scene.schedule)
        alone = zone.off_hours and not self.scene.schedule.is_open(at)
        read = {wear: self._answer(wear, tracked.box.attributes) for wear in required}
        return Head(
            tracked.track,
            tracked.box,
            zone,
            answers={wear: answer for wear, (answer, _) in read.items()},
            confidences={wear: confidence for wear, (_, confidence) in read.items()},
            asked=(*required, None) if alone else required,
        )

    def _answer(
        self, wear: Wear, attributes: dict[str, float] | None, *, by_infrared: bool = False
    ) -> tuple[Answer, float]:
        """Is it worn, and how sure is that. A mask worn wrongly is not worn; what the model left
        out it cannot tell."""
        thresholds = self.models.classifier.manifest.thresholds
        probability = None if attributes is None else attributes.get(wear.value)
        if attributes is None or probability is None:
            return Answer.UNKNOWN, 0.0
        answer = decide(probability, thresholds[wear.value], by_infrared=by_infrared)
        wrong = attributes.get("mask_wrong") if wear is Wear.MASK else None
        if wrong is not None and answer is not Answer.NO:
            is_wrong = decide(wrong, thresholds["mask_wrong"]) is Answer.YES
            answer, probability = (Answer.NO, 1 - wrong) if is_wrong else (answer, probability)
        return answer, probability if answer is Answer.YES else 1 - probability


def _foot(head: Box, others: Sequence[Box]) -> tuple[float, float] | None:
    """Where the person around a head stands, in pixels; None if no such person was found."""
    x, y = (head.x0 + head.x1) / 2, (head.y0 + head.y1) / 2
    around = [
        box
        for box in others
        if box.label == PERSON
        and box.x0 <= x <= box.x1
        and box.y0 - (head.y1 - head.y0) / 2 <= y <= (box.y0 + box.y1) / 2
    ]
    if not around:
        return None
    nearest = min(around, key=lambda box: (abs(box.y0 - head.y0), box.x0, box.x1))
    return (nearest.x0 + nearest.x1) / 2, nearest.y1
