"""The film's cooks: a photographed head on a drawn chef's coat, with or without hat and mask.

The head is cut out of scikit-image's `astronaut`, a portrait by NASA in the public domain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Points = Sequence[tuple[int, int]]

# All places are pixels of the portrait, which is 512x512; the canvas adds room above and below.
WIDTH, ABOVE, HEIGHT = 512, 110, 760
HEAD_BOX = (150, 14, 304, 192)
"""The bare head in the portrait: left, top, right, bottom."""
_HEAD: Points = (
    (200, 27), (237, 15), (262, 18), (284, 33), (297, 60), (301, 88), (295, 112), (279, 131),
    (268, 141), (264, 152), (257, 172), (250, 200), (225, 206), (198, 200), (188, 174), (184, 150),
    (178, 128), (169, 118), (156, 103), (153, 81), (155, 59), (168, 41), (186, 31),
)  # fmt: skip
_COAT: Points = (
    (192, 184), (225, 205), (256, 184), (290, 206), (350, 230), (384, 290), (400, 420), (406, 640),
    (42, 640), (48, 420), (64, 290), (98, 230), (158, 206),
)  # fmt: skip
_MASK: Points = (
    (181, 126), (203, 121), (222, 112), (243, 121), (267, 128), (265, 152), (255, 176), (238, 190),
    (222, 193), (205, 189), (190, 174), (183, 152),
)  # fmt: skip
_BAND: Points = (
    (157, 76), (190, 64), (226, 60), (264, 64), (299, 78), (302, 20), (264, 8), (226, 4), (190, 8),
    (153, 20),
)  # fmt: skip
_CAP_BAND: Points = (*_BAND[:5], (302, 34), (154, 34))
_PUFFS = (
    (160, -22, 46),
    (196, -52, 50),
    (238, -58, 52),
    (280, -38, 48),
    (304, -14, 38),
    (226, -18, 60),
)


@dataclass(frozen=True, slots=True)
class Cook:
    """A cook in the picture."""

    hat: bool
    mask: bool
    x: float = 0.3
    """Middle of the way that the cook paces, in shares of the picture's width."""
    sway: float = 0.1
    """Half the length of that way."""
    mirrored: bool = False
    """Another cook: seen the other way round, with other hair."""
    skin: float = 1.0
    """Lightness of the face, as a share of the photograph's."""
    cap: bool = False
    """The hat is a low cap in place of a toque."""
    mask_colour: tuple[int, int, int] = (224, 205, 172)
    """Blue, green, red."""


def draw_cook(cook: Cook) -> tuple[Pixels, npt.NDArray[np.float32]]:
    """The cook in BGR [HEIGHT, WIDTH, 3] and how opaque each pixel is [HEIGHT, WIDTH, 1]."""
    portrait = _portrait()
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    opaque = np.zeros((HEIGHT, WIDTH), np.uint8)
    _coat(pixels, opaque)
    head = np.zeros((HEIGHT, WIDTH), np.uint8)
    _fill(head, _HEAD, 255)
    head = np.asarray(cv2.GaussianBlur(head, (0, 0), 1.6), np.uint8)
    face = np.zeros_like(pixels)
    face[ABOVE : ABOVE + 512] = portrait
    if cook.mirrored:
        face = _darker_hair(face)
    if cook.skin != 1.0:
        face = np.clip(face * cook.skin, 0, 255).astype(np.uint8)
    share = head[:, :, None].astype(np.float32) / 255
    pixels = (face * share + pixels * (1 - share)).astype(np.uint8)
    opaque = np.maximum(opaque, head)
    if cook.mask:
        _mask(pixels, cook.mask_colour)
    if cook.hat and cook.cap:
        _cap(pixels, opaque)
    elif cook.hat:
        _hat(pixels, opaque)
    if cook.mirrored:
        pixels, opaque = pixels[:, ::-1], opaque[:, ::-1]
    return np.ascontiguousarray(pixels), (opaque[:, :, None] / 255).astype(np.float32)


def _portrait() -> Pixels:
    """The photograph in BGR, from the package's files: importing the package takes seconds.

    Raises FileNotFoundError.
    """
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise FileNotFoundError("scikit-image, which holds the film's photograph, is not installed")
    path = Path(package.origin).parent / "data" / "astronaut.png"
    portrait = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if portrait is None:
        raise FileNotFoundError(f"{path}: the film's photograph is not there")
    return np.asarray(portrait, np.uint8)


