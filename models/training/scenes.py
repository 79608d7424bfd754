"""Training pictures for the detector: photographs put together into one canvas with their boxes,
then degraded."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.training.augment import Picture, Random, affine, degrade, move_box, tilt
from models.training.detector import LABELS
from models.training.drawn import cover_part, draw_back, draw_hat, draw_mask
from models.training.kitchenware import add_kitchenware
from models.truth import Label, Photo

PAD_VALUE = 114
BACKGROUND_SHARE, MISTAKE_SHARE = 0.15, 0.5
MASK_SHARE, HAT_SHARE = 0.3, 0.15
BACK_SHARE, COVER_SHARE, TILT_SHARE = 0.12, 0.12, 0.2
KITCHENWARE_SHARE = 0.6
HELMET_REACH = 0.3
"""A head box reaches at most this share of its height above the bare head for a hat."""

SMALLEST_PX = 7.0
"""Heads that became smaller than this are ignored, not asked for."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A canvas and what stands in it."""

    picture: Picture
    labels: tuple[Label, ...]


def letterbox(photo: Photo, size: int) -> Scene:
    """The picture at its aspect in the top left corner: the geometry of the exported model."""
    picture = read_picture(photo)
    height, width = picture.shape[:2]
    scale = min(size / width, size / height)
    matrix = np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])
    canvas = np.full((size, size, 3), PAD_VALUE, dtype=np.uint8)
    resized = cv2.resize(
        picture, (min(size, round(width * scale)), min(size, round(height * scale)))
    )
    canvas[: resized.shape[0], : resized.shape[1]] = resized
    return Scene(
        canvas, tuple(replace(label, box=move_box(label.box, matrix)) for label in photo.labels)
    )


def compose(photos: Sequence[Photo], size: int, random: Random) -> Scene:
    """One photograph over the canvas, or four in its quarters, each turned, scaled, mirrored and
    cut; then degraded."""
    canvas = np.full((size, size, 3), PAD_VALUE, dtype=np.uint8)
    labels: list[Label] = []
    if len(photos) == 1:
        labels += _place(canvas, photos[0], (0, 0, size, size), random)
    else:
        x, y = (int(random.uniform(0.35, 0.65) * size) for _ in range(2))
        quarters = ((0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size))
        for photo, quarter in zip(photos, quarters, strict=True):
            labels += _place(canvas, photo, quarter, random)
    if random.random() < KITCHENWARE_SHARE:
        heads = [label.box for label in labels if label.kind == "head"]
        canvas = add_kitchenware(canvas, heads, random)
    return Scene(degrade(canvas, random), tuple(labels))


def _place(
    canvas: Picture, photo: Photo, area: tuple[int, int, int, int], random: Random
) -> list[Label]:
    picture, labels = vary_content(read_picture(photo), photo.labels, random)
    height, width = picture.shape[:2]
    left, top, right, bottom = area
    area_width, area_height = right - left, bottom - top
    fit = min(area_width / width, area_height / height)
    scale = fit * float(np.exp(random.uniform(np.log(0.5), np.log(1.9))))
    aspect = float(random.uniform(0.88, 1.14))
    angle = draw_angle(random)
    mirror = -1.0 if random.random() < 0.5 else 1.0
    free_x = max(0.0, abs(scale * width - area_width) / 2)
    free_y = max(0.0, abs(scale * height - area_height) / 2)
    place = (
        area_width / 2 + float(random.uniform(-1, 1)) * free_x,
        area_height / 2 + float(random.uniform(-1, 1)) * free_y,
    )
    matrix = affine(angle, (mirror * scale * aspect, scale), (width / 2, height / 2), place)
    if scale < 0.6:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.35 / scale), dtype=np.uint8)
    border = int(random.choice((0, PAD_VALUE, 255)))
    if random.random() < TILT_SHARE:
        matrix = tilt(area_width, area_height, random) @ np.vstack([matrix, [0, 0, 1]])
    warp = cv2.warpAffine if matrix.shape[0] == 2 else cv2.warpPerspective
    patch = warp(picture, matrix, (area_width, area_height), borderValue=(border, border, border))
    canvas[top:bottom, left:right] = patch
    moved = []
    for label in labels:
        clipped = _clip(move_box(label.box, matrix), area_width, area_height)
        if clipped is None:
            continue
        (x0, y0, x1, y1), seen = clipped
        is_small = min(x1 - x0, y1 - y0) < SMALLEST_PX
        ignored = (
            label.is_ignored
            or seen < 0.4
            or is_small
            or (label.kind == "person" and abs(angle) > 30)
        )
        moved.append(
            replace(label, box=(x0 + left, y0 + top, x1 + left, y1 + top), is_ignored=ignored)
        )
    return moved


