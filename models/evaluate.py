"""Measure a detector and an attribute classifier on labelled photographs: by source, by size, with
confidence intervals."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from models.figures import Counts, calibration_error, proportion, table
from models.reading import AttributeReader, Found, HeadDetector, Picture, overlaps
from models.truth import UNKNOWN, Box, Photo, TruthError

MATCH_IOU = 0.4
"""Head boxes of different sources differ by hair and hat; above this overlap they are one head."""

SIZES = (
    ("< 12 px", 12.0),
    ("12–16 px", 16.0),
    ("16–32 px", 32.0),
    ("32–64 px", 64.0),
    ("≥ 64 px", float("inf")),
)
"""By the shorter side of the head box in the picture."""

LARGE_ENOUGH_PX = 16.0
"""From this size on, heads are asked for: the row that targets are set for."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something got wrong: `missed` and `false` heads, `hat_false_yes`, `mask_false_no` …"""

    kind: str
    photo: Photo
    box: Box
    confidence: float
    """How sure the wrong answer was; of a missed head 0."""


@dataclass(slots=True)
class Answers:
    """What the classifier said about one label: probability and truth of every head it answered
    for."""

    probabilities: list[float] = field(default_factory=list)
    truths: list[bool] = field(default_factory=list)
    undecided: int = 0

    def counts(self, threshold: float = 0.5) -> Counts:
        """Yes/no counts at a threshold."""
        pairs = list(zip(self.probabilities, self.truths, strict=True))
        return Counts(
            sum(p >= threshold and t for p, t in pairs),
            sum(p >= threshold and not t for p, t in pairs),
            sum(p < threshold and t for p, t in pairs),
            sum(p < threshold and not t for p, t in pairs),
        )


@dataclass(slots=True)
class Measured:
    """All figures of one run."""

    heads_by_source: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    heads_by_size: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    complete_by_size: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    """Only photographs on which every head is labelled: those that precision can be counted on."""
    complete_sources: set[str] = field(default_factory=set)
    answers: dict[tuple[str, str], Answers] = field(default_factory=lambda: defaultdict(Answers))
    """By (label, source)."""
    mistakes: list[Mistake] = field(default_factory=list)
    detect_s: list[float] = field(default_factory=list)
    read_s: list[float] = field(default_factory=list)


def measure(photos: Iterable[Photo], detector: HeadDetector, reader: AttributeReader) -> Measured:
    """Run both models over the photographs. Attributes are read on the detected box of a labelled
    head, or, where the detector missed it, on the labelled box, so that every labelled head counts
    once."""
    result = Measured()
    for photo in photos:
        pixels = read_picture(photo)
        started = time.perf_counter()
        found = [item for item in detector.detect(pixels) if item.label == "head"]
        result.detect_s.append(time.perf_counter() - started)
        _score_heads(result, photo, found)
        _score_attributes(result, photo, pixels, found, reader)
    return result


def read_picture(photo: Photo) -> Picture:
    """BGR pixels. Raises TruthError naming the file."""
    picture = cv2.imread(str(photo.path))
    if picture is None:
        raise TruthError(f"{photo.path}: not a readable picture")
    return np.asarray(picture, dtype=np.uint8)


def best_match(box: Box, found: Sequence[Found]) -> Found | None:
    """The detection that is this labelled head, if any."""
    if not found:
        return None
    shares = overlaps(box, [item.box for item in found])
    index = int(np.argmax(shares))
    return found[index] if shares[index] > MATCH_IOU else None


def beside_the_ignored(photo: Photo, found: Sequence[Found]) -> list[Found]:
    """The detections that are none of the heads that count neither way."""
    free = list(found)
    for label in photo.labels:
        if label.is_ignored and (one := best_match(label.box, free)) is not None:
            free.remove(one)
    return free


def count_heads(photo: Photo, found: Sequence[Found]) -> Counts:
    """Hits and misses of one photograph; mistakes too if all its heads are labelled."""
    free = list(found)
    labels = [label for label in photo.labels if label.kind == "head" and not label.is_ignored]
    hits = 0
    for label in labels:
        best = best_match(label.box, free)
        if best is not None:
            free.remove(best)
            hits += 1
    free = beside_the_ignored(photo, free)
    is_judged = photo.is_complete and bool(labels)
    return Counts(hits, len(free) if is_judged else 0, len(labels) - hits)


def _score_heads(result: Measured, photo: Photo, found: Sequence[Found]) -> None:
    labels = [label for label in photo.labels if label.kind == "head" and not label.is_ignored]
    free = list(found)
    for label in labels:
        best = best_match(label.box, free)
        name = _size_name(label.box)
        if best is None:
            count = Counts(false_negative=1)
            result.mistakes.append(Mistake("missed", photo, label.box, 0.0))
        else:
            count = Counts(true_positive=1)
            free.remove(best)
        result.heads_by_source[photo.source] += count
        result.heads_by_size[name] += count
        if photo.is_complete:
            result.complete_by_size[name] += count
    free = beside_the_ignored(photo, free)
    for item in free if labels else ():
        result.mistakes.append(Mistake("false", photo, item.box, item.confidence))
    if photo.is_complete and labels:
        result.complete_sources.add(photo.source)
        for item in free:
            result.heads_by_source[photo.source] += Counts(false_positive=1)
            result.complete_by_size[_size_name(item.box)] += Counts(false_positive=1)


