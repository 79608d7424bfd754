"""Head crops for the attribute network: the exported model's geometry, and its random variants for
training."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from models.training.attributes import HEIGHT, WIDTH
from models.training.augment import Picture, Random, degrade
from models.training.drawn import (
    draw_back,
    draw_decoy,
    draw_hat,
    draw_mask,
    draw_mask_on_face,
)
from models.training.scenes import read_picture
from models.truth import UNKNOWN, Box, Label, Photo

CROP_MARGIN = 0.2
HAT_SHARE, BACK_SHARE = 0.15, 0.1
MASK_SHARE, NOSE_SHARE, CHIN_SHARE = 0.2, 0.12, 0.08
FAR_SHARE, FAR_PX = 0.55, (30.0, 100.0)
"""How many heads are seen from afar, and how many pixels high their crops are then."""
INFRARED_SHARE = 0.3
"""Heads in infrared light; three in ten crops, since there hats and masks look most like hair and
chins."""
ASIDE_SHARE, ASIDE = 0.3, 0.18
"""How many crops are seen askew, and by how much of the size their corners move."""
NO_FACE = {"face": 0, "mask": UNKNOWN, "mask_wrong": UNKNOWN, "points": ()}


@dataclass(frozen=True, slots=True)
class Head:
    """One labelled head: a region of a photograph that holds its crop with room to spare."""

    picture: Picture
    label: Label
    source: str


def cut_heads(photo: Photo, smallest_px: float = 14.0) -> list[Head]:
    """The heads of a photograph, at most about 320 px large, boxes relative to the region cut."""
    picture = read_picture(photo)
    heads = []
    for label in photo.labels:
        x0, y0, x1, y1 = label.box
        width, height = x1 - x0, y1 - y0
        if label.kind != "head" or label.is_ignored or min(width, height) < smallest_px:
            continue
        left, right = max(0, int(x0 - width)), min(picture.shape[1], int(x1 + width) + 1)
        top, bottom = max(0, int(y0 - 1.3 * height)), min(picture.shape[0], int(y1 + height) + 1)
        region = picture[top:bottom, left:right]
        scale = min(1.0, 160.0 / height)
        if scale < 1:
            region = np.asarray(
                cv2.resize(region, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
                dtype=np.uint8,
            )
        box = ((x0 - left) * scale, (y0 - top) * scale, (x1 - left) * scale, (y1 - top) * scale)
        points = tuple(((x - left) * scale, (y - top) * scale) for x, y in label.points)
        heads.append(Head(region.copy(), replace(label, box=box, points=points), photo.source))
    return heads


def crop(picture: Picture, box: Box, margin: float = CROP_MARGIN) -> Picture:
    """The box grown by `margin` of its size on each side, clipped to the picture, stretched to the
    input size."""
    x0, y0, x1, y1 = grow(picture, box, margin)
    region = picture[y0:y1, x0:x1]
    shrinks = region.shape[0] > HEIGHT
    return np.asarray(
        cv2.resize(
            region, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        ),
        dtype=np.uint8,
    )


def grow(picture: Picture, box: Box, margin: float) -> tuple[int, int, int, int]:
    """The grown and clipped box in whole pixels, never empty."""
    x0, y0, x1, y1 = box
    aside, above = margin * (x1 - x0), margin * (y1 - y0)
    height, width = picture.shape[:2]
    left = int(np.clip(round(x0 - aside), 0, width - 1))
    top = int(np.clip(round(y0 - above), 0, height - 1))
    right = int(np.clip(round(x1 + aside), left + 1, width))
    bottom = int(np.clip(round(y1 + above), top + 1, height))
    return left, top, right, bottom


def vary(head: Head, random: Random) -> tuple[Picture, Label]:
    """(crop, what it shows) for training: sometimes dressed or turned away, the box shaken, turned,
    mirrored and degraded."""
    picture, label = dress(head.picture, head.label, random)
    x0, y0, x1, y1 = label.box
    height = y1 - y0
    shake_x, shake_y = random.normal(0, 0.05, 2) * (x1 - x0, height)
    scale_x, scale_y = np.exp(random.normal(0, 0.09, 2))
    half_x, half_y = (x1 - x0) / 2 * scale_x, (y1 - y0) / 2 * scale_y
    centre_x, centre_y = (x0 + x1) / 2 + shake_x, (y0 + y1) / 2 + shake_y
    shaken = (centre_x - half_x, centre_y - half_y, centre_x + half_x, centre_y + half_y)
    size = seen_size(random)
    seen = _warp(picture, grow(picture, shaken, CROP_MARGIN), size, random)
    return _enlarge(degrade(seen, random, INFRARED_SHARE)), label


def seen_size(random: Random) -> tuple[int, int]:
    """Width and height of a crop in the camera's own pixels, where light, lens and coder do their
    work: a small head's are enlarged together with it."""
    if random.random() >= FAR_SHARE:
        return WIDTH, HEIGHT
    height = float(np.exp(random.uniform(*np.log(FAR_PX))))
    return round(height * WIDTH / HEIGHT), round(height)


