"""Measure what no photograph is labelled for, on drawings over validation photographs: masks worn
wrongly, and heads from behind."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.figures import Counts, proportion, table
from models.labels_file import merge_labels
from models.reading import AttributeReader
from models.training.crops import Head, cut_heads
from models.training.drawn import draw_back, draw_mask_on_face
from models.truth import read_truth
from models.validation import split

EDGES = {"worn well": (0.2, 0.7), "nose out": (1.2, 1.8), "under the chin": (2.2, 3.2)}


def main(argv: Sequence[str] | None = None) -> int:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="with faces' points")
    parser.add_argument("--model", type=Path, required=True, help="folder of the classifier")
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args(argv)
    _, photos = split(read_truth(arguments.data))
    heads = [
        head
        for photo in merge_labels(photos, arguments.labels)
        for head in cut_heads(photo, smallest_px=24.0)
        if head.label.points and head.label.mask == 0 and has_chin(head)
    ]
    print(measure(heads, AttributeReader(arguments.model), arguments.seed))
    return 0


def has_chin(head: Head) -> bool:
    """Is there room below the face for a mask under the chin?"""
    y0, y1 = head.label.box[1], head.label.box[3]
    return y1 + 0.05 * (y1 - y0) < head.picture.shape[0]


def measure(heads: Sequence[Head], reader: AttributeReader, seed: int) -> str:
    """How often each drawing is read as what it is."""
    random = np.random.default_rng(seed)
    yes = reader.manifest.thresholds["mask_wrong"].yes
    rows = []
    for name in ("as it is", *EDGES, "from behind"):
        wrong, told = Counts(), 0
        for head in heads:
            picture, label = head.picture, replace(head.label)
            if name in EDGES:
                edge = random.uniform(*EDGES[name])
                picture = draw_mask_on_face(picture, list(label.points), random, edge)
            elif name == "from behind":
                picture = draw_back(picture, label.box, random)
            said = reader.read(picture, label.box)
            if said is None or "mask_wrong" not in said:
                continue
            told += 1
            wrong += (
                Counts(true_positive=1) if said["mask_wrong"] >= yes else Counts(false_negative=1)
            )
        rows.append((name, proportion((told, len(heads))), proportion(wrong.recall)))
    return table(("drawn", "mask can be told", "said to be worn wrongly"), rows)


if __name__ == "__main__":
    raise SystemExit(main())