def _score_attributes(
    result: Measured, photo: Photo, pixels: Picture, found: Sequence[Found], reader: AttributeReader
) -> None:
    for label in photo.labels:
        asked = {"hat": label.hat, "mask": label.mask, "mask_wrong": label.mask_wrong}
        if label.kind != "head" or all(value == UNKNOWN for value in asked.values()):
            continue
        best = best_match(label.box, found)
        started = time.perf_counter()
        said = reader.read(pixels, label.box if best is None else best.box)
        result.read_s.append(time.perf_counter() - started)
        for name, truth in asked.items():
            if truth == UNKNOWN:
                continue
            answers = result.answers[name, photo.source]
            if said is None or name not in said:
                answers.undecided += 1
            else:
                answers.probabilities.append(said[name])
                answers.truths.append(truth == 1)
                if (said[name] >= 0.5) != (truth == 1):
                    kind = f"{name}_false_{'no' if truth == 1 else 'yes'}"
                    sure = max(said[name], 1 - said[name])
                    box = label.box if best is None else best.box
                    result.mistakes.append(Mistake(kind, photo, box, sure))


def render(result: Measured, detector: HeadDetector, reader: AttributeReader) -> str:
    """The figures as Markdown."""
    parts = [
        f"## Heads ({detector.manifest.id} {detector.manifest.version}, threshold "
        f"{detector.manifest.thresholds['head'].yes}, same head from IoU {MATCH_IOU})"
    ]
    rows = [
        _head_row(name, counts, counts if name in result.complete_sources else Counts())
        for name, counts in sorted(result.heads_by_source.items())
    ]
    parts.append(table(("source", "heads", "recall", "precision"), rows))
    rows = [
        _head_row(name, result.heads_by_size[name], result.complete_by_size[name])
        for name, _ in SIZES
        if name in result.heads_by_size
    ]
    large = [name for name, limit in SIZES if limit > LARGE_ENOUGH_PX]
    rows.append(
        _head_row(
            f"≥ {LARGE_ENOUGH_PX:g} px in all",
            sum((result.heads_by_size[name] for name in large), Counts()),
            sum((result.complete_by_size[name] for name in large), Counts()),
        )
    )
    parts.append(table(("size in the picture", "heads", "recall", "precision"), rows))
    parts.append(
        "Where a source labels faces only and nobody looked for more, precision is not counted."
    )
    parts.append(f"## Attributes ({reader.manifest.id} {reader.manifest.version}, yes from .5)")
    rows = []
    for label in reader.manifest.output.told:
        whole = Answers()
        for (name, source), answers in sorted(result.answers.items()):
            if name == label:
                rows.append(_answer_row(label, source, answers))
                whole.probabilities += answers.probabilities
                whole.truths += answers.truths
                whole.undecided += answers.undecided
        rows.append(_answer_row(label, "all", whole))
    heads = (
        "label",
        "source",
        "heads",
        "accuracy",
        "precision",
        "recall",
        "F1",
        "calibration error",
        "cannot tell",
    )
    parts.append(table(heads, rows))
    parts.append(
        f"Median time on one thread: detect {_median_ms(result.detect_s):.1f} ms a picture, "
        f"read {_median_ms(result.read_s):.1f} ms a head."
    )
    return "\n\n".join(parts)


def summary(result: Measured) -> dict[str, object]:
    """The same figures for machines."""
    return {
        "heads": {name: _plain(counts) for name, counts in sorted(result.heads_by_source.items())},
        "heads_by_size": {name: _plain(counts) for name, counts in result.heads_by_size.items()},
        "attributes": {
            f"{label}/{source}": _plain(answers.counts()) | {"cannot_tell": answers.undecided}
            for (label, source), answers in sorted(result.answers.items())
        },
        "detect_ms": round(_median_ms(result.detect_s), 2),
        "read_ms": round(_median_ms(result.read_s), 2),
    }


def _plain(counts: Counts) -> dict[str, int]:
    return {
        "tp": counts.true_positive,
        "fp": counts.false_positive,
        "fn": counts.false_negative,
        "tn": counts.true_negative,
    }


def _head_row(name: str, counts: Counts, complete: Counts) -> tuple[str, ...]:
    return name, str(counts.recall[1]), proportion(counts.recall), proportion(complete.precision)


def _answer_row(label: str, source: str, answers: Answers) -> tuple[str, ...]:
    counts = answers.counts()
    return (
        label,
        source,
        str(len(answers.truths)),
        proportion(counts.accuracy),
        proportion(counts.precision),
        proportion(counts.recall),
        f"{counts.f1:.3f}" if any(answers.truths) else "–",
        f"{calibration_error(answers.probabilities, answers.truths):.3f}"
        if answers.truths
        else "–",
        str(answers.undecided),
    )


def _size_name(box: Box) -> str:
    side = min(box[2] - box[0], box[3] - box[1])
    return next(name for name, limit in SIZES if side < limit)


def _median_ms(seconds: Sequence[float]) -> float:
    return float(np.median(seconds)) * 1000 if seconds else 0.0
