"""Long spans read from the kept means, and from the values themselves where means are missing.

Sans-IO. A bucket whose means are not all there (the newest ones, data that came late, a probe that
was away) is read from the values, as long as the store still has them. So a chart never shows a
gap where there are data, whether means were ever set up or not.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from timeseries.port import Sample, Value, from_ns
from timeseries.schema import MEANS_EVERY_S, THINNED

MOST_SPANS = 6
"""More stretches than so many are read in one query over all of them."""
_S = 1_000_000_000


class Part(msgspec.Struct, frozen=True):
    """What one bucket holds."""

    total: float
    count: float
    rows: int = 0
    """How many kept means it is made of."""


Parts = dict[int, Part]
"""By the bucket's beginning in nanoseconds."""
Ask = Callable[[int, int], Parts]
"""Parts of the buckets between two times in nanoseconds."""


def serves(measurement: str, field: str, every_s: float | None) -> bool:
    """Whether means of buckets so long can be made of the kept means, exactly."""
    thinned = (measurement, field) in THINNED
    return bool(thinned and every_s and every_s % MEANS_EVERY_S == 0)


def read_parts(rows: Iterable[tuple[int, Sequence[Value | None]]]) -> Parts:
    """Parts from the columns total, count and maybe rows; series of one bucket are added up."""
    parts: Parts = {}
    for at_ns, columns in rows:
        total, count, *kept = (float(value or 0) for value in columns)
        old = parts.get(at_ns, Part(0.0, 0.0))
        rows_ = old.rows + (int(kept[0]) if kept else 0)
        parts[at_ns] = Part(old.total + total, old.count + count, rows_)
    return parts


def combined(
    start_ns: int, end_ns: int, every_s: float, ask_means: Ask, ask_values: Ask
) -> list[Sample]:
    """The mean of each bucket that holds anything."""
    if start_ns >= end_ns:
        return []
    every_ns = round(every_s) * _S
    row_ns = MEANS_EVERY_S * _S
    first, last = -(-start_ns // row_ns) * row_ns, end_ns // row_ns * row_ns
    parts = ask_means(first, last) if first < last else {}
    wanted = every_ns // row_ns
    lacking = [
        at_ns
        for at_ns in range(start_ns // every_ns * every_ns, end_ns, every_ns)
        if at_ns not in parts or parts[at_ns].rows < wanted
    ]
    for first, last in _spans(lacking, every_ns):
        values = ask_values(max(start_ns, first), min(end_ns, last))
        for at_ns, part in values.items():
            old = parts.get(at_ns)
            if old is None or part.count >= old.count:
                parts[at_ns] = part
    return [
        Sample(from_ns(at_ns), part.total / part.count)
        for at_ns, part in sorted(parts.items())
        if part.count
    ]


def _spans(buckets: Sequence[int], every_ns: int) -> list[tuple[int, int]]:
    """Stretches of neighbouring buckets."""
    spans: list[tuple[int, int]] = []
    for at_ns in buckets:
        if spans and spans[-1][1] == at_ns:
            spans[-1] = (spans[-1][0], at_ns + every_ns)
        else:
            spans.append((at_ns, at_ns + every_ns))
    return spans if len(spans) <= MOST_SPANS else [(spans[0][0], spans[-1][1])]
