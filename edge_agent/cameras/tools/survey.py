"""Proposes a scene from a short watch: zones where people were, masks over what never moved, sizes.

Sans-IO: it is given looks and says what it makes of them. A proposal is a beginning that a person
corrects; nothing is judged by it before it has been read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.events import Box
from contracts.words import ZoneKind
from edge_agent.cameras.eyes.boxes import corners, overlaps
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.pictures import grey, sharpness
from edge_agent.cameras.rule.scene import Mask, Scene, Wear, Zone

LEAST_SEEN = 3
"""A place must have shown a head in so many looks."""
STILL_SHARE = 0.6
"""A head that is in the same place in this share of all looks is proposed as a mask …"""
STILL_LOOKS = 10
"""… if there were so many looks at least."""
STILL_OVERLAP = 0.6
MARGIN = 0.6
"""A zone reaches this share of a head beyond the heads that were seen."""
SMALLER = 0.6
"""The smallest head that counts, as a share of the smallest usual one that was seen."""
GRID = 40
"""Zones are proposed on a grid of so many cells a side."""

Rectangle = tuple[float, float, float, float]
"""left, top, right, bottom in shares of the picture."""


@dataclass(slots=True)
class Survey:
    """What a short watch has seen."""

    width: int
    height: int
    looks: int = field(default=0, init=False)
    best: Picture | None = field(default=None, init=False)
    """The sharpest picture with the fewest people in it: the reference frame."""
    _worth: tuple[int, float] = field(default=(-10_000, 0.0), init=False)
    _heads: list[Box] = field(default_factory=list, init=False)

    def look(self, picture: Picture, heads: Sequence[Box]) -> None:
        """Take in one look at the camera's picture and the heads in it."""
        self.looks += 1
        self._heads.extend(heads)
        worth = (-len(heads), sharpness(grey(picture)))
        if self.best is None or worth > self._worth:
            self.best, self._worth = picture, worth

    @property
    def heads(self) -> int:
        """Heads seen in all looks together."""
        return len(self._heads)

    def still(self) -> list[Rectangle]:
        """Places where a head hung in the same place nearly all the time: posters, mannequins."""
        if self.looks < STILL_LOOKS:
            return []
        left, found = list(self._heads), []
        while left:
            table = overlaps(corners([left[0]]), corners(left))[0]
            same = [box for box, share in zip(left, table, strict=True) if share >= STILL_OVERLAP]
            if len(same) >= STILL_SHARE * self.looks:
                found.append(self._around(same, 0.15))
            left = [box for box, share in zip(left, table, strict=True) if share < STILL_OVERLAP]
        return found

    def places(self) -> list[Rectangle]:
        """Where heads came and went, gathered into areas; empty if too few were seen."""
        still = self.still()
        moving = [box for box in self._heads if not any(self._within(box, one) for one in still)]
        if len(moving) < LEAST_SEEN:
            return []
        groups: list[list[Box]] = []
        for box in moving:
            near = [group for group in groups if self._touches(box, group)]
            fresh = [box, *(one for group in near for one in group)]
            groups = [*(group for group in groups if group not in near), fresh]
        kept = [group for group in groups if len(group) >= LEAST_SEEN]
        return sorted(self._around(group, MARGIN) for group in kept)

    def least_head(self) -> float:
        """The smallest head that should count, as a share of the picture's height; 0: none seen."""
        still = self.still()
        sizes = sorted(
            box.y1 - box.y0
            for box in self._heads
            if not any(self._within(box, one) for one in still)
        )
        if len(sizes) < LEAST_SEEN:
            return 0.0
        usual = sizes[len(sizes) // 10]
        return max(0.02, int(100 * SMALLER * usual / self.height) / 100)

    def scene(self, title: str, required: tuple[Wear, ...], kind: ZoneKind) -> Scene:
        """The proposal; without people the whole picture is one zone."""
        places = self.places() or [(0.0, 0.0, 1.0, 1.0)]
        least = self.least_head()
        zones = tuple(
            Zone(f"区域{number}", kind, polygon(place), required, min_head=least)
            for number, place in enumerate(places, 1)
        )
        masks = tuple(
            Mask(f"静止{number}", polygon(place)) for number, place in enumerate(self.still(), 1)
        )
        return Scene(version=1, title=title, zones=zones, masks=masks)

    def _around(self, boxes: Sequence[Box], margin: float) -> Rectangle:
        wide = max(box.x1 - box.x0 for box in boxes) * margin / self.width
        high = max(box.y1 - box.y0 for box in boxes) * margin / self.height
        return (
            _on_grid(min(box.x0 for box in boxes) / self.width - wide, down=True),
            _on_grid(min(box.y0 for box in boxes) / self.height - high, down=True),
            _on_grid(max(box.x1 for box in boxes) / self.width + wide, down=False),
            _on_grid(max(box.y1 for box in boxes) / self.height + high, down=False),
        )

    def _within(self, box: Box, place: Rectangle) -> bool:
        x, y = (box.x0 + box.x1) / (2 * self.width), (box.y0 + box.y1) / (2 * self.height)
        return place[0] <= x <= place[2] and place[1] <= y <= place[3]

    def _touches(self, box: Box, group: Sequence[Box]) -> bool:
        """True if a head is within about a head and a half of one of the group."""
        reach = 1.5 * max(box.x1 - box.x0, box.y1 - box.y0)
        x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        return any(
            abs(x - (one.x0 + one.x1) / 2) <= reach + (one.x1 - one.x0) / 2
            and abs(y - (one.y0 + one.y1) / 2) <= reach + (one.y1 - one.y0) / 2
            for one in group
        )


def polygon(place: Rectangle) -> tuple[tuple[float, float], ...]:
    """A rectangle as a polygon."""
    left, top, right, bottom = place
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _on_grid(share: float, *, down: bool) -> float:
    cells = share * GRID
    whole = int(cells // 1) if down else -int(-cells // 1)
    return min(1.0, max(0.0, whole / GRID))
