"""Draws what the pipeline saw and decided into a picture, for people at the command line."""

import cv2
import numpy as np
import numpy.typing as npt

from contracts.events import Box
from edge_agent.cameras.eyes.attributes import Answer
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.pipeline import HEAD, Look
from edge_agent.cameras.rule.scene import Polygon, Scene
from edge_agent.cameras.tools.lettering import Colour, write

GOOD: Colour = (80, 180, 60)
BAD: Colour = (50, 50, 230)
OPEN: Colour = (160, 160, 160)
AREA: Colour = (220, 160, 60)
MASKED: Colour = (90, 90, 200)
_MARK = {Answer.YES: "+", Answer.NO: "-", Answer.UNSURE: "~", Answer.UNKNOWN: "?"}


def draw(
    picture: Picture, scene: Scene, look: Look | None, sight: Sight, running: list[str]
) -> Picture:
    """The picture with zones, boxes, answers, the camera's sight and the open observations."""
    shown = np.array(picture)
    draw_areas(shown, scene)
    if look is not None:
        for box in look.boxes:
            if box.label != HEAD:
                _box(shown, box, OPEN, box.label)
        placed = {id(head.box): head for head in look.heads}
        for box in look.boxes:
            head = placed.get(id(box))
            if box.label != HEAD:
                continue
            if head is None:
                _box(shown, box, OPEN, HEAD)
                continue
            said = " ".join(f"{_MARK[answer]}{wear.value}" for wear, answer in head.answers.items())
            colour = BAD if Answer.NO in head.answers.values() else GOOD
            _box(shown, box, colour, f"{head.track} {said}")
    state = "" if sight is Sight.LIVE else sight.value
    for row, line in enumerate([state, *running] if state else running):
        write(shown, line, (10, 24 + 24 * row), BAD, 18)
    return shown


def draw_areas(shown: Picture, scene: Scene) -> None:
    """Draw zones and masks with their names into `shown`; masks are hatched."""
    for zone in scene.zones:
        _area(shown, zone.polygon, AREA, zone.name)
    for mask in scene.masks:
        _hatch(shown, mask.polygon)
        _area(shown, mask.polygon, MASKED, f"× {mask.name}")


def _pixels(shown: Picture, polygon: Polygon) -> npt.NDArray[np.int32]:
    across, down = shown.shape[1] - 1, shown.shape[0] - 1
    return np.array([(round(x * across), round(y * down)) for x, y in polygon], np.int32)


def _area(shown: Picture, polygon: Polygon, colour: Colour, name: str) -> None:
    points = _pixels(shown, polygon)
    cv2.polylines(shown, [points], True, colour, 2, cv2.LINE_AA)
    left, top = points.min(axis=0)
    write(shown, name, (int(left) + 6, int(top) + 20), colour)


def _hatch(shown: Picture, polygon: Polygon) -> None:
    height, width = shown.shape[:2]
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [_pixels(shown, polygon)], 255)
    stripes = (np.add.outer(np.arange(height), np.arange(width)) % 14) < 2
    shown[(inside > 0) & stripes] = MASKED


def _box(shown: Picture, box: Box, colour: Colour, text: str) -> None:
    corner, other = (round(box.x0), round(box.y0)), (round(box.x1), round(box.y1))
    cv2.rectangle(shown, corner, other, colour, 2)
    write(shown, text, (corner[0], corner[1] - 5), colour, 14)


class Recording:
    """A video file that pictures are written into, MPEG-4 or Motion JPEG by its ending."""

    def __init__(self, path: str, fps: float, width: int, height: int) -> None:
        code = cv2.VideoWriter.fourcc(*("MJPG" if path.endswith(".avi") else "mp4v"))
        self._writer = cv2.VideoWriter(path, code, fps, (width, height))
        if not self._writer.isOpened():
            raise OSError(f"{path}: cannot be written as a video")

    def add(self, picture: Picture) -> None:
        """Append a picture of the recording's size."""
        self._writer.write(picture)

    def close(self) -> None:
        """Finish the file."""
        self._writer.release()
