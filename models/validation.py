"""Which photographs teach and which measure: by source photo, with look-alikes kept on one side."""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.truth import Photo

VALIDATION_ONLY = "macwin"
"""A source without a licence: measured on, never trained on."""


def difference_hash(picture: npt.NDArray[np.uint8]) -> int:
    """64-bit perceptual hash: the signs of horizontal differences of the 9 x 8 grey picture."""
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def group_alike(hashes: Mapping[Path, int], distance: int = 6) -> dict[Path, Path]:
    """For each picture the first picture of its group; pictures whose hashes differ in few bits
    share a group."""
    paths = sorted(hashes)
    codes = np.array([hashes[path] for path in paths], dtype=np.uint64)
    parent = list(range(len(paths)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for index in range(len(paths)):
        bits = np.unpackbits((codes[index + 1 :] ^ codes[index]).view(np.uint8)).reshape(-1, 64)
        differing = bits.sum(axis=1)
        for other in np.flatnonzero(differing <= distance):
            first, second = sorted((root(index), root(index + 1 + int(other))))
            parent[second] = first
    return {path: paths[root(index)] for index, path in enumerate(paths)}


def split(photos: Iterable[Photo], share: float = 0.12) -> tuple[list[Photo], list[Photo]]:
    """(training, validation): by source photo, look-alikes together, the same on every run and
    machine."""
    found = list(photos)
    hashes = {photo.path: difference_hash(_grey(photo.path)) for photo in found}
    groups = group_alike(hashes)
    training: list[Photo] = []
    validation: list[Photo] = []
    for photo in found:
        key = f"{groups[photo.path].parent.name}/{groups[photo.path].name}"
        is_validation = zlib.crc32(key.encode()) % 1000 < share * 1000
        if photo.source == VALIDATION_ONLY:
            continue
        (validation if is_validation else training).append(photo)
    return training, validation


def _grey(path: Path) -> npt.NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ValueError(f"{path}: not a readable picture")
    return np.asarray(picture, dtype=np.uint8)
