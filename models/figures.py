"""Figures of merit with their uncertainty: counts, Wilson intervals, calibration error, Markdown
tables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Hits, false alarms, misses and (for yes/no questions) correct rejections."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
            self.true_negative + other.true_negative,
        )

    @property
    def precision(self) -> tuple[int, int]:
        """(hits, all that was said)."""
        return self.true_positive, self.true_positive + self.false_positive

    @property
    def recall(self) -> tuple[int, int]:
        """(hits, all that was true)."""
        return self.true_positive, self.true_positive + self.false_negative

    @property
    def accuracy(self) -> tuple[int, int]:
        """(right answers, all answers)."""
        right = self.true_positive + self.true_negative
        return right, right + self.false_positive + self.false_negative

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; nan when nothing was true or said."""
        total = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / total if total else math.nan


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a proportion; (0, 1) when there is nothing to judge by."""
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    middle = share + z * z / (2 * total)
    scale = 1 + z * z / total
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def proportion(pair: tuple[int, int]) -> str:
    """`.950 [.930, .965]`, or a dash when there is nothing to judge by."""
    hits, total = pair
    if total == 0:
        return "–"
    low, high = wilson(hits, total)
    return f"{hits / total:.3f} [{low:.3f}, {high:.3f}]"


def calibration_error(
    probabilities: Sequence[float], truths: Sequence[bool], bins: int = 10
) -> float:
    """Mean gap between what was said and what was true, over equally wide bins, weighted by their
    size."""
    if not probabilities:
        return math.nan
    sums = [[0.0, 0.0, 0.0] for _ in range(bins)]
    for probability, truth in zip(probabilities, truths, strict=True):
        chosen = sums[min(bins - 1, int(probability * bins))]
        chosen[0] += probability
        chosen[1] += truth
        chosen[2] += 1
    return sum(abs(said - true) for said, true, _ in sums) / len(probabilities)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