def _enlarge(picture: Picture) -> Picture:
    return np.asarray(
        cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), dtype=np.uint8
    )


def dress(picture: Picture, label: Label, random: Random) -> tuple[Picture, Label]:
    """The head as it is, or with a drawn hat, a mask worn well or wrongly, something that is
    neither, or from behind."""
    x0, y0, x1, y1 = box = label.box
    height = y1 - y0
    if label.hat == 0 and y0 > 0.02 * height and random.random() < HAT_SHARE:
        picture, _ = draw_hat(picture, box, random)
        y0 -= height * float(random.uniform(0.0, 0.3))
        label = replace(label, hat=1, box=(x0, y0, x1, y1))
    if random.random() < BACK_SHARE and label.mask != 1:
        return draw_back(picture, box, random), replace(label, **NO_FACE)
    if label.mask != 0:
        return picture, label
    kind = random.random()
    has_chin = y1 + 0.05 * height < picture.shape[0]
    if not label.points:
        if kind < MASK_SHARE and label.face != 0:
            return draw_mask(picture, box, random), replace(label, mask=1, mask_wrong=0)
    elif kind < MASK_SHARE:
        picture = draw_mask_on_face(picture, list(label.points), random, random.uniform(0.2, 0.7))
        return picture, replace(label, mask=1, mask_wrong=0)
    elif kind < MASK_SHARE + NOSE_SHARE and has_chin:
        picture = draw_mask_on_face(picture, list(label.points), random, random.uniform(1.2, 1.8))
        return picture, replace(label, mask=1, mask_wrong=1)
    elif kind < MASK_SHARE + NOSE_SHARE + CHIN_SHARE and has_chin:
        picture = draw_mask_on_face(picture, list(label.points), random, random.uniform(2.2, 3.2))
        return picture, replace(label, mask=UNKNOWN, mask_wrong=1)
    if random.random() < 0.15:
        picture = draw_decoy(picture, box, random)
    return picture, label


def _warp(
    picture: Picture, area: tuple[int, int, int, int], size: tuple[int, int], random: Random
) -> Picture:
    """The area at that size: a little turned, every other time mirrored, at times seen
    askew."""
    left, top, right, bottom = area
    centre = ((left + right) / 2, (top + bottom) / 2)
    turn = np.vstack([cv2.getRotationMatrix2D(centre, float(random.normal(0, 7)), 1.0), [0, 0, 1]])
    scale_x, scale_y = size[0] / (right - left), size[1] / (bottom - top)
    if random.random() < 0.5:
        fit = np.array([[-scale_x, 0, right * scale_x], [0, scale_y, -top * scale_y], [0, 0, 1]])
    else:
        fit = np.array([[scale_x, 0, -left * scale_x], [0, scale_y, -top * scale_y], [0, 0, 1]])
    whole = fit @ turn
    if random.random() < ASIDE_SHARE:
        whole = _askew(size, random) @ whole
    if min(scale_x, scale_y) < 0.7:
        picture = np.asarray(
            cv2.GaussianBlur(picture, (0, 0), 0.4 / min(scale_x, scale_y)), dtype=np.uint8
        )
    return np.asarray(
        cv2.warpPerspective(picture, whole, size, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8
    )


def _askew(size: tuple[int, int], random: Random) -> npt.NDArray[np.float64]:
    """3 x 3 matrix of a camera that hangs high or aside: one edge of the picture draws together,
    the opposite one spreads."""
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]], dtype=np.float32)
    moved = corners.copy()
    across = int(random.integers(2))
    moved[:, across] *= 1 + random.uniform(-ASIDE, ASIDE) * 2 * corners[:, 1 - across]
    box = np.array(size, dtype=np.float32)
    return np.asarray(
        cv2.getPerspectiveTransform((corners + 0.5) * box, (moved + 0.5) * box), dtype=np.float64
    )
