"""Kitchen effects on training pictures: steam, grease blur, low light, noise, compression,
infrared grey, turning, scale."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from models.truth import Box

Picture = npt.NDArray[np.uint8]
Random = np.random.Generator

STEAM_SHARE, GREY_SHARE = 0.25, 0.1


def degrade(picture: Picture, random: Random, grey_share: float = GREY_SHARE) -> Picture:
    """A random few of the effects of light, lens, sensor and coder; the size stays."""
    if random.random() < 0.6:
        picture = shift_colour(picture, random)
    if random.random() < grey_share:
        picture = make_grey(picture, random)
    if random.random() < 0.20:
        picture = darken(picture, random)
    if random.random() < STEAM_SHARE:
        picture = add_steam(picture, random)
    if random.random() < 0.30:
        picture = blur(picture, random)
    if random.random() < 0.08:
        picture = smear(picture, random)
    if random.random() < 0.25:
        picture = add_noise(picture, random)
    if random.random() < 0.35:
        picture = compress(picture, random)
    return picture


def shift_colour(picture: Picture, random: Random) -> Picture:
    """Hue, saturation, brightness and white balance."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + random.uniform(-8, 8)) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * random.uniform(0.5, 1.5), 0, 255)
    hsv[..., 2] = np.clip(hsv[..., 2] * random.uniform(0.65, 1.35), 0, 255)
    shifted = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR)
    gains = random.uniform(0.88, 1.12, 3).astype(np.float32)
    return np.asarray(cv2.convertScaleAbs(shifted * gains), dtype=np.uint8)


