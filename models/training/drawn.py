"""Hats, masks and look-alikes drawn onto head photographs, so that bare heads also teach what
covered ones look like."""

import cv2
import numpy as np
import numpy.typing as npt

from models.training.augment import Picture, Random
from models.truth import Box

Points = list[tuple[float, float]]

MASK_COLOURS = (
    (235, 205, 150),
    (245, 245, 245),
    (40, 40, 40),
    (190, 220, 160),
    (200, 180, 240),
    (120, 90, 60),
)
HAT_COLOURS = (
    (245, 245, 245),
    (235, 240, 240),
    (40, 40, 40),
    (140, 70, 40),
    (50, 50, 160),
    (90, 130, 60),
)
"""BGR."""


def draw_hat(picture: Picture, head: Box, random: Random) -> tuple[Picture, float]:
    """A toque, cook's cap, bandana, peaked cap or hair net on a bare head; `head` is the bare
    head's box."""
    x0, y0, x1, y1 = head
    width, height = x1 - x0, y1 - y0
    middle = (x0 + x1) / 2 + width * random.uniform(-0.05, 0.05)
    half = width * random.uniform(0.44, 0.56)
    brim = y0 + height * random.uniform(0.16, 0.32)
    kind = random.choice(("toque", "cap", "bandana", "peak", "net"))
    rise = (
        height
        * {
            "toque": random.uniform(0.5, 1.1),
            "cap": random.uniform(0.3, 0.5),
            "bandana": random.uniform(0.2, 0.32),
            "peak": random.uniform(0.25, 0.36),
            "net": random.uniform(0.28, 0.42),
        }[str(kind)]
    )
    top = brim - rise
    if kind in ("toque", "cap"):
        flare = 1.0 if kind == "cap" else random.uniform(0.95, 1.4)
        band = brim - min(rise, height * 0.28)
        outline = [
            (middle - half, brim),
            (middle - half, band),
            (middle - half * flare, top + 0.25 * rise),
            (middle - half * flare * 0.8, top),
            (middle, top - 0.05 * rise),
            (middle + half * flare * 0.8, top),
            (middle + half * flare, top + 0.25 * rise),
            (middle + half, band),
            (middle + half, brim),
            (middle, brim + 0.05 * height),
        ]
    else:
        turns = np.linspace(np.pi, 2 * np.pi, 14)
        outline = [(middle + half * np.cos(turn), brim + rise * np.sin(turn)) for turn in turns]
        outline.append((middle, brim + 0.07 * height))
        if kind == "peak":
            side = random.choice((-1.0, 0.0, 1.0))
            centre = middle + side * half * 0.9
            visor = [
                (centre + half * 0.8 * np.cos(turn), brim + 0.14 * height * abs(np.sin(turn)))
                for turn in np.linspace(0, np.pi, 9)
            ]
            picture = _paint(picture, visor, _colour(HAT_COLOURS, random) * 0.8, 1.0, random)
    weights = np.array([0.4, 0.2, 0.1, 0.1, 0.1, 0.1])
    colour = _colour(HAT_COLOURS, random, weights)
    opacity = random.uniform(0.6, 0.85) if kind == "net" else 1.0
    return _paint(picture, outline, colour, opacity, random), float(top)


