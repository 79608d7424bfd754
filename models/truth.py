"""Labelled photographs as truth: a folder with `labels.csv`, and head boxes made from face
boxes."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the saved picture."""

UNKNOWN = -1
CROWN = 0.36
"""How far a bare head reaches above its face box, in heights of the face."""

_ANSWERS = {"1": 1, "0": 0, "-1": UNKNOWN, "": UNKNOWN, "no_helmet": 0, "helmet": UNKNOWN}
"""A helmet is not a kitchen hat: unknown."""


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled head or person; attributes are 1 yes, 0 no, -1 unknown."""

    box: Box
    kind: str = "head"
    hat: int = UNKNOWN
    mask: int = UNKNOWN
    mask_wrong: int = UNKNOWN
    """A mask is there, but nose or mouth are not under it."""
    face: int = UNKNOWN
    """The face is turned to the camera far enough to say something of a mask."""
    points: tuple[tuple[float, float], ...] = ()
    """Eyes, nose, corners of the mouth, where a face detector found them."""
    is_cut: bool = False
    """The picture's edge cuts off more than half of the head above the face: whether it wears a
    hat can hardly be seen."""
    is_ignored: bool = False
    """Something is there that may or may not count: neither asked for nor held against the
    detector."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture with its labels; `source` is the folder it comes from."""

    path: Path
    source: str
    labels: tuple[Label, ...] = ()
    is_complete: bool = True
    """All heads are labelled, so that a detection without a label is a mistake."""


class TruthError(ValueError):
    """A label file that cannot be used; the message names file, line and column."""


def contains(box: Box, x: float, y: float) -> bool:
    """Does the point lie in the box?"""
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def head_from_face(face: Box, has_hat: bool, width: int, height: int) -> Box:
    """Head box (hat included, as far as a helmet would reach) from a face detector's box, clipped
    to the picture.

    The shares were chosen so that the boxes agree with the hand-drawn head boxes of the hardhat
    source.
    """
    x0, y0, x1, y1 = face
    side, below = 0.17 * (x1 - x0), 0.03 * (y1 - y0)
    above = (0.62 if has_hat else CROWN) * (y1 - y0)
    return (
        max(0.0, x0 - side),
        max(0.0, y0 - above),
        min(float(width), x1 + side),
        min(float(height), y1 + below),
    )


def read_truth(folder: Path) -> list[Photo]:
    """Photographs of `folder/labels.csv` (pictures beside it or under `images/`).

    Columns: file, x0, y0, x1, y1; `label` (head, person) says that the boxes are of whole heads,
    without it they are faces; `hat`, `mask` and `incorrect` (a mask worn wrongly) are 1, 0, -1 or
    empty. Raises TruthError.
    """
    path = folder / "labels.csv"
    rows: dict[str, list[tuple[int, dict[str, str]]]] = defaultdict(list)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            if missing := {"file", "x0", "y0", "x1", "y1"} - columns:
                raise TruthError(f"{path}: no column {sorted(missing)}")
            for row in reader:
                rows[row["file"]].append((reader.line_num, row))
    except OSError as error:
        raise TruthError(f"{path}: {error}") from error
    are_faces = "label" not in columns
    photos = []
    for name, found in sorted(rows.items()):
        picture_path = folder / name if (folder / name).exists() else folder / "images" / name
        size = _size(picture_path) if are_faces else (0, 0)
        labels = tuple(_label(path, line, row, size, are_faces) for line, row in found)
        parent = picture_path.parent
        source = folder.name if parent in (folder, folder / "images") else parent.name
        photos.append(Photo(picture_path, source, labels, is_complete=not are_faces))
    return photos


def _label(
    path: Path, line: int, row: Mapping[str, str], size: tuple[int, int], is_face: bool
) -> Label:
    try:
        x0, y0, x1, y1 = (float(row[name]) for name in ("x0", "y0", "x1", "y1"))
        hat, mask, wrong = (_ANSWERS[row.get(name) or ""] for name in ("hat", "mask", "incorrect"))
    except (TypeError, ValueError, KeyError) as error:
        raise TruthError(f"{path}: line {line}: {error}") from error
    if not (x0 < x1 and y0 < y1):
        raise TruthError(f"{path}: line {line}: x0 < x1 and y0 < y1 must hold")
    box = (x0, y0, x1, y1)
    is_cut = is_face and y0 < CROWN / 2 * (y1 - y0)
    if is_face:
        box = head_from_face(box, hat == 1, *size)
    return Label(
        box,
        kind=row.get("label") or "head",
        hat=hat,
        mask=mask,
        mask_wrong=wrong,
        face=1 if is_face else UNKNOWN,
        is_cut=is_cut,
    )


def _size(path: Path) -> tuple[int, int]:
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise TruthError(f"{path}: not a readable picture")
    return picture.shape[1], picture.shape[0]
