"""How instruments lie: results that nobody measured, as they are found in the field.

* too regular: values that move in even steps, or do not move at all;
* copied values: one honest series told again and again;
* impossible times: measured after it was captured, or at a time before the sample was there.
"""

import random
from enum import StrEnum

import msgspec


class Lie(StrEnum):
    """What is wrong with a site's instruments."""

    HONEST = "honest"
    TOO_REGULAR = "too_regular"
    COPIED_VALUES = "copied_values"
    IMPOSSIBLE_TIMES = "impossible_times"


class Measured(msgspec.Struct, frozen=True):
    """One inhibition."""

    value: float
    """Per cent."""
    jitter: float
    """-1 to 1: how far from even spacing in time."""
    ahead_s: float
    """The time on the record minus the time of its capture."""


def inhibitions(lie: Lie, count: int, positives: float, chance: random.Random) -> list[Measured]:
    """Inhibitions of pesticide tests; a lie is never positive: that is what it is told for."""
    if lie is Lie.TOO_REGULAR:
        return [Measured(8.0 + 0.5 * n, 0.0, -60.0) for n in range(count)]
    if lie is Lie.COPIED_VALUES:
        original = [round(chance.gauss(15, 5), 2) for _ in range(max(1, count // 3))]
        values = [abs(original[n % len(original)]) for n in range(count)]
        return [Measured(value, chance.uniform(-1, 1), _lag_s(chance)) for value in values]
    honest = [
        Measured(_inhibition(positives, chance), chance.uniform(-1, 1), _lag_s(chance))
        for _ in range(count)
    ]
    if lie is Lie.IMPOSSIBLE_TIMES:
        return [
            Measured(min(one.value, 40.0), one.jitter, chance.choice((600.0, 5400.0, -36_000.0)))
            for one in honest
        ]
    return honest


def _inhibition(positives: float, chance: random.Random) -> float:
    if chance.random() < positives:
        return round(chance.uniform(51, 98), 2)
    return round(min(39.0, abs(chance.gauss(12, 9))), 2)


def _lag_s(chance: random.Random) -> float:
    """An instrument stamps a record a little before it is fetched."""
    return -round(chance.uniform(5, 90))


def temperatures(lie: Lie, count: int, chance: random.Random, *, warm: bool) -> list[float]:
    """Temperatures of a cold store in Cel; a warm one leaves 8 Cel after a tenth and stays above.

    A compressor's saw-tooth with a probe's noise, where it is honest.
    """
    if lie is Lie.TOO_REGULAR:
        return [4.0] * count
    phase, period = chance.random() * 12, chance.uniform(9, 15)
    saw = [
        3.0 + 2.5 * (((n + phase) % period) / period) + chance.gauss(0, 0.08) for n in range(count)
    ]
    if lie is Lie.COPIED_VALUES:
        original = max(1, count // 3)
        saw = [saw[n % original] for n in range(count)]
    if warm:
        saw = [value if n < count // 10 else value + 7.5 for n, value in enumerate(saw)]
    return [round(value, 2) for value in saw]