def draw_mask(picture: Picture, head: Box, random: Random, height_share: float = 0.0) -> Picture:
    """A face mask over nose, mouth and chin of a frontal head; `height_share` moves it down (a
    badly worn mask)."""
    x0, y0, x1, y1 = head
    width, height = x1 - x0, y1 - y0
    middle = (x0 + x1) / 2 + width * random.uniform(-0.07, 0.07)
    half = width * random.uniform(0.27, 0.38)
    top = y0 + height * (random.uniform(0.54, 0.63) + height_share)
    bottom = y0 + height * (random.uniform(0.93, 1.02) + height_share)
    rise = height * random.uniform(0.0, 0.06)
    outline = [
        (middle - half, top + rise),
        (middle - half * 0.4, top),
        (middle, top - rise * 0.7),
        (middle + half * 0.4, top),
        (middle + half, top + rise),
        (middle + half * 0.92, top + 0.65 * (bottom - top)),
        (middle + half * 0.45, bottom),
        (middle - half * 0.45, bottom),
        (middle - half * 0.92, top + 0.65 * (bottom - top)),
    ]
    colour = _colour(MASK_COLOURS, random, np.array([0.34, 0.3, 0.14, 0.08, 0.07, 0.07]))
    thickness = max(1, round(width / 60))
    result = picture.copy()
    for sign in (-1, 1):
        ear = (middle + sign * width * 0.47, y0 + height * 0.52)
        cv2.line(
            result,
            _pixel((middle + sign * half, top + rise)),
            _pixel(ear),
            colour.tolist(),
            thickness,
            cv2.LINE_AA,
        )
    result = _paint(result, outline, colour, 1.0, random)
    if random.random() < 0.6:
        for share in (0.35, 0.55, 0.75):
            y = top + share * (bottom - top)
            ends = (_pixel((middle - half * 0.85, y)), _pixel((middle + half * 0.85, y)))
            cv2.line(result, *ends, (colour * 0.85).tolist(), thickness, cv2.LINE_AA)
    return result


def draw_mask_on_face(
    picture: Picture, points: Points, random: Random, upper_edge: float
) -> Picture:
    """A face mask between the ears of a face with known eyes, nose and corners of the mouth (five
    points). Its upper edge lies at `upper_edge` on the way from the eyes (0) over the tip of the
    nose (1) to the mouth (2): below .7 it is worn well, from 1.15 the nose looks out, from 2.2 the
    mouth does."""
    eyes, nose = np.array(points[:2]), np.array(points[2])
    mouth = np.array(points[3:]).mean(axis=0)
    brow = eyes.mean(axis=0)
    down = mouth - brow
    across = np.array([-down[1], down[0]])
    if across[0] > 0:
        across = -across  # from the right of the picture to the left
    length = float(np.hypot(*down))
    if length < 4:
        return picture
    axis = brow + down * np.array([[0.0], [float((nose - brow) @ down / length**2)], [1.0]])
    turn = (nose - axis[1]) * 1.0
    places = np.interp(upper_edge, (0.0, 1.0, 2.0, 3.0), (0.0, 0.62, 1.0, 1.45))
    top = brow + down * places + turn * min(1.0, places) * 0.6
    bottom_share = max(1.62, places + 0.6) * random.uniform(0.96, 1.1)
    bottom = brow + down * bottom_share + turn * 0.5
    half = across / length * (0.78 * length + 0.28 * float(np.hypot(*(eyes[1] - eyes[0]))))
    half = half * random.uniform(0.9, 1.12)
    peak = random.uniform(0.0, 0.16) * down
    side = top + 0.1 * down
    middle = (top + bottom) / 2
    ring = [
        side + half,
        top + half * 0.5 - peak * 0.5,
        top - peak,
        top - half * 0.5 - peak * 0.5,
        side - half,
        middle - half * 0.97,
        bottom - half * 0.5,
        bottom + half * 0.5,
        middle + half * 0.97,
    ]
    outline = [(float(x), float(y)) for x, y in ring]
    colour = _colour(MASK_COLOURS, random, np.array([0.34, 0.3, 0.14, 0.08, 0.07, 0.07]))
    result = picture.copy()
    thickness = max(1, round(length / 30))
    if random.random() < 0.6:
        for sign in (-1.0, 1.0):
            ear = brow + down * 0.35 + half * 1.15 * sign
            ends = (_pixel(tuple(side + half * sign)), _pixel(tuple(ear)))
            cv2.line(result, *ends, (colour * 0.9).tolist(), thickness, cv2.LINE_AA)
    result = _paint(result, outline, colour, 1.0, random)
    if random.random() < 0.5:
        for share in (0.35, 0.55, 0.75):
            line = top + (bottom - top) * share
            ends = (_pixel(tuple(line - half * 0.85)), _pixel(tuple(line + half * 0.85)))
            cv2.line(result, *ends, (colour * 0.85).tolist(), thickness, cv2.LINE_AA)
    return result


