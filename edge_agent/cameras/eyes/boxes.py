"""Rectangles: overlap, suppression of doubles, and which of them belong together. Pure numpy."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from contracts.events import Box

Floats = npt.NDArray[np.float32]

PERSONS_HEAD = 0.35
"""The share of a person's height, from the top, in which the head must be."""

WITHIN, LIKE_AREA = 0.85, 0.4
"""Two boxes are of the same head if so much of the smaller one lies in the larger, and it has so
much of its area."""


def corners(boxes: "list[Box] | tuple[Box, ...]") -> Floats:
    """Boxes as an array [n, 4] of x0, y0, x1, y1."""
    return np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes], dtype=np.float32).reshape(-1, 4)


def overlaps(ones: Floats, others: Floats) -> Floats:
    """Intersection over union of each of `ones` [n, 4] with each of `others` [m, 4]: [n, m]."""
    shared = _shared(ones, others)
    areas = _areas(ones)[:, None] + _areas(others)[None, :] - shared
    return np.asarray(shared / np.maximum(areas, 1e-9), dtype=np.float32)


def _shared(ones: Floats, others: Floats) -> Floats:
    low = np.maximum(ones[:, None, :2], others[None, :, :2])
    high = np.minimum(ones[:, None, 2:], others[None, :, 2:])
    return np.asarray(np.prod(np.clip(high - low, 0, None), axis=2), dtype=np.float32)


def _areas(boxes: Floats) -> Floats:
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), dtype=np.float32)


def suppress(boxes: Floats, scores: Floats, limit: float) -> list[int]:
    """Indices of the boxes that stay, best first: greedy suppression of overlaps above `limit`,
    and of doubles: boxes of which one lies almost within the other and is not much smaller, as of
    a head without its hat."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        one, others = boxes[best : best + 1], boxes[rest]
        order = rest[(overlaps(one, others)[0] <= limit) & ~doubles(one, others)[0]]
    return kept


def doubles(ones: Floats, others: Floats) -> npt.NDArray[np.bool_]:
    """Whether one of two boxes lies almost within the other, and is not much smaller: [n, m]."""
    first, second = _areas(ones)[:, None], _areas(others)[None, :]
    smaller, larger = np.minimum(first, second), np.maximum(first, second)
    within = _shared(ones, others) >= WITHIN * smaller
    return np.asarray(within & (smaller >= LIKE_AREA * larger))


def pair(table: Floats, least: float) -> list[tuple[int, int]]:
    """Pairs (row, column) with the greatest overlap first, each used once, none below `least`."""
    pairs: list[tuple[int, int]] = []
    if not table.size:
        return pairs
    left = table.copy()
    while True:
        row, column = divmod(int(np.argmax(left)), left.shape[1])
        if left[row, column] < least or left[row, column] <= 0:
            return pairs
        pairs.append((row, column))
        left[row, :] = -1
        left[:, column] = -1


def headless(persons: Sequence[Box], heads: Sequence[Box]) -> list[Box]:
    """Where the heads of persons must be whose head was not found: their upper part."""
    found = []
    for person in persons:
        bottom = person.y0 + PERSONS_HEAD * (person.y1 - person.y0)
        if not any(
            person.x0 <= (head.x0 + head.x1) / 2 <= person.x1
            and person.y0 - (head.y1 - head.y0) / 2 <= (head.y0 + head.y1) / 2 <= bottom
            for head in heads
        ):
            found.append(
                Box("head", person.x0, person.y0, person.x1, bottom, person.confidence / 2)
            )
    return found
