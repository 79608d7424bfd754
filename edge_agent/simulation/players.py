"""People in a clip: cut-out figures that walk, stand, vanish behind things, change their dress.

Where a figure's head is, and what it wears, is known at every moment: that is a clip's truth.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A cut-out person."""

    pixels: Floats
    """BGR and opacity, [height, width, 4], the colours weighed by it (0..255 and 0..1)."""
    head: tuple[float, float, float, float]
    """left, top, right, bottom in its pixels."""
    wears: Mapping[str, bool]
    """``hat``, ``mask``; what is not known is not in it."""

    @property
    def head_height(self) -> float:
        """In its own pixels."""
        return self.head[3] - self.head[1]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the middle of a head is, in shares of the picture, at a time."""

    at_s: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Player:
    """A figure on its way. It is seen from its first place's time to its last one's."""

    figure: Figure
    path: tuple[Place, ...]
    head_share: float
    """Height of the head in shares of the picture's height."""
    hidden: tuple[tuple[float, float], ...] = ()
    """Stretches of time in which something stands before it."""
    restless: float = 1.0
    """How much it bobs, sways and nods; 0 for a poster."""
    seed: int = 0

    def place(self, at_s: float) -> tuple[float, float] | None:
        """Middle of the head, in shares of the picture; None if it is not there."""
        path = self.path
        if not path or not path[0].at_s <= at_s < path[-1].at_s:
            return None
        if any(begin <= at_s < end for begin, end in self.hidden):
            return None
        for one, other in pairwise(path):
            if at_s < other.at_s:
                share = (at_s - one.at_s) / max(1e-9, other.at_s - one.at_s)
                x = one.x + (other.x - one.x) * share
                y = one.y + (other.y - one.y) * share
                sway = 0.006 * self.restless * math.sin(1.3 * at_s + self.seed)
                bob = 0.006 * self.restless * math.sin(2.9 * at_s + 2 * self.seed)
                return x + sway, y + bob
        return None


@dataclass(slots=True)
class Stage:
    """A room in which players stand behind a counter."""

    room: Pixels
    counter: Pixels
    """Covers the picture's lower end."""
    _scaled: dict[tuple[int, int], tuple[Floats, float]] = field(default_factory=dict, init=False)

    def picture(self, players: Sequence[Player], at_s: float) -> Pixels:
        """The room with its players at a time; the later of them stand before the earlier."""
        shown = self.room.copy()
        for player in players:
            place = player.place(at_s)
            if place is not None:
                self._stand(shown, player, place, at_s)
        shown[-self.counter.shape[0] :] = self.counter
        return shown

    def _stand(
        self, shown: Pixels, player: Player, place: tuple[float, float], at_s: float
    ) -> None:
        height, width = shown.shape[:2]
        sprite, scale = self._at_size(player.figure, player.head_share * height)
        left, top, right, bottom = (side * scale for side in player.figure.head)
        nod = 3.0 * player.restless * math.sin(0.9 * at_s + player.seed)
        near = 1 + 0.03 * player.restless * math.sin(0.5 * at_s + player.seed)
        middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
        # Turned and brought nearer around the head's middle, which goes to its place.
        turn = cv2.getRotationMatrix2D((middle_x, middle_y), nod, near)
        wide, high = sprite.shape[1], sprite.shape[0]
        x, y = place[0] * width, place[1] * height
        spare = 0.1 * max(wide, high)
        x0, y0 = max(0, int(x - middle_x - spare)), max(0, int(y - middle_y - spare))
        x1 = min(width, int(x - middle_x + wide + spare))
        y1 = min(shown.shape[0] - self.counter.shape[0], int(y - middle_y + high + spare))
        if x1 <= x0 or y1 <= y0:
            return
        turn[0, 2] += x - x0 - middle_x
        turn[1, 2] += y - y0 - middle_y
        part = cv2.warpAffine(sprite, turn, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        under = shown[y0:y1, x0:x1]
        under[:] = (part[:, :, :3] + under * (1 - part[:, :, 3:])).astype(np.uint8)

    def _at_size(self, figure: Figure, head_px: float) -> tuple[Floats, float]:
        key = (id(figure), round(head_px))
        if key not in self._scaled:
            scale = head_px / figure.head_height
            size = (
                max(2, round(figure.pixels.shape[1] * scale)),
                max(2, round(figure.pixels.shape[0] * scale)),
            )
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            little = np.clip(cv2.resize(figure.pixels, size, interpolation=how), 0, 255)
            little[:, :, 3] = np.clip(little[:, :, 3], 0, 1)
            self._scaled[key] = (np.asarray(little, np.float32), scale)
        return self._scaled[key]
