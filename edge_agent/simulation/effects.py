"""What a kitchen and a cheap camera do to a picture: steam, dusk, grease, compression, infrared.

Every effect is a function of a picture and of a time, the same for the same seed. `plain` is a
sound camera's own noise, without which a still picture would be the same to the last bit.
"""

import math
from collections.abc import Callable
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Effect = Callable[[Pixels, float], Pixels]

_SHEETS = 5
_STEAM_SPEEDS = (0.12, 0.0742)
"""Heights of the picture a second."""


class Look(StrEnum):
    """Under which conditions a clip is seen."""

    PLAIN = "plain"
    STEAM = "steam"
    DUSK = "low light"
    GREASE = "greasy lens"
    COMPRESSED = "compression"
    INFRARED = "infrared grey"
    NOISE = "camera noise"


def effect(look: Look, size: tuple[int, int], seed: int) -> Effect:
    """The effect for pictures of width x height."""
    chance = np.random.default_rng(seed)
    noise = _noise(
        chance, size, {Look.DUSK: 4.0, Look.NOISE: 7.0, Look.INFRARED: 3.0}.get(look, 1.5)
    )
    if look is Look.STEAM:
        steam = _steam(chance, size)
        return lambda picture, at_s: noise(steam(picture, at_s), at_s)
    if look is Look.DUSK:
        return lambda picture, at_s: noise(_dimmed(picture), at_s)
    if look is Look.GREASE:
        return lambda picture, at_s: noise(_greasy(picture), at_s)
    if look is Look.COMPRESSED:
        return lambda picture, at_s: _compressed(noise(picture, at_s))
    if look is Look.INFRARED:
        return lambda picture, at_s: noise(_infrared(picture), at_s)
    return noise


def _noise(chance: np.random.Generator, size: tuple[int, int], deviation: float) -> Effect:
    width, height = size
    sheets = []
    for _ in range(_SHEETS):  # twice as wide as needed: any stretch of one is a sheet
        levels = chance.normal(0, deviation, (height, 2 * width, 3)).round()
        more = np.clip(levels, 0, 255).astype(np.uint8)
        sheets.append((more, np.clip(-levels, 0, 255).astype(np.uint8)))

    def add(picture: Pixels, at_s: float) -> Pixels:
        number = round(at_s * 1000)
        more, less = sheets[number % _SHEETS]
        left = 37 * number % width
        lighter = cv2.add(picture, more[:, left : left + width])
        return np.asarray(cv2.subtract(lighter, less[:, left : left + width]), np.uint8)

    return add


def _steam(chance: np.random.Generator, size: tuple[int, int]) -> Effect:
    """Plumes that drift up over part of the picture and veil it by up to two thirds; two of them,
    of which one gains on the other, since steam that came round would be an old recording's."""
    width, height = size
    cloud = chance.random((height // 8 + 1, width // 8 + 1)).astype(np.float32)
    cloud = np.asarray(cv2.GaussianBlur(cloud, (0, 0), 2.5), np.float32)
    cloud = (cloud - cloud.min()) / max(1e-6, float(cloud.max() - cloud.min()))
    wide = cv2.resize(cloud, (width, height), interpolation=cv2.INTER_CUBIC)
    middle = float(chance.uniform(0.25, 0.75)) * width
    across = np.exp(-(((np.arange(width) - middle) / (0.22 * width)) ** 2)).astype(np.float32)
    plume = np.tile(np.asarray(wide * across, np.float32), (2, 1))
    phase = float(chance.uniform(0, 6))
    white = np.full((height, width, 3), 236, np.uint8)

    def veil(picture: Pixels, at_s: float) -> Pixels:
        tops = (round(at_s * speed * height) % height for speed in _STEAM_SPEEDS)
        one, other = (plume[top : top + height] for top in tops)
        strength = 0.5 + 0.35 * math.sin(at_s * 0.21 + phase)
        share = np.clip(np.maximum(one, other) * np.float32(strength), 0, 0.66)
        return np.asarray(cv2.blendLinear(picture, white, 1 - share, share), np.uint8)

    return veil


def _dimmed(picture: Pixels) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(picture, alpha=0.34, beta=4), np.uint8)


def _greasy(picture: Pixels) -> Pixels:
    smeared = cv2.GaussianBlur(picture, (0, 0), 1.3)
    return np.asarray(cv2.convertScaleAbs(smeared, alpha=0.85, beta=26), np.uint8)


def _compressed(picture: Pixels) -> Pixels:
    _, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 22])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)


def _infrared(picture: Pixels) -> Pixels:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    grey = cv2.addWeighted(cv2.equalizeHist(grey), 0.5, grey, 0.5, 0)
    return np.asarray(
        cv2.cvtColor(cv2.equalizeHist(grey) // 2 + grey // 2, cv2.COLOR_GRAY2BGR), np.uint8
    )
