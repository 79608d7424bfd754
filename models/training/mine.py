"""Hard negatives: where a detector sees a head though nobody is there, for the next round."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from models.labels_file import merge_labels, write_labels
from models.reading import Found, HeadDetector, overlaps
from models.training.pseudo_labels import is_inside, is_on_top
from models.training.scenes import read_picture
from models.truth import Label, Photo, read_truth
from models.validation import split

FLOOR = 0.2
NOTHING = "nothing"
"""Kind of a label that marks a mistake of a detector."""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the label file `--out`: the labels so far and the mistakes found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="labelled folders")
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="label files so far")
    parser.add_argument("--detector", type=Path, required=True, help="model folder")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    photos, _ = split([photo for folder in arguments.data for photo in read_truth(folder)])
    detector = HeadDetector(arguments.detector)
    mined = []
    for photo in tqdm(merge_labels(photos, arguments.labels), mininterval=5):
        seen = detector.detect(read_picture(photo), floor=FLOOR)
        mistakes = [item for item in seen if item.label == "head" and is_mistake(item, photo)]
        labels = [Label(item.box, kind=NOTHING) for item in mistakes]
        mined.append(replace(photo, labels=(*photo.labels, *labels)))
    write_labels(mined, arguments.out)
    return 0


def is_mistake(head: Found, photo: Photo) -> bool:
    """No labelled head near, and no person whose head this could be."""
    for label in photo.labels:
        if label.kind == "head":
            near = overlaps(label.box, [head.box])[0] > 0.05
            if near or is_inside(head.box, label.box) or is_inside(label.box, head.box):
                return False
        elif label.kind == "person" and is_on_top(head, Found("person", label.box, 1.0)):
            return False
    return any(label.kind == "head" for label in photo.labels)


if __name__ == "__main__":
    raise SystemExit(main())
