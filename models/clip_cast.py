"""A cast of photographed people for golden clips, cut out of labelled photographs.

Only of those that training leaves out. A photograph shows one person of known dress, and nobody
else whom an eye found; it is cut to head and shoulders with soft edges, so that it moves through
the drawn kitchen as a figure. A head whose crown the photograph cuts off plays no part where hats
are judged, with one or without; a mask worn wrongly none where masks are.
"""

from collections.abc import Iterable
from functools import cache

import cv2
import numpy as np

from edge_agent.cameras.rule.scene import Persistence, Wear, Zone
from edge_agent.simulation.drawn_cast import two_rooms
from edge_agent.simulation.players import Figure
from edge_agent.simulation.scripts import Chance
from models.truth import UNKNOWN, Label, Photo, TruthError

LEAST_HEAD_PX = 44.0
AROUND = (0.75, 0.45, 0.75, 1.6)
"""How much is cut around a head: left, above, right, below, in shares of its sides."""
FEATHER = 0.1


class PhotoCast:
    """People of known hat work where a hat is asked for, people of known mask where a mask is:
    few photographs are labelled for both."""

    def __init__(self, photos: Iterable[Photo], rule: Persistence | None = None) -> None:
        self.scene = two_rooms((Wear.MASK,), (Wear.HAT,), rule or Persistence())
        self._by_dress: dict[tuple[str, bool], list[tuple[Photo, Label]]] = {}
        for photo in photos:
            heads = [label for label in photo.labels if label.kind == "head"]
            if len(heads) != 1 or heads[0].box[3] - heads[0].box[1] < LEAST_HEAD_PX:
                continue
            for wear in ("hat", "mask"):
                worn = getattr(heads[0], wear)
                if worn != UNKNOWN and _shows(heads[0], wear):
                    found = self._by_dress.setdefault((wear, worn == 1), [])
                    found.append((photo, heads[0]))
        for key in [(wear, worn) for wear in ("hat", "mask") for worn in (True, False)]:
            if not self._by_dress.get(key):
                raise TruthError(f"no photograph of one person with {key[0]} = {int(key[1])}")

    def figure(self, chance: Chance, zone: Zone, missing: frozenset[str]) -> Figure:
        """Somebody who wears all that `zone` requires but for `missing`."""
        wear = zone.required[0].value
        found = self._by_dress[(wear, wear not in missing)]
        return _cut_out(*found[int(chance.integers(len(found)))])

    def figures(self, wear: Wear, worn: bool) -> list[Figure]:
        """Everybody who is known to wear it, or not to."""
        return [_cut_out(*one) for one in self._by_dress[(wear.value, worn)]]

    def changes(self, chance: Chance, zone: Zone, missing: str) -> tuple[Figure, Figure]:
        """Two people: nobody is photographed both ways."""
        dressed = self.figure(chance, zone, frozenset())
        return dressed, self.figure(chance, zone, frozenset({missing}))


def _shows(head: Label, wear: str) -> bool:
    """Can it be seen on this head, and is it plainly worn or plainly not?"""
    return not head.is_cut if wear == "hat" else head.mask_wrong != 1


@cache
def _cut_out(photo: Photo, label: Label) -> Figure:
    picture = cv2.imread(str(photo.path), cv2.IMREAD_COLOR)
    if picture is None:
        raise TruthError(f"{photo.path}: not a readable picture")
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = label.box
    across, down = x1 - x0, y1 - y0
    left, top = max(0, int(x0 - AROUND[0] * across)), max(0, int(y0 - AROUND[1] * down))
    right = min(width, int(x1 + AROUND[2] * across))
    bottom = min(height, int(y1 + AROUND[3] * down))
    part = picture[top:bottom, left:right].astype(np.float32)
    opaque = np.ones(part.shape[:2], np.float32)
    rim = max(2, int(FEATHER * min(part.shape[:2])))
    ramp = np.linspace(0.05, 1, rim, dtype=np.float32)
    opaque[:rim] *= ramp[:, None]
    opaque[:, :rim] *= ramp[None, :]
    opaque[:, -rim:] *= ramp[None, ::-1]
    weighed = np.concatenate([part * opaque[:, :, None], opaque[:, :, None]], axis=2)
    head = (x0 - left, y0 - top, x1 - left, y1 - top)
    wears = {
        wear: getattr(label, wear) == 1
        for wear in ("hat", "mask")
        if getattr(label, wear) != UNKNOWN
    }
    return Figure(np.asarray(weighed, np.float32), head, wears)
