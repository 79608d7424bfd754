"""Pictures as a model takes them: letterboxed or stretched, coloured and scaled by its manifest."""

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
    """Pictures of the input's size as one batch [n, 3, height, width] of floats."""
    batch = np.stack(pictures)
    if wanted.colour == "rgb":
        batch = batch[..., ::-1]
    mean = np.array(wanted.mean, dtype=np.float32)
    std = np.array(wanted.std, dtype=np.float32)
    floats = (batch.astype(np.float32) * np.float32(wanted.scale) - mean) / std
    return np.ascontiguousarray(floats.transpose(0, 3, 1, 2))


def cut(picture: Picture, box: Box, margin: float) -> Picture:
    """The box grown by `margin` of its sides, clipped to the picture, never empty."""
    height, width = picture.shape[:2]
    aside, above = margin * (box.x1 - box.x0), margin * (box.y1 - box.y0)
    left = min(max(round(box.x0 - aside), 0), width - 1)
    top = min(max(round(box.y0 - above), 0), height - 1)
    right = min(max(round(box.x1 + aside), left + 1), width)
    bottom = min(max(round(box.y1 + above), top + 1), height)
    return picture[top:bottom, left:right]
