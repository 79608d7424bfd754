"""Finds heads and persons in a picture with a `detect` model."""

import numpy as np

from contracts.events import Box
from edge_agent.cameras.eyes.boxes import suppress
from edge_agent.cameras.eyes.inference import Model, Tensor
from edge_agent.cameras.eyes.tensors import fit, to_tensor
from edge_agent.cameras.frames import Picture

MOST_BOXES = 64
"""Of one label in one picture; the least confident beyond it are dropped."""


def detect(model: Model, picture: Picture, *, floor: float | None = None) -> list[Box]:
    """Boxes in pixels of the picture, clipped to it, the most confident first.

    A label's threshold is the manifest's; `floor` replaces it where it is lower (to hide more heads
    than are judged).
    """
    wanted = model.manifest.input
    canvas, scale = fit(picture, wanted)
    boxes, scores = model.run(to_tensor([canvas], wanted))
    height, width = picture.shape[:2]
    return read_boxes(model, boxes, scores, scale, width, height, floor)


def read_boxes(
    model: Model,
    boxes: Tensor,
    scores: Tensor,
    scale: float,
    width: int,
    height: int,
    floor: float | None,
) -> list[Box]:
    """The model's outputs as boxes of a picture of width x height."""
    output, limits = model.manifest.output, model.manifest.limits
    found: list[Box] = []
    for column, label in enumerate(output.labels):
        least = model.manifest.thresholds[label].yes
        if floor is not None:
            least = min(least, floor)
        confident = np.flatnonzero(scores[:, column] >= least)
        kept = confident[suppress(boxes[confident], scores[confident, column], output.nms_iou)]
        for index in kept[:MOST_BOXES]:
            x0, y0, x1, y1 = (float(value) for value in boxes[index] / scale)
            x0, y0, x1, y1 = max(0.0, x0), max(0.0, y0), min(width, x1), min(height, y1)
            if min(x1 - x0, y1 - y0) >= max(1.0, limits.min_box_px):
                confidence = min(1.0, max(0.0, float(scores[index, column])))
                found.append(Box(label, x0, y0, x1, y1, confidence))
    return sorted(found, key=lambda box: -box.confidence)
