"""A candidate model beside the one that decides, on the same frames; differences are counted.

The candidate decides nothing. Both are judged by rules that start at the same moment, on stretches
of looks, so that even on a share of the time its episodes can be set against the current ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from contracts.events import Box
from edge_agent.cameras.eyes.attributes import Answer
from edge_agent.cameras.eyes.boxes import corners, overlaps, pair
from edge_agent.cameras.rule.episodes import Episodes, Head, Opened
from edge_agent.cameras.rule.looking import HEAD, Look, Looker, Models
from edge_agent.cameras.rule.scene import Scene

SAME_HEAD = 0.4
"""Overlap above which both mean the same head."""


@dataclass(slots=True)
class Counts:
    """What was compared so far, and the differences."""

    looks: int = 0
    heads_both: int = 0
    heads_only_current: int = 0
    heads_only_candidate: int = 0
    answers_same: int = 0
    answers_flipped: int = 0
    """Worn to one, not worn to the other."""
    answers_only_current: int = 0
    """One can tell, the other cannot."""
    answers_only_candidate: int = 0
    episodes_both: int = 0
    episodes_only_current: int = 0
    episodes_only_candidate: int = 0

    def figures(self) -> dict[str, float]:
        """Named for the device's status."""
        return {f"shadow_{one.name}": float(getattr(self, one.name)) for one in fields(self)}


@dataclass(frozen=True, slots=True)
class Difference:
    """One look in which they disagree, or an episode that only one of them opened."""

    kind: str
    """A name of `Counts`: ``heads_only_current``, ``answers_flipped``, …"""
    at: str
    """When the frame was taken, ISO 8601."""
    zone: str = ""
    wear: str = ""
    box: tuple[float, float, float, float] | None = None
    current: float | None = None
    """Confidence of the current model …"""
    candidate: float | None = None
    """… and of the candidate."""


@dataclass(slots=True)
class Shadow:
    """Compares looks of one camera, in order, from one thread."""

    scene: Scene
    candidate: Models
    counts: Counts = field(default_factory=Counts, init=False)
    _looker: Looker = field(init=False)
    _rules: tuple[Episodes, Episodes] = field(init=False)
    _opened: tuple[set[tuple[str, str]], set[tuple[str, str]]] = field(init=False)
    _at: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._looker = Looker(self.scene, self.candidate)
        self._rules = (self._rule(), self._rule())
        self._opened = (set(), set())

    def _rule(self) -> Episodes:
        return Episodes(self.scene.persistence, self.scene.off_hours)

    def compare(self, current: Look) -> list[Difference]:
        """Let the candidate look at the same frame; returns what differs."""
        other = self._looker.look(current.frame)
        self.counts.looks += 1
        self._at = current.frame.grabbed_at.isoformat(timespec="milliseconds")
        found = self._heads(current, other)
        for rule, opened, look in zip(self._rules, self._opened, (current, other), strict=True):
            for change in rule.look(look.heads, current.frame.seen_s):
                if isinstance(change, Opened):
                    wear = change.case.wear
                    opened.add((change.case.zone.name, wear.value if wear else "present"))
        return found

    def end_stretch(self) -> list[Difference]:
        """A stretch of looks is over: its episodes are compared, and both begin anew."""
        current, candidate = self._opened
        self.counts.episodes_both += len(current & candidate)
        self.counts.episodes_only_current += len(current - candidate)
        self.counts.episodes_only_candidate += len(candidate - current)
        found = [
            Difference(f"episodes_only_{whose}", self._at, zone, wear)
            for whose, cases in (
                ("current", current - candidate),
                ("candidate", candidate - current),
            )
            for zone, wear in sorted(cases)
        ]
        self._begin()
        return found

    def _heads(self, current: Look, candidate: Look) -> list[Difference]:
        ours, theirs = _heads_of(current), _heads_of(candidate)
        pairs = pair(overlaps(corners(ours), corners(theirs)), SAME_HEAD)
        self.counts.heads_both += len(pairs)
        found = []
        for whose, boxes, taken in (
            ("current", ours, {row for row, _ in pairs}),
            ("candidate", theirs, {column for _, column in pairs}),
        ):
            for index, box in enumerate(boxes):
                if index in taken:
                    continue
                name = f"heads_only_{whose}"
                setattr(self.counts, name, getattr(self.counts, name) + 1)
                is_ours = whose == "current"
                found.append(
                    Difference(
                        name,
                        self._at,
                        box=_place(box),
                        current=box.confidence if is_ours else None,
                        candidate=None if is_ours else box.confidence,
                    )
                )
        judged = ({id(one.box): one for one in current.heads},
                  {id(one.box): one for one in candidate.heads})  # fmt: skip
        for row, column in pairs:
            one, other = judged[0].get(id(ours[row])), judged[1].get(id(theirs[column]))
            if one is not None and other is not None and one.zone == other.zone:
                found += self._answers(one, other)
        return found

    def _answers(self, one: Head, other: Head) -> list[Difference]:
        found = []
        for wear, answer in one.answers.items():
            theirs = other.answers.get(wear, Answer.UNKNOWN)
            name = _difference(answer, theirs)
            setattr(self.counts, name, getattr(self.counts, name) + 1)
            if name == "answers_flipped":
                found.append(
                    Difference(
                        name,
                        self._at,
                        one.zone.name,
                        wear.value,
                        _place(one.box),
                        one.confidences.get(wear),
                        other.confidences.get(wear),
                    )
                )
        return found


def _difference(current: Answer, candidate: Answer) -> str:
    if current is candidate:
        return "answers_same"
    if not current.is_clear and not candidate.is_clear:
        return "answers_same"
    if not candidate.is_clear:
        return "answers_only_current"
    if not current.is_clear:
        return "answers_only_candidate"
    return "answers_flipped"


def _heads_of(look: Look) -> list[Box]:
    return [box for box in look.boxes if box.label == HEAD]


def _place(box: Box) -> tuple[float, float, float, float]:
    return (round(box.x0, 1), round(box.y0, 1), round(box.x1, 1), round(box.y1, 1))


def rendered(figures: Mapping[str, float]) -> str:
    """The counts as lines of text."""
    return "\n".join(
        f"{name.removeprefix('shadow_'):24}{value:.0f}" for name, value in figures.items()
    )
