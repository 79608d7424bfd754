"""Run a model folder on pictures exactly as its manifest says: detect heads, read attributes
(onnxruntime, numpy, OpenCV)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from contracts.model_manifest import Manifest, ManifestError, ModelInput, verify

Picture = npt.NDArray[np.uint8]
"""BGR [height, width, 3]."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Found:
    """One detected thing; box in pixels of the picture."""

    label: str
    box: Box
    confidence: float


def open_session(folder: Path, threads: int = 1) -> tuple[Manifest, Any]:
    """(manifest, onnxruntime session). Raises ManifestError when hash or geometry disagree with
    the manifest."""
    manifest = verify(folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(folder / manifest.file), options, providers=["CPUExecutionProvider"]
    )
    _check_geometry(folder, manifest, session)
    return manifest, session


class HeadDetector:
    """A `boxes_scores` model."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.manifest, self._session = open_session(folder, threads)

    def detect(self, picture: Picture, floor: float | None = None) -> list[Found]:
        """Things above their label's threshold (or above `floor`), most confident first."""
        tensor, scale = to_tensor(picture, self.manifest.input)
        output = self.manifest.output
        boxes, scores = self._session.run(list(output.names), {self.manifest.input.name: tensor})
        height, width = picture.shape[:2]
        found = []
        for column, label in enumerate(output.labels):
            threshold = self.manifest.thresholds[label].yes if floor is None else floor
            kept = np.flatnonzero(scores[:, column] >= threshold)
            for index in kept[suppress(boxes[kept], scores[kept, column], output.nms_iou)]:
                x0, y0, x1, y1 = (float(value) / scale for value in boxes[index])
                box = (max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1))
                if box[2] > box[0] and box[3] > box[1]:
                    found.append(Found(label, box, float(scores[index, column])))
        return sorted(found, key=lambda item: -item.confidence)


class AttributeReader:
    """A `logits` model on head crops."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.manifest, self._session = open_session(folder, threads)

    def read(self, picture: Picture, box: Box) -> dict[str, float] | None:
        """Calibrated probability of each label; None when the head is too small or too poor to
        tell."""
        limits = self.manifest.limits
        if min(box[2] - box[0], box[3] - box[1]) < limits.min_box_px:
            return None
        region = cut(picture, box, self.manifest.input.crop_margin)
        tensor, _ = to_tensor(region, self.manifest.input)
        if limits.min_contrast or limits.min_sharpness:
            grey = cv2.cvtColor(
                cv2.resize(region, (self.manifest.input.width, self.manifest.input.height)),
                cv2.COLOR_BGR2GRAY,
            )
            if float(grey.std()) < limits.min_contrast:
                return None
            if float(cv2.Laplacian(grey, cv2.CV_64F).var()) < limits.min_sharpness:
                return None
        (logits,) = self._session.run(
            list(self.manifest.output.names), {self.manifest.input.name: tensor}
        )
        return {
            label: float(
                1 / (1 + np.exp(-logits[0, column] / self.manifest.calibration.get(label, 1.0)))
            )
            for column, label in enumerate(self.manifest.output.labels)
        }


def to_tensor(picture: Picture, geometry: ModelInput) -> tuple[npt.NDArray[np.float32], float]:
    """(tensor [1, 3, height, width], scale from picture to input pixels; 1.0 for stretched
    inputs)."""
    height, width = picture.shape[:2]
    scale = 1.0
    shrinks = height > geometry.height or width > geometry.width
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    if geometry.resize == "stretch":
        canvas = cv2.resize(picture, (geometry.width, geometry.height), interpolation=interpolation)
    else:
        scale = min(geometry.width / width, geometry.height / height)
        size = (
            max(1, min(geometry.width, round(width * scale))),
            max(1, min(geometry.height, round(height * scale))),
        )
        canvas = np.full((geometry.height, geometry.width, 3), geometry.pad_value, dtype=np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=interpolation)
    if geometry.colour == "rgb":
        canvas = canvas[..., ::-1]
    mean, std = (np.array(value, dtype=np.float32) for value in (geometry.mean, geometry.std))
    normal = (canvas.astype(np.float32) * np.float32(geometry.scale) - mean) / std
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None]), scale


def cut(picture: Picture, box: Box, margin: float) -> Picture:
    """The box grown by `margin` of its width and height on each side, clipped to the picture,
    never empty."""
    x0, y0, x1, y1 = box
    aside, above = margin * (x1 - x0), margin * (y1 - y0)
    height, width = picture.shape[:2]
    left = int(np.clip(round(x0 - aside), 0, width - 1))
    top = int(np.clip(round(y0 - above), 0, height - 1))
    right = int(np.clip(round(x1 + aside), left + 1, width))
    bottom = int(np.clip(round(y1 + above), top + 1, height))
    return picture[top:bottom, left:right]


def suppress(
    boxes: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], limit: float
) -> npt.NDArray[np.int64]:
    """Indices of the boxes that stay, best first: greedy suppression of overlaps above `limit`."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        order = rest[overlaps(boxes[best], boxes[rest]) <= limit]
    return np.array(kept, dtype=np.int64)


def overlaps(
    box: npt.NDArray[np.floating], others: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Intersection over union of one box with each of the others."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    inside = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return np.asarray(inside / np.maximum(1e-9, areas - inside), dtype=np.float64)


def _check_geometry(folder: Path, manifest: Manifest, session: Any) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    geometry = manifest.input
    shape = inputs[0].shape
    if inputs[0].name != geometry.name or list(shape[1:]) != [3, geometry.height, geometry.width]:
        raise ManifestError(
            f"{folder}: `input` says {geometry.name} 3x{geometry.height}x{geometry.width}, "
            f"the file {inputs[0].name} {shape}"
        )
    if tuple(output.name for output in outputs) != manifest.output.names:
        raise ManifestError(
            f"{folder}: `output.names` are not {[output.name for output in outputs]}"
        )
    labels = len(manifest.output.labels)
    if manifest.output.kind == "boxes_scores":
        expected = [[manifest.output.candidates, 4], [manifest.output.candidates, labels]]
        if [output.shape for output in outputs] != expected:
            raise ManifestError(
                f"{folder}: `output.candidates` or `output.labels` disagree with {outputs[0].shape}"
            )
    elif outputs[0].shape[1:] != [labels]:
        raise ManifestError(f"{folder}: `output.labels` disagree with {outputs[0].shape}")
