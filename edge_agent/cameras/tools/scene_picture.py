"""A scene as a picture: zones, masks, smallest heads and names over the view."""

from pathlib import Path

import cv2
import numpy as np

from edge_agent.cameras import words
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.pictures import shrink
from edge_agent.cameras.rule.scene import Scene, Zone
from edge_agent.cameras.tools.drawing import AREA, GOOD, draw_areas
from edge_agent.cameras.tools.lettering import write

LONGEST_SIDE = 1280
PLAIN = 90


def scene_picture(scene: Scene, view: Picture | None) -> Picture:
    """The scene drawn over `view`, or over grey where there is none; each zone shows how small a
    head may be there."""
    if view is None:
        view = np.full((720, 1280, 3), PLAIN, np.uint8)
    shown = np.array(shrink(view, LONGEST_SIDE))
    draw_areas(shown, scene)
    for zone in scene.zones:
        _measure(shown, zone)
    return shown


def _measure(shown: Picture, zone: Zone) -> None:
    height, width = shown.shape[:2]
    left = round(min(x for x, _ in zone.polygon) * width) + 10
    top = round(min(y for _, y in zone.polygon) * height)
    asked = "、".join(words.WEAR[wear][0] for wear in zone.required) or "–"
    write(shown, f"{zone.kind.value}: {asked}", (left - 4, top + 42), AREA, 14)
    side = round(zone.min_head * height)
    if side >= 4:
        corner = (left, top + 54)
        cv2.rectangle(shown, corner, (left + round(0.8 * side), top + 54 + side), GOOD, 2)
        label = f"≥ {zone.min_head:g} ({side} px)"
        write(shown, label, (left + side + 6, top + 54 + side // 2 + 6), GOOD, 14)


def save_picture(path: Path, picture: Picture) -> None:
    """Write a picture file, its kind by its ending. Raises OSError."""
    done, content = cv2.imencode(path.suffix, picture)
    if not done:
        raise OSError(f"{path}: a picture of {picture.shape} cannot be encoded")
    path.write_bytes(content.tobytes())
