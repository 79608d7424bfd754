"""Follows heads from look to look by overlap, so that votes belong to one person."""

from dataclasses import dataclass, field

from contracts.events import Box
from edge_agent.cameras.boxes import corners, overlaps, pair

LEAST_OVERLAP = 0.2
REACH = 0.35
"""A head may have moved: boxes are compared after growing by this share of their sides."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A head and whose it is."""

    track: int
    box: Box


@dataclass(slots=True)
class Tracker:
    """Numbers heads. Forgets one that was not seen for `forget_s`."""

    forget_s: float = 1.5
    _next: int = field(default=1, init=False)
    _known: dict[int, tuple[Box, float]] = field(default_factory=dict, init=False)

    def follow(self, heads: list[Box], seen_s: float) -> list[Tracked]:
        """The heads of one look, each with its track's number."""
        self._known = {
            track: (box, at)
            for track, (box, at) in self._known.items()
            if seen_s - at <= self.forget_s
        }
        tracks = list(self._known)
        table = overlaps(
            corners([_grown(self._known[track][0]) for track in tracks]),
            corners([_grown(head) for head in heads]),
        )
        whose = {column: tracks[row] for row, column in pair(table, LEAST_OVERLAP)}
        followed = []
        for index, head in enumerate(heads):
            track = whose.get(index)
            if track is None:
                track, self._next = self._next, self._next + 1
            self._known[track] = (head, seen_s)
            followed.append(Tracked(track, head))
        return followed

    @property
    def somebody(self) -> bool:
        """True while at least one head is followed."""
        return bool(self._known)


def _grown(box: Box) -> Box:
    aside, above = REACH * (box.x1 - box.x0), REACH * (box.y1 - box.y0)
    return Box(
        box.label, box.x0 - aside, box.y0 - above, box.x1 + aside, box.y1 + above, box.confidence
    )