def draw_angle(random: Random) -> float:
    """Degrees: mostly upright; sometimes bowed or lying; sometimes any, as from straight above."""
    kind = random.random()
    if kind < 0.82:
        return float(random.normal(0, 8))
    return float(random.uniform(-75, 75) if kind < 0.93 else random.uniform(-180, 180))


def vary_content(
    picture: Picture, labels: tuple[Label, ...], random: Random
) -> tuple[Picture, tuple[Label, ...]]:
    """The photograph as it is, or with drawn hats and masks, or a part of it without people."""
    mistakes = [label for label in labels if label.kind not in LABELS]
    labels = tuple(label for label in labels if label.kind in LABELS)
    if random.random() < (MISTAKE_SHARE if mistakes else BACKGROUND_SHARE):
        if mistakes:
            part = cut_mistake(picture, mistakes, labels, random)
        else:
            part = find_background(picture, labels, random)
        if part is not None:
            return part, ()
    dressed = []
    for label in labels:
        x0, y0, x1, y1 = label.box
        if label.kind == "head" and not label.is_ignored and min(x1 - x0, y1 - y0) >= 16:
            if label.mask == 0 and random.random() < MASK_SHARE:
                picture = draw_mask(picture, label.box, random)
            if label.hat == 0 and y0 > 0 and random.random() < HAT_SHARE:
                picture, hat_top = draw_hat(picture, label.box, random)
                y0 = max(0.0, min(y0, max(hat_top, y0 - HELMET_REACH * (y1 - y0))))
                label = replace(label, box=(x0, y0, x1, y1))
            if random.random() < BACK_SHARE:
                picture = draw_back(picture, label.box, random)
            if random.random() < COVER_SHARE:
                picture = cover_part(picture, label.box, random)
        dressed.append(label)
    return picture, tuple(dressed)


def cut_mistake(
    picture: Picture, mistakes: list[Label], labels: tuple[Label, ...], random: Random
) -> Picture | None:
    """The surroundings of something once mistaken for a head; None if somebody is in them."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = mistakes[int(random.integers(len(mistakes)))].box
    for _ in range(6):
        reach = float(random.uniform(0.1, 1.5)) * max(x1 - x0, y1 - y0)
        left, top = int(max(0.0, x0 - reach)), int(max(0.0, y0 - reach))
        right, bottom = int(min(width, x1 + reach)), int(min(height, y1 + reach))
        if min(right - left, bottom - top) >= 8 and not _touches(
            (left, top, right, bottom), labels
        ):
            return picture[top:bottom, left:right]
    return None


def find_background(picture: Picture, labels: tuple[Label, ...], random: Random) -> Picture | None:
    """A random part that touches no labelled head or person; None if a few tries find none."""
    height, width = picture.shape[:2]
    for _ in range(8):
        share_x, share_y = random.uniform(0.2, 0.6, 2)
        x0, y0 = random.uniform(0, 1 - share_x) * width, random.uniform(0, 1 - share_y) * height
        x1, y1 = x0 + share_x * width, y0 + share_y * height
        if not _touches((x0, y0, x1, y1), labels):
            return picture[int(y0) : max(int(y0) + 8, int(y1)), int(x0) : max(int(x0) + 8, int(x1))]
    return None


def _touches(area: tuple[float, float, float, float], labels: tuple[Label, ...]) -> bool:
    x0, y0, x1, y1 = area
    boxes = (label.box for label in labels)
    return any(box[0] < x1 and box[2] > x0 and box[1] < y1 and box[3] > y0 for box in boxes)


def _clip(
    box: tuple[float, float, float, float], width: int, height: int
) -> tuple[tuple[float, float, float, float], float] | None:
    x0, y0, x1, y1 = box
    kept = (max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1))
    if kept[2] - kept[0] < 2 or kept[3] - kept[1] < 2:
        return None
    seen = (kept[2] - kept[0]) * (kept[3] - kept[1]) / max(1e-6, (x1 - x0) * (y1 - y0))
    return kept, seen


def read_picture(photo: Photo) -> npt.NDArray[np.uint8]:
    """BGR pixels, kept in memory, not to be written into. Raises ValueError naming the file."""
    return _read(photo.path)


@functools.lru_cache(maxsize=8192)
def _read(path: Path) -> npt.NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path}: not a readable picture")
    pixels = np.asarray(picture, dtype=np.uint8)
    pixels.flags.writeable = False
    return pixels
