"""Run model folders on single pictures, through the very code that the edge runs them with."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contracts.events import Box as Seen
from contracts.model_manifest import Manifest
from edge_agent.cameras.eyes.attributes import read_attributes
from edge_agent.cameras.eyes.boxes import overlaps as all_overlaps
from edge_agent.cameras.eyes.detect import detect
from edge_agent.cameras.eyes.inference import open_model
from models.truth import Box

Picture = npt.NDArray[np.uint8]
"""BGR [height, width, 3]."""


@dataclass(frozen=True, slots=True)
class Found:
    """One detected thing; box in pixels of the picture."""

    label: str
    box: Box
    confidence: float


class HeadDetector:
    """A `detect` model. Raises ManifestError when hash or geometry disagree with the manifest."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._model = open_model(folder, task="detect", threads=threads)

    @property
    def manifest(self) -> Manifest:
        """What the model's folder says."""
        return self._model.manifest

    def detect(self, picture: Picture, floor: float | None = None) -> list[Found]:
        """Things above their label's threshold (or above `floor`), most confident first."""
        seen = detect(self._model, picture, floor=floor)
        return [Found(b.label, (b.x0, b.y0, b.x1, b.y1), b.confidence) for b in seen]


class AttributeReader:
    """A `classify` model. Raises ManifestError when hash or geometry disagree with the manifest."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._model = open_model(folder, task="classify", threads=threads)

    @property
    def manifest(self) -> Manifest:
        """What the model's folder says."""
        return self._model.manifest

    def read(self, picture: Picture, box: Box) -> dict[str, float] | None:
        """Calibrated probability of each label that can be told; None when none can."""
        (head,) = read_attributes(self._model, picture, [Seen("head", *box, 1.0)])
        return head.attributes


def overlaps(box: Box, others: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Intersection over union of one box with each of the others [n, 4]."""
    one = np.array([box], dtype=np.float32)
    table = all_overlaps(one, np.asarray(others, dtype=np.float32).reshape(-1, 4))
    return np.asarray(table[0], dtype=np.float32)
