"""Reads what heads wear with a `classify` model; says "cannot tell" where it cannot."""

import math
from collections.abc import Sequence
from enum import Enum

import msgspec
import numpy as np

from contracts.events import Box
from contracts.model_manifest import Decision, Limits
from edge_agent.cameras.eyes.inference import Model
from edge_agent.cameras.eyes.tensors import cut, fit, to_tensor
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.pictures import grey, resize, sharpness


class Answer(Enum):
    """What a probability means. UNSURE and UNKNOWN are neither fine nor a violation."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
    """Read, and between the thresholds: it speaks against a "no" as much as against a "yes"."""
    UNKNOWN = "cannot tell"
    """Nothing was read: too small, too poor, no face."""

    @property
    def is_clear(self) -> bool:
        """Whether it says anything."""
        return self in (Answer.YES, Answer.NO)


def decide(probability: float | None, decision: Decision, *, by_infrared: bool = False) -> Answer:
    """Yes, no, in between "unsure", without a probability "cannot tell"."""
    if probability is None:
        return Answer.UNKNOWN
    if probability >= decision.yes:
        return Answer.YES
    no = decision.yes if decision.no is None else decision.no
    if by_infrared and decision.no_infrared is not None:
        no = decision.no_infrared
    if probability <= no:
        return Answer.NO
    return Answer.UNSURE


def read_attributes(
    model: Model, picture: Picture, heads: Sequence[Box], *, mirrored: bool = False
) -> list[Box]:
    """The heads with calibrated probabilities of what can be told, or None where the crop is too
    small or too poor to tell anything. `mirrored` reads the same heads left for right: another
    view, about which a sound answer does not change."""
    wanted, limits = model.manifest.input, model.manifest.limits
    crops: list[Picture] = []
    told: list[int] = []
    for index, head in enumerate(heads):
        if min(head.x1 - head.x0, head.y1 - head.y0) < limits.min_box_px:
            continue
        crop, _ = fit(cut(picture, head, wanted.crop_margin), wanted)
        if _good_enough(resize(crop, wanted.width, wanted.height), limits):
            crops.append(np.ascontiguousarray(crop[:, ::-1]) if mirrored else crop)
            told.append(index)
    answers: list[dict[str, float] | None] = [None] * len(heads)
    if crops:
        (logits,) = model.run(to_tensor(crops, wanted))
        for index, row in zip(told, logits, strict=True):
            answers[index] = _probabilities(model, [float(value) for value in row]) or None
    return [
        msgspec.structs.replace(head, attributes=answer)
        for head, answer in zip(heads, answers, strict=True)
    ]


def both_read(one: Box, other: Box) -> dict[str, float]:
    """What two readings of a head say together: the mean of their log odds, of the labels that
    both could tell."""
    first, second = one.attributes or {}, other.attributes or {}
    return {label: _middle(first[label], second[label]) for label in first if label in second}


def _middle(one: float, other: float) -> float:
    odds = [max(p, 1e-9) / max(1 - p, 1e-9) for p in (one, other)]
    middle = math.sqrt(odds[0] * odds[1])
    return middle / (1 + middle)


def _probabilities(model: Model, logits: Sequence[float]) -> dict[str, float]:
    """Every label that is told; one whose gate is no clear yes is left out: "cannot tell"."""
    manifest = model.manifest
    read = {
        label: float(
            1 / (1 + np.exp(-np.clip(logit / manifest.calibration.get(label, 1.0), -60, 60)))
        )
        for label, logit in zip(manifest.output.labels, logits, strict=True)
    }
    gates = manifest.output.gates
    shut = {gate for gate in gates.values() if read[gate] < manifest.thresholds[gate].yes}
    return {label: read[label] for label in manifest.output.told if gates.get(label) not in shut}


def _good_enough(crop: Picture, limits: Limits) -> bool:
    if not limits.min_contrast and not limits.min_sharpness:
        return True
    levels = grey(crop)
    return float(levels.std()) >= limits.min_contrast and sharpness(levels) >= limits.min_sharpness
