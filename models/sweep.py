"""How recall and precision of heads move with the threshold: what a threshold is chosen by."""

from collections import defaultdict
from collections.abc import Iterable

from models.evaluate import count_heads, read_picture
from models.figures import Counts, proportion, table
from models.reading import HeadDetector
from models.truth import Photo

THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)

Sweep = dict[tuple[str, float], Counts]
"""Counts by source and threshold."""


def sweep(photos: Iterable[Photo], detector: HeadDetector) -> Sweep:
    """Detect once a photograph, count at every threshold."""
    counts: Sweep = defaultdict(Counts)
    for photo in photos:
        seen = detector.detect(read_picture(photo), floor=min(THRESHOLDS))
        heads = [item for item in seen if item.label == "head"]
        for threshold in THRESHOLDS:
            found = [item for item in heads if item.confidence >= threshold]
            counts[photo.source, threshold] += count_heads(photo, found)
    return counts


def render_sweep(counts: Sweep) -> str:
    """A Markdown table; no precision where no mistake could be counted."""
    complete = {source for (source, _), found in counts.items() if found.false_positive}
    rows = [
        (
            source,
            f"{threshold:.2f}",
            proportion(found.recall),
            proportion(found.precision) if source in complete else "–",
        )
        for (source, threshold), found in sorted(counts.items())
    ]
    return table(("source", "threshold", "recall", "precision"), rows)
