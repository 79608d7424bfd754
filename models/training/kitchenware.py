"""Round things of a kitchen, drawn: bowls, cups, pans, plates, lids, lanterns and balls, seen from
anywhere. None of them is a head."""

import cv2
import numpy as np
import numpy.typing as npt

from models.training.augment import Picture, Random
from models.truth import Box

Colour = npt.NDArray[np.float32]

FABRICS = (
    (245, 245, 245), (200, 205, 210), (150, 155, 160), (40, 40, 42), (30, 45, 90), (60, 60, 190),
    (40, 150, 220), (120, 90, 50), (90, 130, 80), (25, 40, 60),
)  # fmt: skip
"""Porcelain, steel, iron, wood, enamel (BGR)."""
SMALLEST_PX, LARGEST_SHARE = 12.0, 0.4


def add_kitchenware(picture: Picture, heads: list[Box], random: Random) -> Picture:
    """One to five such things where no head is; the size stays."""
    height, width = picture.shape[:2]
    result = picture.copy()
    for _ in range(int(random.integers(1, 6))):
        largest = LARGEST_SHARE * min(width, height)
        side = float(np.exp(random.uniform(np.log(SMALLEST_PX), np.log(largest))))
        flat = float(random.uniform(0.45, 1.0))
        x, y = random.uniform(0, width), random.uniform(0, height)
        reach = 0.75 * side
        if any(
            box[0] < x + reach and box[2] > x - reach and box[1] < y + reach and box[3] > y - reach
            for box in heads
        ):
            continue
        result = _draw(result, (x, y), (side / 2, side / 2 * flat), random)
    return result


def _draw(
    picture: Picture, centre: tuple[float, float], axes: tuple[float, float], random: Random
) -> Picture:
    """One thing, softly edged, lit from one side."""
    reach = int(1.7 * max(axes)) + 4
    left, top = max(0, int(centre[0]) - reach), max(0, int(centre[1]) - reach)
    part = picture[top : int(centre[1]) + reach, left : int(centre[0]) + reach]
    if part.size == 0:
        return picture
    middle = (centre[0] - left, centre[1] - top)
    turn = float(random.uniform(-30, 30))
    body = _shade(part.shape[:2], _colour(random), random)
    shown = part.astype(np.float32)
    if random.random() < 0.4:  # a handle or a tail of shadow
        angle = random.uniform(0, 2 * np.pi)
        end = (
            middle[0] + np.cos(angle) * axes[0] * random.uniform(1.3, 1.7),
            middle[1] + np.sin(angle) * axes[1] * random.uniform(1.3, 1.7),
        )
        stroke = np.zeros(part.shape[:2], dtype=np.float32)
        points = [tuple(round(value) for value in point) for point in (middle, end)]
        cv2.line(stroke, points[0], points[1], 1.0, max(2, int(axes[0] * 0.25)), cv2.LINE_AA)
        shown = _blend(shown, body * 0.9, stroke)
    shown = _blend(shown, body, _ellipse(part.shape[:2], middle, axes, turn))
    for share in sorted(random.uniform(0.15, 0.95, int(random.integers(0, 4))), reverse=True):
        inner = (axes[0] * float(share), axes[1] * float(share))
        fill = _shade(part.shape[:2], _colour(random), random)
        shown = _blend(shown, fill, _ellipse(part.shape[:2], middle, inner, turn))
    if random.random() < 0.5:  # a glint
        spot = (
            middle[0] + axes[0] * random.uniform(-0.5, 0.5),
            middle[1] + axes[1] * random.uniform(-0.5, 0.5),
        )
        glint = _ellipse(part.shape[:2], spot, (axes[0] * 0.15, axes[1] * 0.1), turn)
        shown = _blend(shown, np.full_like(shown, 250.0), glint)
    result = picture.copy()
    result[top : top + part.shape[0], left : left + part.shape[1]] = np.clip(shown, 0, 255)
    return result


def _ellipse(
    shape: tuple[int, ...], centre: tuple[float, float], axes: tuple[float, float], turn: float
) -> Colour:
    mask = np.zeros(shape, dtype=np.float32)
    cv2.ellipse(mask, (centre, (2 * max(1.0, axes[0]), 2 * max(1.0, axes[1])), turn), 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.7), dtype=np.float32)


def _shade(shape: tuple[int, ...], colour: Colour, random: Random) -> Colour:
    """The colour with light from a side and a surface's unevenness."""
    light = cv2.resize(random.uniform(0.55, 1.15, (2, 2)).astype(np.float32), shape[::-1])
    grain = cv2.resize(random.uniform(0.85, 1.1, (7, 7)).astype(np.float32), shape[::-1])
    return np.asarray(colour * (light * grain)[..., None], dtype=np.float32)


def _blend(under: Colour, over: Colour, share: Colour) -> Colour:
    return np.asarray(under * (1 - share[..., None]) + over * share[..., None], dtype=np.float32)


def _colour(random: Random) -> Colour:
    chosen = np.array(FABRICS[int(random.integers(len(FABRICS)))], dtype=np.float32)
    return np.asarray(np.clip(chosen + random.uniform(-30, 30, 3), 0, 255), dtype=np.float32)