def make_grey(picture: Picture, random: Random) -> Picture:
    """As an infrared camera at night: grey, with dyes that answer otherwise than in white light,
    and levels that the camera spreads by whatever else it sees, until a face may be all black."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    if random.random() < 0.4:
        weights = random.dirichlet((1.0, 1.0, 1.0))
        grey = np.clip(picture @ weights, 0, 255).astype(np.uint8)
    kind = random.random()
    if kind < 0.35:
        share = float(random.uniform(0.2, 1.0))
        grey = cv2.addWeighted(cv2.equalizeHist(grey), share, grey, 1 - share, 0)
    elif kind < 0.8:
        steps = random.dirichlet(np.full(6, 1.2))
        levels = np.concatenate([[0.0], np.cumsum(steps)]) * 255
        curve = np.interp(np.arange(256), np.linspace(0, 255, 7), levels)
        grey = cv2.LUT(grey, curve.astype(np.uint8))
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), dtype=np.uint8)


def darken(picture: Picture, random: Random) -> Picture:
    """Low light: gamma, less gain."""
    table = (np.linspace(0, 1, 256) ** random.uniform(1.2, 2.4)) * 255 * random.uniform(0.5, 1.0)
    return np.asarray(cv2.LUT(picture, table.astype(np.uint8)), dtype=np.uint8)


def add_steam(picture: Picture, random: Random) -> Picture:
    """A cloud of white that hides part of the contrast, in wisps or as one veil."""
    height, width = picture.shape[:2]
    grain = int(random.integers(2, 8))
    coarse = random.random((grain, grain)).astype(np.float32)
    cloud = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    density = np.clip(cloud * random.uniform(0.2, 0.95), 0, 0.85)[..., None]
    return (picture * (1 - density) + random.uniform(200, 250) * density).astype(np.uint8)


def smear(picture: Picture, random: Random) -> Picture:
    """A greasy lens: soft and veiled in places, clear in others."""
    height, width = picture.shape[:2]
    coarse = random.random((3, 4)).astype(np.float32)
    film = np.clip(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    soft = cv2.GaussianBlur(picture, (0, 0), random.uniform(1.0, 3.5)).astype(np.float32)
    veil = soft * 0.8 + soft.mean() * 0.2 + random.uniform(0, 25)
    share = (film * random.uniform(0.6, 1.0))[..., None]
    return np.clip(picture * (1 - share) + veil * share, 0, 255).astype(np.uint8)


def blur(picture: Picture, random: Random) -> Picture:
    """Out of focus, motion, or a detour through a lower resolution."""
    height, width = picture.shape[:2]
    kind = random.integers(3)
    if kind == 0:
        blurred = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 1.6))
    elif kind == 1:
        length = int(random.integers(3, 8))
        kernel = np.zeros((length, length), dtype=np.float32)
        angle = random.uniform(0, math.pi)
        centre = (length - 1) / 2
        offset = np.array([math.cos(angle), math.sin(angle)]) * centre
        start, end = np.round(centre - offset).astype(int), np.round(centre + offset).astype(int)
        cv2.line(kernel, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), 1.0)
        blurred = cv2.filter2D(picture, -1, kernel / kernel.sum())
    else:
        factor = random.uniform(0.35, 0.8)
        small = (max(4, int(width * factor)), max(4, int(height * factor)))
        blurred = cv2.resize(
            cv2.resize(picture, small, interpolation=cv2.INTER_AREA), (width, height)
        )
    return np.asarray(blurred, dtype=np.uint8)


def add_noise(picture: Picture, random: Random) -> Picture:
    """Sensor noise."""
    noise = random.standard_normal(picture.shape, dtype=np.float32) * random.uniform(2, 16)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def compress(picture: Picture, random: Random) -> Picture:
    """A detour through JPEG."""
    _, coded = cv2.imencode(
        ".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(15, 75))]
    )
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)


def affine(
    angle: float,
    scale: tuple[float, float],
    centre: tuple[float, float],
    place: tuple[float, float],
) -> npt.NDArray[np.float64]:
    """2 x 3 matrix: scale x and y, turn by `angle` degrees about `centre` of a picture, put that
    point at `place`."""
    radians = math.radians(angle)
    turn = np.array(
        [[math.cos(radians), -math.sin(radians)], [math.sin(radians), math.cos(radians)]]
    )
    linear = turn @ np.diag(scale)
    shift = np.array(place) - linear @ np.array(centre)
    return np.hstack([linear, shift[:, None]])


def tilt(width: int, height: int, random: Random) -> npt.NDArray[np.float64]:
    """3 x 3 matrix of a camera that looks down or aside at a picture of this size: two neighbouring
    corners draw together, and the picture gets flatter that way."""
    squeeze, flatten = random.uniform(0.05, 0.28), random.uniform(0.6, 1.0)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32) - 0.5
    moved = corners * np.array([1.0, flatten], dtype=np.float32)
    far = moved[:, 1] < 0 if random.random() < 0.3 else moved[:, 1] > 0
    moved[far, 0] *= 1 - 2 * squeeze
    if random.random() < 0.3:
        moved = corners * np.array([flatten, 1.0], dtype=np.float32)
        moved[moved[:, 0] > 0, 1] *= 1 - 2 * squeeze
    size = np.array([width, height], dtype=np.float32)
    return np.asarray(
        cv2.getPerspectiveTransform(
            ((corners + 0.5) * size).astype(np.float32), ((moved + 0.5) * size).astype(np.float32)
        ),
        dtype=np.float64,
    )


def move_box(box: Box, matrix: npt.NDArray[np.float64]) -> Box:
    """The box around the ellipse inscribed in `box` after an affine (2 x 3) or a perspective
    (3 x 3) map: tight for heads, unlike turned corners."""
    if matrix.shape[0] == 3:
        return _move_box_perspective(box, matrix)
    x0, y0, x1, y1 = box
    centre = matrix[:, :2] @ np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + matrix[:, 2]
    halves = np.array([(x1 - x0) / 2, (y1 - y0) / 2])
    reach = np.sqrt(((matrix[:, :2] * halves) ** 2).sum(axis=1))
    return (
        float(centre[0] - reach[0]),
        float(centre[1] - reach[1]),
        float(centre[0] + reach[0]),
        float(centre[1] + reach[1]),
    )


def _move_box_perspective(box: Box, matrix: npt.NDArray[np.float64]) -> Box:
    x0, y0, x1, y1 = box
    turns = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    points = np.stack(
        (
            (x0 + x1) / 2 + (x1 - x0) / 2 * np.cos(turns),
            (y0 + y1) / 2 + (y1 - y0) / 2 * np.sin(turns),
            np.ones(len(turns)),
        )
    )
    mapped = matrix @ points
    mapped = mapped[:2] / mapped[2]
    low, high = mapped.min(axis=1), mapped.max(axis=1)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
