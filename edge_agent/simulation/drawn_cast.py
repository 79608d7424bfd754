"""A cast of drawn cooks for golden clips: the film's portrait, varied; nobody else's picture."""

from functools import cache

import cv2
import numpy as np

from contracts.words import ZoneKind
from edge_agent.cameras.rule.scene import Persistence, Scene, Wear, Zone
from edge_agent.simulation.film_cook import ABOVE, HEAD_BOX, Cook, draw_cook
from edge_agent.simulation.players import Figure
from edge_agent.simulation.scripts import Chance

SKINS = (1.0, 0.86, 0.7, 1.08)
MASKS = ((224, 205, 172), (238, 238, 238), (206, 190, 120))
_SMALLER = 0.4
"""Sprites are kept at this share of the portrait's size: heads of 71 pixels."""


def two_rooms(left: tuple[Wear, ...], right: tuple[Wear, ...], rule: Persistence) -> Scene:
    """The scene of golden clips: cold dishes on the left, the hot kitchen on the right."""
    return Scene(
        version=1,
        title="golden clips",
        zones=(
            Zone("凉菜间", ZoneKind.SPECIAL_ROOM, _area(0.0, 0.57), left, min_head=0.05),
            Zone("热厨", ZoneKind.GENERAL, _area(0.63, 1.0), right, min_head=0.05),
        ),
        persistence=rule,
    )


def _area(left: float, right: float) -> tuple[tuple[float, float], ...]:
    return ((left, 0.0), (right, 0.0), (right, 0.8), (left, 0.8))


class DrawnCast:
    """Cooks that wear hat and mask as asked for."""

    def __init__(self, rule: Persistence | None = None) -> None:
        self.scene = two_rooms((Wear.HAT, Wear.MASK), (Wear.HAT,), rule or Persistence())

    def figure(self, chance: Chance, zone: Zone, missing: frozenset[str]) -> Figure:
        """Somebody who wears all that `zone` requires but for `missing`."""
        return self._figure(_lot(chance), zone, missing)

    def changes(self, chance: Chance, zone: Zone, missing: str) -> tuple[Figure, Figure]:
        """The same person with and without `missing`."""
        lot = _lot(chance)
        without = self._figure(lot, zone, frozenset({missing}))
        return self._figure(lot, zone, frozenset()), without

    def _figure(self, lot: "Lot", zone: Zone, missing: frozenset[str]) -> Figure:
        asked = {wear.value for wear in zone.required}
        hat = "hat" not in missing if "hat" in asked else True
        return _drawn(lot, hat, "mask" in asked - missing)


Lot = tuple[int, bool, bool, int]
"""Which skin, mirrored or not, cap or toque, which mask."""


def _lot(chance: Chance) -> Lot:
    return (
        int(chance.integers(len(SKINS))),
        bool(chance.integers(2)),
        bool(chance.integers(2)),
        int(chance.integers(len(MASKS))),
    )


@cache
def _drawn(lot: Lot, hat: bool, mask: bool) -> Figure:
    skin, mirrored, cap, colour = lot
    cook = Cook(hat, mask, mirrored=mirrored, skin=SKINS[skin], cap=cap, mask_colour=MASKS[colour])
    pixels, opaque = draw_cook(cook)
    weighed = np.concatenate([pixels * opaque, opaque], axis=2).astype(np.float32)
    size = (round(weighed.shape[1] * _SMALLER), round(weighed.shape[0] * _SMALLER))
    little = np.asarray(cv2.resize(weighed, size, interpolation=cv2.INTER_AREA), np.float32)
    left, top, right, bottom = HEAD_BOX
    if mirrored:
        left, right = pixels.shape[1] - right, pixels.shape[1] - left
    head = (left, top + ABOVE, right, bottom + ABOVE)
    sides = tuple(side * _SMALLER for side in head)
    return Figure(little, (sides[0], sides[1], sides[2], sides[3]), {"hat": hat, "mask": mask})
