"""The label file that machine labelling writes: for each picture, the full list of labels that
replaces the source's."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from models.truth import Label, Photo


def write_labels(photos: Sequence[Photo], path: Path) -> None:
    """One JSON object, `source/name` to labels."""
    content = {key(photo): [asdict(label) for label in photo.labels] for photo in photos}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")


def merge_labels(photos: Sequence[Photo], paths: Sequence[Path]) -> list[Photo]:
    """The same pictures with the labels of the files, where they have them."""
    content: dict[str, Any] = {}
    for path in paths:
        content |= json.loads(path.read_text(encoding="utf-8"))
    return [
        replace(photo, labels=tuple(_label(row) for row in content[key(photo)]))
        if key(photo) in content
        else photo
        for photo in photos
    ]


def _label(row: dict[str, Any]) -> Label:
    points = tuple((float(x), float(y)) for x, y in row.get("points", ()))
    return Label(**(row | {"box": tuple(row["box"]), "points": points}))


def key(photo: Photo) -> str:
    """Name of a picture across folders."""
    return f"{photo.source}/{photo.path.name}"
