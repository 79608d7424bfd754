"""Batches of a training, each made from seed and step alone, whoever makes it: a resumed training
sees what an unbroken one would have seen."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from torch.utils.data import DataLoader, Dataset

Batch = TypeVar("Batch")


class Batches(Dataset[Batch]):
    """The batches of the steps from `first` to before `steps`."""

    def __init__(
        self, make: Callable[[np.random.Generator], Batch], seed: int, first: int, steps: int
    ) -> None:
        self._make, self._seed, self._first, self._steps = make, seed, first, steps

    def __len__(self) -> int:
        return max(0, self._steps - self._first)

    def __getitem__(self, index: int) -> Batch:
        if index >= len(self):
            raise IndexError(index)
        return self._make(np.random.default_rng((self._seed, self._first + index)))


def load(batches: Batches[Any], workers: int) -> "DataLoader[Any]":
    """The batches in order, made by so many processes (0: by this one)."""
    return DataLoader(
        batches,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
    )