def _fill(target: Pixels, points: Points, colour: int | tuple[int, int, int]) -> None:
    shape = np.array([(x, y + ABOVE) for x, y in points], np.int32)
    cv2.fillPoly(target, [shape], colour, cv2.LINE_AA)


def _line(target: Pixels, points: Points, colour: tuple[int, int, int], wide: int) -> None:
    shape = np.array([(x, y + ABOVE) for x, y in points], np.int32)
    cv2.polylines(target, [shape], False, colour, wide, cv2.LINE_AA)


def _coat(pixels: Pixels, opaque: Pixels) -> None:
    _fill(pixels, _COAT, (226, 228, 230))
    _fill(opaque, _COAT, 255)
    _line(pixels, ((192, 190), (222, 250), (226, 640)), (178, 180, 184), 3)
    _line(pixels, ((256, 190), (226, 250)), (178, 180, 184), 3)
    _line(pixels, ((110, 330), (120, 470), (116, 640)), (196, 198, 202), 5)
    _line(pixels, ((338, 330), (328, 470), (332, 640)), (196, 198, 202), 5)
    for y in range(290, 640, 62):
        for x in (202, 252):
            cv2.circle(pixels, (x, y + ABOVE), 6, (150, 150, 156), -1, cv2.LINE_AA)


def _mask(pixels: Pixels, colour: tuple[int, int, int]) -> None:
    for ends in (((183, 128), (170, 112)), ((266, 130), (284, 116)), ((190, 172), (176, 130))):
        _line(pixels, ends, (236, 236, 236), 2)
    _fill(pixels, _MASK, colour)
    _line(pixels, ((203, 122), (222, 114), (243, 122)), (236, 228, 212), 3)
    for y, dip in ((136, 5), (150, 7), (164, 8)):
        _line(pixels, ((186, y), (224, y + dip), (263, y + 1)), (196, 178, 146), 2)
    _line(pixels, (*_MASK, _MASK[0]), (204, 190, 160), 2)


def _hat(pixels: Pixels, opaque: Pixels) -> None:
    for x, y, radius in _PUFFS:
        for target, colour in ((pixels, (238, 240, 242)), (opaque, 255)):
            cv2.circle(target, (x, y + ABOVE), radius, colour, -1, cv2.LINE_AA)
    for x, y, radius in _PUFFS[:-1]:
        cv2.ellipse(
            pixels, (x, y + ABOVE), (radius, radius), 0, 20, 120, (206, 208, 212), 2, cv2.LINE_AA
        )
    _fill(pixels, _BAND, (232, 234, 236))
    _fill(opaque, _BAND, 255)
    _line(pixels, ((157, 76), (190, 64), (226, 60), (264, 64), (299, 78)), (170, 172, 176), 3)
    for x in range(168, 300, 18):
        _line(pixels, ((x, 14), (x, 60)), (212, 214, 218), 2)


def _cap(pixels: Pixels, opaque: Pixels) -> None:
    for target, colour in ((pixels, (196, 190, 186)), (opaque, 255)):
        cv2.ellipse(target, (228, 40 + ABOVE), (74, 52), 0, 180, 360, colour, -1, cv2.LINE_AA)
    _fill(pixels, _CAP_BAND, (222, 218, 214))
    _fill(opaque, _CAP_BAND, 255)
    _line(pixels, ((157, 76), (190, 64), (226, 60), (264, 64), (299, 78)), (150, 150, 156), 3)


def _darker_hair(face: Pixels) -> Pixels:
    hsv = cv2.cvtColor(face, cv2.COLOR_BGR2HSV)
    hair = np.zeros(face.shape[:2], np.uint8)
    _fill(hair, _HEAD, 255)
    cv2.ellipse(hair, (225, 138 + ABOVE), (42, 62), 0, 0, 360, 0, -1)
    share = cv2.GaussianBlur(hair, (0, 0), 5).astype(np.float32) / 255
    hsv[:, :, 2] = (hsv[:, :, 2] * (1 - 0.6 * share)).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)