HAIR_COLOURS = ((25, 22, 20), (40, 35, 32), (30, 45, 70), (60, 90, 130), (150, 150, 150))
"""BGR, the most frequent first."""


def draw_back(picture: Picture, head: Box, random: Random) -> Picture:
    """The head as seen from behind: hair over the face, sometimes ears; what is above the brows (a
    hat, or hair) stays."""
    x0, y0, x1, y1 = head
    width, height = x1 - x0, y1 - y0
    left, top = max(0, int(x0)), max(0, int(y0))
    region = picture[top : int(y1) + 1, left : int(x1) + 1]
    rows, columns = region.shape[:2]
    if rows < 4 or columns < 4:
        return picture
    alpha = np.zeros((rows, columns), dtype=np.float32)
    centre = ((x0 + x1) / 2 - left, y0 + height * random.uniform(0.52, 0.6) - top)
    axes = (width * random.uniform(0.4, 0.5), height * random.uniform(0.34, 0.46))
    cv2.ellipse(alpha, (centre, (2 * axes[0], 2 * axes[1]), 0.0), 1.0, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), max(0.6, width / 40))[..., None]
    noise = random.normal(0, 1, (rows, columns)).astype(np.float32)
    strands = cv2.GaussianBlur(
        noise, (0, 0), sigmaX=max(0.5, width / 90), sigmaY=max(1.0, height / 12)
    )
    strands *= random.uniform(6, 18) / max(1e-6, float(strands.std()))
    colour = _colour(HAIR_COLOURS, random, np.array([0.4, 0.25, 0.15, 0.1, 0.1]))
    shade = np.linspace(random.uniform(0.8, 1.3), random.uniform(0.6, 1.0), rows)[:, None, None]
    ambient = np.clip(float(picture[::8, ::8].mean()) / 110.0, 0.5, 1.3)
    hair = np.clip((colour + strands[..., None]) * shade * ambient, 0, 255)
    result = picture.copy()
    result[top : top + rows, left : left + columns] = region * (1 - alpha) + hair * alpha
    if random.random() < 0.5:
        skin = picture[
            _inside(picture, y0 + 0.6 * height), _inside(picture, (x0 + x1) / 2, 1)
        ].astype(np.float64)
        for sign in (-1, 1):
            ear_x = (x0 + x1) / 2 + sign * axes[0] * random.uniform(0.95, 1.05)
            ear = [
                (ear_x + width * 0.05 * np.cos(t), y0 + height * (0.6 + 0.09 * np.sin(t)))
                for t in np.linspace(0, 2 * np.pi, 9)
            ]
            result = _paint(result, ear, skin, 1.0, random)
    return result


def cover_part(picture: Picture, head: Box, random: Random) -> Picture:
    """Something stands before a side of the head: at most two fifths of it are hidden."""
    x0, y0, x1, y1 = head
    width, height = x1 - x0, y1 - y0
    share = random.uniform(0.15, 0.4)
    side = random.integers(4)
    area = [
        (x0 - 0.1 * width, y1 - share * height, x1 + 0.1 * width, y1 + 0.2 * height),
        (x0 - 0.2 * width, y0 - 0.1 * height, x0 + share * width, y1 + 0.1 * height),
        (x1 - share * width, y0 - 0.1 * height, x1 + 0.2 * width, y1 + 0.1 * height),
        (x0 - 0.1 * width, y0 - 0.2 * height, x1 + 0.1 * width, y0 + 0.6 * share * height),
    ][side]
    rows, columns = picture.shape[:2]
    left, right = (int(np.clip(area[i], 0, columns)) for i in (0, 2))
    top, bottom = (int(np.clip(area[i], 0, rows)) for i in (1, 3))
    if right - left < 2 or bottom - top < 2:
        return picture
    result = picture.copy()
    if random.random() < 0.5:  # a piece of the same picture
        from_x = int(random.integers(0, columns - (right - left) + 1))
        from_y = int(random.integers(0, rows - (bottom - top) + 1))
        piece = picture[from_y : from_y + bottom - top, from_x : from_x + right - left].copy()
        result[top:bottom, left:right] = piece
        return result
    outline = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return _paint(result, outline, random.uniform(20, 240, 3), 1.0, random)


