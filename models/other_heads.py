"""Heads that a source did not label, seen by eye: with them precision can be counted there."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from models.truth import Label, Photo, TruthError

OTHER_HEADS = Path(__file__).with_name("other_heads.csv")
"""Every photograph that was looked through: a row for each further head, or one without a box."""


def with_other_heads(photos: Iterable[Photo], path: Path = OTHER_HEADS) -> list[Photo]:
    """The photographs that were looked through become complete; their further heads are ignored:
    they count neither as found nor as missed. Raises TruthError."""
    seen = read_other_heads(path)
    return [
        replace(photo, labels=(*photo.labels, *seen[key]), is_complete=True)
        if (key := (photo.source, photo.path.name)) in seen
        else photo
        for photo in photos
    ]


def read_other_heads(path: Path) -> dict[tuple[str, str], tuple[Label, ...]]:
    """Further heads by (source, file). Raises TruthError naming the line."""
    seen: dict[tuple[str, str], tuple[Label, ...]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            key = (row["source"], row["file"])
            corners = [row[name] for name in ("x0", "y0", "x1", "y1")]
            more: tuple[Label, ...] = ()
            if any(corners):
                try:
                    x0, y0, x1, y1 = (float(corner) for corner in corners)
                except (TypeError, ValueError) as error:
                    raise TruthError(f"{path}: line {reader.line_num}: {error}") from error
                more = (Label((x0, y0, x1, y1), is_ignored=True),)
            seen[key] = seen.get(key, ()) + more
    return seen
