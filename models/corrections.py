"""What was seen by eye on the photographs where their sources are wrong or say nothing."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.truth import Label, Photo, contains

CORRECTIONS = Path(__file__).with_name("corrections.csv")
"""Hats and masks of the hygiene photographs: places and answers, no pictures."""


def corrected(photos: Iterable[Photo], path: Path = CORRECTIONS) -> list[Photo]:
    """The photographs with what was seen by eye."""
    by_file: dict[tuple[str, str], list[Correction]] = {}
    for one in read_corrections(path):
        by_file.setdefault((one.source, one.file), []).append(one)
    return [
        replace(
            photo,
            labels=tuple(
                correct(label, photo, by_file.get((photo.source, photo.path.name), ()))
                for label in photo.labels
            ),
        )
        for photo in photos
    ]


def correct(label: Label, photo: Photo, corrections: Sequence["Correction"]) -> Label:
    """The label with what was seen by eye."""
    for one in corrections:
        if (one.source, one.file) == (photo.source, photo.path.name) and contains(
            label.box, one.x, one.y
        ):
            for name in ("hat", "mask", "mask_wrong"):
                if (value := getattr(one, name)) is not None:
                    label = replace(label, **{name: value})
    return label


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person, or a person with a model's help, says of the head at (x, y) of a picture."""

    source: str
    file: str
    x: float
    y: float
    hat: int | None
    mask: int | None
    mask_wrong: int | None


def read_corrections(path: Path) -> list[Correction]:
    """Rows of a corrections file; an empty answer leaves the source's label as it is."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Correction(
                row["source"],
                row["file"],
                float(row["x"]),
                float(row["y"]),
                *(int(row[name]) if row[name] else None for name in ("hat", "mask", "mask_wrong")),
            )
            for row in csv.DictReader(file)
        ]
