"""Draws what the pipeline saw and decided into a picture, for people at the command line."""

import cv2
import numpy as np

from contracts.events import Box
from edge_agent.cameras.attributes import Answer
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.pipeline import HEAD, Look
from edge_agent.cameras.scene import Scene

_FONT = cv2.FONT_HERSHEY_SIMPLEX
GOOD, BAD, OPEN, AREA = (80, 180, 60), (50, 50, 230), (160, 160, 160), (200, 140, 40)
_MARK = {Answer.YES: "+", Answer.NO: "-", Answer.UNKNOWN: "?"}


def draw(
    picture: Picture, scene: Scene, look: Look | None, sight: Sight, running: list[str]
) -> Picture:
    """The picture with zones, boxes, answers, the camera's sight and the open observations."""
    shown = np.array(picture)
    height, width = shown.shape[:2]
    polygons = [zone.polygon for zone in scene.zones] + [mask.polygon for mask in scene.masks]
    for polygon in polygons:
        points = np.array([(x * width, y * height) for x, y in polygon], np.int32)
        cv2.polylines(shown, [points], True, AREA, 1, cv2.LINE_AA)
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
        cv2.putText(shown, line, (10, 24 + 22 * row), _FONT, 0.6, BAD, 2, cv2.LINE_AA)
    return shown


def _box(shown: Picture, box: Box, colour: tuple[int, int, int], text: str) -> None:
    corner, other = (round(box.x0), round(box.y0)), (round(box.x1), round(box.y1))
    cv2.rectangle(shown, corner, other, colour, 2)
    place = (corner[0], max(14, corner[1] - 6))
    cv2.putText(shown, text, place, _FONT, 0.5, colour, 1, cv2.LINE_AA)


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
