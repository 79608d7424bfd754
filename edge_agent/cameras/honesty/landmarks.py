"""A view's landmarks: blocks with edges, found again whatever the light.

Gradients are compared by their direction, block by block, with a little room to move, so that
light, exposure and infrared change little, and people hide only the blocks they stand before.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.cameras.honesty.measures import BAND
from edge_agent.cameras.pictures import Grey

Floats = npt.NDArray[np.float32]

VIEW = (640, 360)
"""Width and height at which views are kept and compared."""

_ROWS, _COLUMNS = 8, 16
_HIGH, _WIDE = 17, 20
"""Blocks of the 320x180 picture without its bands."""
_ROOM = 3
"""Pixels of 320 by which a landmark may have moved and still counts: 1 % of the width."""
_EDGE = 3.0
"""Grey levels a pixel, root mean square: a block with less has no landmark."""
_LIKE = 0.6
"""From this likeness of the gradients a block is found again; chance gives 0.3."""
LEAST_LANDMARKS = 12
"""A view with fewer cannot be known again."""

_FINE, _COARSE = (0.8, 1.6), (2.5, 5.0)
"""Blurs of VIEW, in pixels, whose difference is fine and coarse structure."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """A view as it is compared."""

    levels: Grey
    """640x360."""
    gradients: Floats
    """[180, 320, 2], of the picture at 320x180."""
    edges: npt.NDArray[np.bool_]
    """[8, 16]: the blocks that have a landmark."""
    fine: Floats
    """[8, 16]: fine structure in shares of the coarse."""

    @property
    def count(self) -> int:
        """How many landmarks there are."""
        return int(np.count_nonzero(self.edges))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What has become of a view."""

    found: float
    """Share of the landmarks that are where they were."""
    structured: float
    """Share of the landmarks' blocks that show any edges now."""
    fineness: float
    """How fine the found landmarks are drawn, in shares of what they were; 1 if none is found."""


def landmarks(levels: Grey) -> Landmarks:
    """The landmarks of a view of 640x360 grey levels."""
    small = cv2.resize(levels, (320, 180), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small.astype(np.float32), (0, 0), 1.0)
    slopes = [cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)]
    gradients = np.asarray(np.dstack(slopes) / 8, np.float32)
    strength = np.sqrt(_by_block(np.asarray((gradients**2).sum(axis=2), np.float32)))
    return Landmarks(levels, gradients, np.asarray(strength >= _EDGE), _fineness(levels))


def compare(view: Landmarks, now: Landmarks) -> Comparison:
    """Find the landmarks of `view` again in `now`."""
    room = cv2.copyMakeBorder(now.gradients, *(_ROOM,) * 4, cv2.BORDER_REPLICATE)
    found = np.zeros_like(view.edges)
    for row, column in zip(*np.nonzero(view.edges), strict=True):
        top, left = BAND + _HIGH * int(row), _WIDE * int(column)
        block = view.gradients[top : top + _HIGH, left : left + _WIDE]
        around = room[top : top + _HIGH + 2 * _ROOM, left : left + _WIDE + 2 * _ROOM]
        likeness = cv2.matchTemplate(around, block, cv2.TM_CCORR_NORMED)
        found[row, column] = float(likeness.max()) >= _LIKE
    count = max(1, view.count)
    fineness = float(np.median(now.fine[found] / view.fine[found])) if found.any() else 1.0
    return Comparison(
        found=float(np.count_nonzero(found)) / count,
        structured=float(np.count_nonzero(view.edges & now.edges)) / count,
        fineness=fineness,
    )


def displacement(view: Landmarks, now: Landmarks) -> float | None:
    """How far the view has gone, in shares of its width (the corner that went farthest); None if
    it is not found again. Knows shifts, rotation and zoom."""
    orb = cv2.ORB.create(nfeatures=600, fastThreshold=10)
    (points, marks), (points_now, marks_now) = (
        orb.detectAndCompute(one.levels, _middle(one.levels)) for one in (view, now)
    )
    if marks is None or marks_now is None or min(len(marks), len(marks_now)) < _LEAST_INLIERS:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(marks, marks_now)
    pairs = [pair for pair in pairs if pair.distance <= 50]
    if len(pairs) < _LEAST_INLIERS:
        return None
    before = np.array([points[pair.queryIdx].pt for pair in pairs], np.float32)
    after = np.array([points_now[pair.trainIdx].pt for pair in pairs], np.float32)
    cv2.setRNGSeed(1)
    matrix, inliers = cv2.estimateAffinePartial2D(before, after, ransacReprojThreshold=4.0)
    if matrix is None or int(inliers.sum()) < _LEAST_INLIERS:
        return None
    width, height = VIEW
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    gone = corners @ matrix[:, :2].T + matrix[:, 2] - corners
    return float(np.sqrt((gone**2).sum(axis=1)).max()) / width


_LEAST_INLIERS = 14


def _middle(levels: Grey) -> Grey:
    """A mask without the bands in which cameras write."""
    mask = np.zeros_like(levels)
    mask[2 * BAND : -2 * BAND] = 255
    return mask


def _fineness(levels: Grey) -> Floats:
    picture = levels.astype(np.float32)

    def part(sigmas: tuple[float, float]) -> Floats:
        sharp, soft = (cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in sigmas)
        squared = np.asarray((sharp - soft) ** 2, np.float32)
        little = cv2.resize(squared, (320, 180), interpolation=cv2.INTER_AREA)
        return _by_block(np.asarray(little, np.float32))

    return np.asarray(part(_FINE) / (part(_COARSE) + 1.0), np.float32)


def _by_block(values: Floats) -> Floats:
    """Means of the blocks of a [180, 320] array."""
    inner = values[BAND : BAND + _ROWS * _HIGH]
    return np.asarray(inner.reshape(_ROWS, _HIGH, _COLUMNS, _WIDE).mean(axis=(1, 3)), np.float32)
