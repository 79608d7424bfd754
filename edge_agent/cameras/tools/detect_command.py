"""`foodsentry vision detect`: what the models see in pictures."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from contracts.events import Box
from contracts.model_manifest import ManifestError
from edge_agent.cameras.eyes.attributes import read_attributes
from edge_agent.cameras.eyes.detect import detect
from edge_agent.cameras.frames import SourceError
from edge_agent.cameras.pictures import read_picture
from edge_agent.cameras.pipeline import HEAD, Models
from edge_agent.cameras.sources.capture import prepare_opencv
from edge_agent.cameras.workers import open_models

LARGEST_PX = 60_000_000


def add_detect(
    leaves: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Register `detect`."""
    leaf = leaves.add_parser("detect", parents=[common], help="heads and persons in pictures")
    leaf.add_argument("--json", action="store_true", help="one JSON line per picture")
    leaf.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    leaf.set_defaults(run=run_detect)


def run_detect(arguments: argparse.Namespace) -> int:
    """Print what is in each picture; 1 if one could not be read, 2 if a model is refused."""
    try:
        models = open_models(arguments.models, arguments.detector, arguments.attributes)
    except ManifestError as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 2
    prepare_opencv()
    labels = models.classifier.manifest.output.told
    status = 0
    for path in arguments.images:
        try:
            boxes = see(models, path)
        except SourceError as error:
            print(f"foodsentry: {error}", file=sys.stderr)
            status = 1
            continue
        if arguments.json:
            print(msgspec.json.encode(as_line(path, boxes, labels)).decode(), flush=True)
        else:
            print(path)
            for box in boxes:
                place = f"{box.x0:.0f},{box.y0:.0f}-{box.x1:.0f},{box.y1:.0f}"
                print(f"  {box.label:8} {box.confidence:.2f}  {place}  {_told(box)}")
    return status


def see(models: Models, path: Path) -> list[Box]:
    """Everything in a picture file, heads with attributes. Raises SourceError."""
    picture = read_picture(path, LARGEST_PX)
    found = detect(models.detector, picture)
    heads = [box for box in found if box.label == HEAD]
    read = read_attributes(models.classifier, picture, heads)
    return read + [box for box in found if box.label != HEAD]


def as_line(path: Path, boxes: list[Box], labels: Sequence[str]) -> dict[str, Any]:
    """One line of `vision detect --json`: of each of the classifier's `labels` a probability, or
    null where it cannot be told."""
    return {
        "file": str(path),
        "detections": [
            {
                "label": box.label,
                "box": [round(value, 1) for value in (box.x0, box.y0, box.x1, box.y1)],
                "confidence": round(box.confidence, 4),
                "attributes": None
                if box.attributes is None
                else {label: _rounded(box.attributes.get(label)) for label in labels},
            }
            for box in boxes
        ],
    }


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 4)


def _told(box: Box) -> str:
    if box.label != HEAD:
        return ""
    if box.attributes is None:
        return "cannot tell"
    return "  ".join(f"{label} {value:.2f}" for label, value in box.attributes.items())
