"""Pictures as a model takes them: letterboxed or stretched, coloured and scaled by its manifest."""

import cv2
import numpy as np

from contracts.events import Box
from contracts.model_manifest import ModelInput
from edge_agent.cameras.eyes.inference import Tensor
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.pictures import resize


def fit(picture: Picture, wanted: ModelInput) -> tuple[Picture, float]:
    """The picture on the input's canvas, and input pixels per picture pixel (letterbox only)."""
    if wanted.resize == "stretch":
        return resize(picture, wanted.width, wanted.height), 1.0
    height, width = picture.shape[:2]
    scale = min(wanted.width / width, wanted.height / height)
    if wanted.largest_scale:
        scale = min(scale, wanted.largest_scale)
    inner_width = max(1, min(wanted.width, round(width * scale)))
    inner_height = max(1, min(wanted.height, round(height * scale)))
    outer = (wanted.height, wanted.width)
    if wanted.multiple:
        outer = (_up(inner_height, wanted.multiple), _up(inner_width, wanted.multiple))
    inner = resize(picture, inner_width, inner_height)
    if inner.shape[:2] == outer:
        return inner, scale
    canvas = np.full((*outer, 3), wanted.pad_value, dtype=np.uint8)
    canvas[:inner_height, :inner_width] = inner
    return canvas, scale


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def to_tensor(pictures: list[Picture], wanted: ModelInput) -> Tensor:
    """Pictures of the input's size as one batch [n, 3, height, width] of floats.

    A channel at a time, by table: half of a millisecond where whole arrays of floats take three.
    """
    levels = np.arange(256, dtype=np.float32) * np.float32(wanted.scale)
    tables = [
        (levels - np.float32(mean)) / np.float32(std)
        for mean, std in zip(wanted.mean, wanted.std, strict=True)
    ]
    batch = np.empty((len(pictures), 3, *pictures[0].shape[:2]), np.float32)
    for number, picture in enumerate(pictures):
        planes = cv2.split(picture)
        if wanted.colour == "rgb":
            planes = planes[::-1]
        for channel, (plane, table) in enumerate(zip(planes, tables, strict=True)):
            cv2.LUT(plane, table, batch[number, channel])
    return batch


def cut(picture: Picture, box: Box, margin: float) -> Picture:
    """The box grown by `margin` of its sides, clipped to the picture, never empty."""
    height, width = picture.shape[:2]
    aside, above = margin * (box.x1 - box.x0), margin * (box.y1 - box.y0)
    left = min(max(round(box.x0 - aside), 0), width - 1)
    top = min(max(round(box.y0 - above), 0), height - 1)
    right = min(max(round(box.x1 + aside), left + 1), width)
    bottom = min(max(round(box.y1 + above), top + 1), height)
    return picture[top:bottom, left:right]
