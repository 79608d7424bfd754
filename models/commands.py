"""`foodsentry models list | verify | evaluate | clips`: what is committed, whether it is whole, how
well it does."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from contracts.model_manifest import MANIFEST_NAME, ManifestError, read_manifest
from models.clips_command import add_clips

COMMITTED = Path(__file__).parent
DETECTOR, CLASSIFIER = "kitchen_heads", "head_attributes"


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `models` and what is under it."""
    parser = subparsers.add_parser("models", help="the networks: list, verify, evaluate")
    under = parser.add_subparsers(dest="models_command", required=True)

    listing = under.add_parser("list", help="models with version, task and licence")
    listing.add_argument("folder", type=Path, nargs="?", default=COMMITTED, help="folder of models")
    listing.set_defaults(run=list_models)

    verifying = under.add_parser("verify", help="check every model's hash and geometry")
    verifying.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=COMMITTED,
        help="a model folder, or a folder of them",
    )
    verifying.set_defaults(run=verify_models)

    evaluating = under.add_parser("evaluate", help="measure the models on labelled photographs")
    evaluating.add_argument("folder", type=Path, help="folder with labels.csv and its pictures")
    evaluating.add_argument("--models", type=Path, default=COMMITTED, help="folder of models")
    evaluating.add_argument(
        "--part",
        choices=("all", "validation"),
        default="all",
        help="validation: only the pictures that training leaves out",
    )
    evaluating.add_argument(
        "--sweep", action="store_true", help="recall and precision of heads by threshold instead"
    )
    evaluating.add_argument("--json", type=Path, help="also write the figures to this file")
    evaluating.add_argument(
        "--labels", type=Path, nargs="*", default=[], help="label files with corrected answers"
    )
    evaluating.add_argument(
        "--by-eye",
        action="store_true",
        help="with what was seen by eye on the photographs that this project knows",
    )
    evaluating.add_argument(
        "--pictures", type=Path, help="folder for sheets of the mistakes and reliability diagrams"
    )
    evaluating.set_defaults(run=evaluate_models)

    add_clips(under)


def list_models(arguments: argparse.Namespace) -> int:
    """One line a model; 1 if a manifest cannot be read or there is none."""
    return _each_model(arguments.folder, _describe)


def verify_models(arguments: argparse.Namespace) -> int:
    """One line a model; 1 if one is refused or there is none."""
    return _each_model(arguments.folder, _verify)


def evaluate_models(arguments: argparse.Namespace) -> int:
    """Tables in Markdown on standard output; 1 if labels or models cannot be used."""
    # Vision libraries are large: other commands must not pay for them.
    from models.corrections import corrected
    from models.evaluate import measure, render, summary
    from models.labels_file import merge_labels
    from models.mistakes import write_pictures
    from models.other_heads import with_other_heads
    from models.reading import AttributeReader, HeadDetector
    from models.sweep import render_sweep, sweep
    from models.truth import TruthError, read_truth
    from models.validation import VALIDATION_ONLY, split

    try:
        photos = read_truth(arguments.folder)
        if arguments.part == "validation":
            outside = [photo for photo in photos if photo.source == VALIDATION_ONLY]
            photos = split(photos)[1] + outside
        photos = merge_labels(photos, arguments.labels)
        if arguments.by_eye:
            photos = with_other_heads(corrected(photos))
        detector = HeadDetector(arguments.models / DETECTOR)
        if arguments.sweep:
            print(render_sweep(sweep(photos, detector)))
            return 0
        reader = AttributeReader(arguments.models / CLASSIFIER)
        result = measure(photos, detector, reader)
    except (TruthError, ManifestError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(render(result, detector, reader))
    if arguments.pictures:
        try:
            written = write_pictures(result, arguments.pictures)
        except OSError as error:
            print(error, file=sys.stderr)
            return 1
        print(*written, sep="\n", file=sys.stderr)
    if arguments.json:
        arguments.json.write_text(json.dumps(summary(result), indent=2) + "\n", encoding="utf-8")
    return 0


def _each_model(folder: Path, say: Callable[[Path], str]) -> int:
    is_model = (folder / MANIFEST_NAME).exists()
    folders = [folder] if is_model else sorted(p.parent for p in folder.glob(f"*/{MANIFEST_NAME}"))
    if not folders:
        print(f"{folder}: no {MANIFEST_NAME} here or one level below", file=sys.stderr)
        return 1
    code = 0
    for found in folders:
        try:
            print(say(found))
        except ManifestError as error:
            print(error, file=sys.stderr)
            code = 1
    return code


def _describe(folder: Path) -> str:
    manifest = read_manifest(folder)
    labels = ", ".join(manifest.output.labels)
    size = f"{manifest.input.width}x{manifest.input.height}"
    return (
        f"{manifest.id} {manifest.version}  {manifest.task}  {size}  {labels}  {manifest.licence}"
    )


def _verify(folder: Path) -> str:
    from edge_agent.cameras.eyes.inference import open_model

    manifest = open_model(folder, task=read_manifest(folder).task).manifest
    return f"{manifest.id} {manifest.version}: sha256 and geometry agree"
