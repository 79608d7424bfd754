"""Fitting probabilities to what was true on the validation photographs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.truth import UNKNOWN

FEWEST_ERRORS = 5
"""With fewer wrong answers there is nothing to fit: temperature 1, no shift."""


def calibrate(
    logits: npt.NDArray[np.float32], truth: npt.NDArray[np.int64], sources: Sequence[str]
) -> tuple[float, float]:
    """(temperature, shift) with the smallest log loss of sigmoid((logit + shift) / temperature).

    The shift undoes the oversampling of rare answers in training; the export folds it into the
    last layer. Only sources that know both answers count: the others say nothing of the balance.
    """
    names = np.array(sources)
    mixed = [
        name
        for name in sorted(set(sources))
        if {0, 1} <= {int(value) for value in truth[names == name]}
    ]
    known = (truth != UNKNOWN) & np.isin(names, mixed)
    sign = np.where(truth[known] == 1, 1.0, -1.0)
    if int((sign * logits[known] < 0).sum()) < FEWEST_ERRORS:
        return 1.0, 0.0
    best = (np.inf, 1.0, 0.0)
    for temperature in np.exp(np.linspace(np.log(0.5), np.log(4.0), 61)):
        for shift in np.linspace(-3, 3, 61):
            loss = float(np.logaddexp(0.0, -sign * (logits[known] + shift) / temperature).mean())
            best = min(best, (loss, float(temperature), float(shift)))
    return round(best[1], 3), round(best[2], 3)
