"""`foodsentry vision …`: what the models and the pipeline see, at the command line."""

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from contracts.events import Box
from contracts.model_manifest import ManifestError
from contracts.settings import SettingsError
from edge_agent.cameras.attributes import read_attributes
from edge_agent.cameras.capture import every_picture, prepare_opencv
from edge_agent.cameras.detect import detect
from edge_agent.cameras.drawing import Recording, draw
from edge_agent.cameras.frames import SourceError
from edge_agent.cameras.pictures import read_picture
from edge_agent.cameras.pipeline import HEAD, Look, Models
from edge_agent.cameras.replay import play
from edge_agent.cameras.scene import Scene, Wear, Zone, ZoneKind, read_scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.workers import open_models

ROOT = Path(__file__).resolve().parents[2]
LARGEST_PX = 60_000_000


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `vision` with its sub-commands."""
    parser = subparsers.add_parser("vision", help="cameras: detect in pictures, annotate videos")
    leaves = parser.add_subparsers(dest="vision_command", metavar="COMMAND", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models")
    common.add_argument("--detector", default="kitchen_heads")
    common.add_argument("--attributes", default="head_attributes")

    leaf = leaves.add_parser("detect", parents=[common], help="heads and persons in pictures")
    leaf.add_argument("--json", action="store_true", help="one JSON line per picture")
    leaf.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    leaf.set_defaults(run=run_detect)

    leaf = leaves.add_parser("annotate", parents=[common], help="draw what the pipeline saw")
    leaf.add_argument("--scene", type=Path, help="scene file; else one zone: the whole picture")
    leaf.add_argument("video", type=Path, metavar="VIDEO")
    leaf.add_argument("out", type=Path, metavar="OUT.mp4")
    leaf.set_defaults(run=run_annotate)


def run_detect(arguments: argparse.Namespace) -> int:
    """Print what is in each picture; 1 if one could not be read, 2 if a model is refused."""
    try:
        models = open_models(arguments.models, arguments.detector, arguments.attributes)
    except ManifestError as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 2
    prepare_opencv()
    status = 0
    for path in arguments.images:
        try:
            boxes = see(models, path)
        except SourceError as error:
            print(f"foodsentry: {error}", file=sys.stderr)
            status = 1
            continue
        if arguments.json:
            print(msgspec.json.encode(as_line(path, boxes)).decode(), flush=True)
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


def as_line(path: Path, boxes: list[Box]) -> dict[str, Any]:
    """One line of `vision detect --json`."""
    return {
        "file": str(path),
        "detections": [
            {
                "label": box.label,
                "box": [round(value, 1) for value in (box.x0, box.y0, box.x1, box.y1)],
                "confidence": round(box.confidence, 4),
                "attributes": None
                if box.attributes is None
                else {label: round(value, 4) for label, value in box.attributes.items()},
            }
            for box in boxes
        ],
    }


def _told(box: Box) -> str:
    if box.label != HEAD:
        return ""
    if box.attributes is None:
        return "cannot tell"
    return "  ".join(f"{label} {value:.2f}" for label, value in box.attributes.items())


def run_annotate(arguments: argparse.Namespace) -> int:
    """Write the annotated video and print every observation as a JSON line."""
    try:
        models = open_models(arguments.models, arguments.detector, arguments.attributes)
        scene = read_scene(arguments.scene) if arguments.scene else WHOLE
        annotate(models, scene, arguments.video, arguments.out)
    except (ManifestError, SettingsError) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 2
    except (SourceError, OSError) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    return 0


WHOLE = Scene(
    version=1,
    title="whole picture",
    zones=(
        Zone(
            "picture",
            ZoneKind.SPECIAL_ROOM,
            ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
            required=(Wear.HAT, Wear.MASK),
        ),
    ),
)


def annotate(models: Models, scene: Scene, video: Path, out: Path) -> None:
    """Play a video through the pipeline; draw it into `out`; print the observations.

    Raises SourceError, OSError.
    """
    prepare_opencv()
    settings = CameraSettings("annotate", f"file:{video}", "annotate")
    recording: Recording | None = None
    look: Look | None = None
    try:
        for step in play(every_picture(video, LARGEST_PX), settings, scene, models):
            for fact in step.facts:
                if fact.kind == "observations":
                    print(msgspec.json.encode(fact.data).decode(), flush=True)
            look = step.outcome.look or look
            sight = step.pipeline.watch.sight
            picture = step.outcome.frame.picture
            shown = draw(picture, scene, look, sight, list(step.open_kinds))
            if recording is None:
                size = (shown.shape[1], shown.shape[0])
                recording = Recording(str(out), settings.looks_per_s, *size)
            recording.add(shown)
    finally:
        if recording is not None:
            recording.close()