def draw_decoy(picture: Picture, head: Box, random: Random) -> Picture:
    """Something drawn that is neither hat nor mask: neckerchief, glasses, a hand before the mouth,
    a thing behind the head."""
    x0, y0, x1, y1 = head
    width, height = x1 - x0, y1 - y0
    middle = (x0 + x1) / 2
    kind = random.integers(4)
    if kind == 0:
        y = y1 + height * random.uniform(0.0, 0.1)
        outline = [
            (x0, y),
            (x1, y),
            (middle + width * 0.2, y + height * 0.3),
            (middle - width * 0.2, y + height * 0.3),
        ]
        return _paint(picture, outline, _colour(MASK_COLOURS, random), 1.0, random)
    if kind == 1:
        result = picture.copy()
        y = y0 + height * random.uniform(0.45, 0.52)
        for sign in (-1, 1):
            axes = (max(1, int(width * 0.14)), max(1, int(height * 0.08)))
            thickness = -1 if random.random() < 0.5 else max(1, round(width / 40))
            cv2.ellipse(
                result,
                _pixel((middle + sign * width * 0.18, y)),
                axes,
                0,
                0,
                360,
                (30, 30, 30),
                thickness,
            )
        return result
    if kind == 2:
        skin = picture[_inside(picture, y0 + 0.4 * height), _inside(picture, middle, 1)].astype(
            np.float64
        )
        x, y = middle + width * random.uniform(-0.3, 0.3), y0 + height * random.uniform(0.75, 1.0)
        outline = [
            (
                x + width * random.uniform(0.15, 0.3) * np.cos(t),
                y + height * random.uniform(0.1, 0.2) * np.sin(t),
            )
            for t in np.linspace(0, 2 * np.pi, 9)
        ]
        return _paint(picture, outline, skin, 1.0, random)
    bottom = y0 - height * random.uniform(0.06, 0.12)
    outline = [(x0, bottom), (x1, bottom), (x1, bottom - height * 0.5), (x0, bottom - height * 0.5)]
    return _paint(picture, outline, _colour(HAT_COLOURS, random), 1.0, random)


def _paint(
    picture: Picture,
    outline: Points,
    colour: npt.NDArray[np.float64],
    opacity: float,
    random: Random,
) -> Picture:
    """Fill the outline softly, lit from one side, with a fabric's unevenness."""
    corners = np.array(outline, dtype=np.float64)
    limits = np.array([picture.shape[1], picture.shape[0]])
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 4, 0, limits)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 5, 0, limits)
    width, height = (int(value) for value in high - low)
    if width < 1 or height < 1:
        return picture
    alpha = np.zeros((height, width), dtype=np.float32)
    cv2.fillPoly(alpha, [np.round((corners - low) * 8).astype(np.int32)], opacity, cv2.LINE_AA, 3)
    alpha = np.clip(cv2.GaussianBlur(alpha, (0, 0), 0.8), 0, 1)[..., None]
    light = np.linspace(
        random.uniform(0.7, 1.0), random.uniform(0.7, 1.0), width, dtype=np.float32
    )[None, :, None]
    folds = cv2.resize(random.uniform(0.88, 1.05, (6, 9)).astype(np.float32), (width, height))[
        ..., None
    ]
    ambient = np.clip(float(picture[::8, ::8].mean()) / 110.0, 0.5, 1.05)
    cloth = np.clip(colour * light * folds * ambient, 0, 255)
    result = picture.copy()
    part = result[low[1] : high[1], low[0] : high[0]]
    part[:] = part * (1 - alpha) + cloth * alpha
    return result


def _colour(
    colours: tuple[tuple[int, int, int], ...],
    random: Random,
    weights: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    chosen = np.array(colours[int(random.choice(len(colours), p=weights))], dtype=np.float64)
    return np.clip(chosen + random.uniform(-25, 25, 3), 0, 255)


def _pixel(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def _inside(picture: Picture, value: float, axis: int = 0) -> int:
    return int(np.clip(value, 0, picture.shape[axis] - 1))
