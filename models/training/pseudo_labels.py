"""Machine labelling: heads that the sources left out, persons, and head boxes moved to where a
head detector sees them."""

import argparse
import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from edge_agent.cameras.eyes.boxes import suppress
from models.labels_file import write_labels
from models.reading import Found, HeadDetector, overlaps
from models.training.detector import COCO_PERSON, Detector, flatten, load_published
from models.training.scenes import letterbox, read_picture
from models.truth import Box, Label, Photo, read_truth

SAME = 0.4
"""Overlap from which a detection and a label are one head."""
SURE, DOUBTFUL = 0.6, 0.15
BY_HAND = "hardhat"
"""The source whose head boxes were drawn by hand and stay as they are."""
CAFE, CAFE_HEADS = "cafe", Path(__file__).with_name("cafe_heads.csv")
"""Heads of a source that labels persons only: found by a detector, those that are right chosen by
eye, some that are wrong kept as mistakes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the label file `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders with labels.csv"
    )
    parser.add_argument(
        "--detector", type=Path, required=True, help="model folder of a first head detector"
    )
    parser.add_argument(
        "--persons", type=Path, required=True, help="yolox_nano.onnx, finds persons"
    )
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    photos = [photo for folder in arguments.data for photo in read_truth(folder)]
    heads = HeadDetector(arguments.detector)
    coco = Detector(1)
    load_published(coco, arguments.persons, (COCO_PERSON,))
    coco.eval()
    labelled = []
    chosen = read_chosen(CAFE_HEADS)
    for photo in tqdm(photos, mininterval=5):
        if photo.source == CAFE:
            labelled.append(replace(photo, labels=tuple(add_chosen(photo, chosen))))
            continue
        found = [
            item
            for item in heads.detect(read_picture(photo), floor=DOUBTFUL)
            if item.label == "head"
        ]
        persons = find_persons(coco, photo)
        labelled.append(replace(photo, labels=tuple(relabel(photo, found, persons))))
    write_labels(labelled, arguments.out)
    return 0


def relabel(photo: Photo, heads: Sequence[Found], persons: Sequence[Found]) -> list[Label]:
    """The labels of a photograph completed: sure detections become labels, doubtful ones are
    ignored."""
    labels = []
    used: set[int] = set()
    boxes = np.array([item.box for item in heads]).reshape(-1, 4)
    for label in photo.labels:
        if label.kind == "head" and len(boxes):
            shares = overlaps(label.box, boxes)
            best = int(np.argmax(shares))
            used |= {int(index) for index in np.flatnonzero(shares > SAME)}
            if photo.source != BY_HAND and shares[best] > SAME and heads[best].confidence > 0.3:
                mean = (np.array(label.box) + 2 * boxes[best]) / 3
                label = replace(
                    label, box=(float(mean[0]), float(mean[1]), float(mean[2]), float(mean[3]))
                )
        labels.append(label)
    for index, item in enumerate(heads):
        if photo.source == BY_HAND:
            break
        if any(is_inside(item.box, label.box) for label in photo.labels if label.kind == "head"):
            continue
        if index not in used and any(is_on_top(item, person) for person in persons):
            labels.append(Label(item.box, is_ignored=item.confidence < SURE))
    given = np.array([label.box for label in photo.labels if label.kind == "person"]).reshape(-1, 4)
    for item in persons:
        if len(given) and overlaps(item.box, given).max() > SAME:
            continue
        labels.append(Label(item.box, kind="person", is_ignored=item.confidence < SURE))
    if not any(label.kind == "head" for label in photo.labels):
        labels += [_top(label) for label in photo.labels if label.kind == "person"]
    return labels


def read_chosen(path: Path) -> dict[str, list[Label]]:
    """Heads and mistakes chosen by eye, by the name of the picture."""
    chosen: dict[str, list[Label]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            x0, y0, x1, y1 = (float(row[name]) for name in ("x0", "y0", "x1", "y1"))
            chosen[row["file"]].append(Label((x0, y0, x1, y1), kind=row["label"]))
    return chosen


def add_chosen(photo: Photo, chosen: Mapping[str, Sequence[Label]]) -> list[Label]:
    """The persons of the photograph with the heads chosen; of a person without one, the place where
    the head must be is left out of the loss."""
    heads = chosen.get(photo.path.name, [])
    labels = [*photo.labels, *heads]
    for person in photo.labels:
        on_top = (
            is_on_top(Found("head", head.box, 1.0), Found("person", person.box, 1.0))
            for head in heads
            if head.kind == "head"
        )
        if not any(on_top):
            labels.append(_top(person))
    return labels


def _top(person: Label) -> Label:
    """Where the head of a person must be that no one labelled."""
    x0, y0, x1, y1 = person.box
    return Label((x0, y0, x1, y0 + 0.45 * (y1 - y0)), is_ignored=True)


def is_inside(part: Box, whole: Box) -> bool:
    """Does more than half of the part lie in the whole? An eye or an ear of a labelled head is no
    head."""
    width = min(part[2], whole[2]) - max(part[0], whole[0])
    height = min(part[3], whole[3]) - max(part[1], whole[1])
    area = (part[2] - part[0]) * (part[3] - part[1])
    return width > 0 and height > 0 and width * height > 0.5 * area


def is_on_top(head: Found, person: Found) -> bool:
    """Does the head sit where a person's head sits? An unlabelled detection elsewhere is taken for
    a mistake."""
    x0, y0, x1, y1 = person.box
    centre_x, centre_y = (head.box[0] + head.box[2]) / 2, (head.box[1] + head.box[3]) / 2
    width, height = head.box[2] - head.box[0], head.box[3] - head.box[1]
    return (
        x0 <= centre_x <= x1
        and y0 - 0.1 * height <= centre_y <= y0 + 0.4 * (y1 - y0)
        and width <= 0.9 * (x1 - x0)
        and height <= 0.6 * (y1 - y0)
    )


@torch.no_grad()
def find_persons(net: Detector, photo: Photo, size: int = 416) -> list[Found]:
    """Persons that the published COCO weights see."""
    picture = read_picture(photo)
    scale = min(size / picture.shape[1], size / picture.shape[0])
    canvas = letterbox(photo, size).picture
    tensor = torch.from_numpy(canvas.transpose(2, 0, 1)[None].copy()).float()
    boxes, objects, kinds, _ = flatten(net(tensor))
    scores = (torch.sigmoid(objects[0]) * torch.sigmoid(kinds[0, :, 0])).numpy()
    kept = np.flatnonzero(scores > 0.2)
    places = boxes[0].numpy()
    chosen = kept[suppress(places[kept], scores[kept], 0.6)]
    height, width = picture.shape[:2]
    limit = np.array([width, height, width, height])
    found = []
    for index in chosen:
        x0, y0, x1, y1 = np.clip(places[index] / scale, 0, limit)
        found.append(
            Found("person", (float(x0), float(y0), float(x1), float(y1)), float(scores[index]))
        )
    return found


if __name__ == "__main__":
    raise SystemExit(main())
