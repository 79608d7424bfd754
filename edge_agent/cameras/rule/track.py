"""Follows heads from look to look, so that votes belong to one person.

Each head has a path with a velocity that fades while it is not seen. Heads that the detector is
sure of are given to paths first, then the doubtful ones to paths that are left: they carry a path
through steam or a bowed head, but begin none and are judged in nothing. A path outlives some
seconds behind a pillar or another person. The order of the heads in a look is irrelevant.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from contracts.events import Box
from edge_agent.cameras.eyes.boxes import Floats, corners, overlaps, pair

REACH = 1.15
"""A head lies within so many of its own widths and heights of where it is expected …"""
REACH_PER_S = 0.5
"""… and so many more for each second in which it was not seen …"""
MOST_REACH = 2.4
"""… up to so many."""
DOUBTFUL_REACH = 0.7
"""The same for a head that the detector doubts."""
LIKE_SIZE = 1.5
"""A person's head does not grow or shrink more than this between two looks."""
STALE_COST = 0.06
"""A path that was not seen for a second yields to a fresher one by so much of its likeness."""
FADE_S = 1.5
"""The velocity of a path that is not seen fades within such a time."""
PLACE_GAIN, VELOCITY_GAIN = 0.85, 0.45
"""How much a new sight corrects the expected place and the velocity (alpha-beta filter)."""
SAME = 0.5
"""A doubtful head that overlaps a sure one so much is the same head."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A head and whose it is."""

    track: int
    box: Box


@dataclass(slots=True)
class _Path:
    """Where a head is and goes, in pixels and pixels a second."""

    x: float
    y: float
    wide: float
    high: float
    seen_s: float
    sure_s: float
    vx: float = 0.0
    vy: float = 0.0
    sights: int = 1

    def expected(self, at_s: float) -> tuple[float, float]:
        """Its centre at `at_s`."""
        for_s = FADE_S * (1 - math.exp(-(at_s - self.seen_s) / FADE_S))
        return self.x + self.vx * for_s, self.y + self.vy * for_s

    def see(self, box: Box, at_s: float, *, sure: bool) -> None:
        """It was seen at `at_s`."""
        x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        was_x, was_y = self.expected(at_s)
        passed_s = max(0.05, at_s - self.seen_s)
        gain = 0.8 if self.sights == 1 else VELOCITY_GAIN
        self.vx += gain * (x - was_x) / passed_s
        self.vy += gain * (y - was_y) / passed_s
        self.x = was_x + PLACE_GAIN * (x - was_x)
        self.y = was_y + PLACE_GAIN * (y - was_y)
        self.wide += 0.6 * (box.x1 - box.x0 - self.wide)
        self.high += 0.6 * (box.y1 - box.y0 - self.high)
        self.seen_s = at_s
        self.sights += 1
        if sure:
            self.sure_s = at_s


@dataclass(slots=True)
class Tracker:
    """Numbers heads. Forgets one that was not seen for `forget_s`, or only doubtfully for twice
    as long."""

    forget_s: float = 3.0
    _next: int = field(default=1, init=False)
    _paths: dict[int, _Path] = field(default_factory=dict, init=False)

    def follow(
        self, heads: Sequence[Box], seen_s: float, doubtful: Sequence[Box] = ()
    ) -> list[Tracked]:
        """The heads of one look, each with its track's number; `doubtful` only carry paths."""
        self._paths = {
            track: path
            for track, path in self._paths.items()
            if seen_s - path.seen_s <= self.forget_s and seen_s - path.sure_s <= 2 * self.forget_s
        }
        places = sorted(range(len(heads)), key=lambda index: _order(heads[index]))
        ordered = [heads[index] for index in places]
        whose: dict[int, int] = {}
        for track, column in self._given(list(self._paths), ordered, seen_s, REACH):
            self._paths[track].see(ordered[column], seen_s, sure=True)
            whose[places[column]] = track
        self._carry(heads, doubtful, seen_s)
        for index in places:
            if index not in whose:
                whose[index] = self._begin(heads[index], seen_s)
        return [Tracked(whose[index], head) for index, head in enumerate(heads)]

    @property
    def tracks(self) -> frozenset[int]:
        """The numbers of all that are followed, seen at the moment or not."""
        return frozenset(self._paths)

    def _begin(self, head: Box, seen_s: float) -> int:
        track, self._next = self._next, self._next + 1
        x, y = (head.x0 + head.x1) / 2, (head.y0 + head.y1) / 2
        self._paths[track] = _Path(x, y, head.x1 - head.x0, head.y1 - head.y0, seen_s, seen_s)
        return track

    def _carry(self, heads: Sequence[Box], doubtful: Sequence[Box], seen_s: float) -> None:
        """Give doubtful heads to the paths that this look has not seen."""
        lost = [track for track, path in self._paths.items() if path.seen_s < seen_s]
        if not lost or not doubtful:
            return
        others = sorted(doubtful, key=_order)
        if heads:
            table = overlaps(corners(others), corners(list(heads)))
            others = [
                box for box, row in zip(others, table, strict=True) if float(row.max()) < SAME
            ]
        for track, column in self._given(lost, others, seen_s, DOUBTFUL_REACH):
            self._paths[track].see(others[column], seen_s, sure=False)

    def _given(
        self, tracks: list[int], boxes: Sequence[Box], seen_s: float, reach: float
    ) -> list[tuple[int, int]]:
        """Which track has which box, the likeliest first."""
        if not tracks or not boxes:
            return []
        paths = [self._paths[track] for track in tracks]
        expected = np.array([path.expected(seen_s) for path in paths], np.float32)
        sizes = np.array([(path.wide, path.high) for path in paths], np.float32)
        unseen_s = np.array([seen_s - path.seen_s for path in paths], np.float32)
        found = corners(list(boxes))
        distance, alike = _distances(expected, sizes, found)
        limit = np.minimum(MOST_REACH, reach + REACH_PER_S * np.maximum(0, unseen_s - 0.3))
        likeness = 1 / (1 + distance) - STALE_COST * unseen_s[:, None]
        likeness[(distance > limit[:, None]) | ~alike] = -1
        return [(tracks[row], column) for row, column in pair(likeness, 1e-6)]


def _distances(
    expected: Floats, sizes: Floats, found: Floats
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """How far each box lies from each expected place, in head sizes; and whether sizes agree."""
    centres = (found[:, :2] + found[:, 2:]) / 2
    seen_sizes = found[:, 2:] - found[:, :2]
    mean = np.maximum(1.0, (sizes[:, None] + seen_sizes[None]) / 2)
    distance = np.hypot(*np.moveaxis((centres[None] - expected[:, None]) / mean, 2, 0))
    ratio = np.sqrt(
        np.prod(seen_sizes, axis=1)[None] / np.maximum(1.0, np.prod(sizes, axis=1)[:, None])
    )
    return distance, (ratio < LIKE_SIZE) & (ratio > 1 / LIKE_SIZE)


def _order(box: Box) -> tuple[float, ...]:
    return box.x0, box.y0, box.x1, box.y1, box.confidence
