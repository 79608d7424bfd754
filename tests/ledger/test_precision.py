"""Wilson's interval: known values, and what holds for every count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.precision import precision


@pytest.mark.parametrize(
    ("true", "judged", "low", "high"),
    [
        # From published tables of the Wilson score interval at 95 %.
        (0, 5, 0.0, 0.4345),
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_known_values(true: int, judged: int, low: float, high: float) -> None:
    told = precision(true, judged)
    assert told is not None
    assert (told.low, told.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_nothing_judged_says_nothing() -> None:
    assert precision(0, 0) is None
    with pytest.raises(ValueError, match="3 right of 2 judged"):
        precision(3, 2)


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_the_interval_holds_the_share_and_narrows(some: int, judged: int) -> None:
    true = some % (judged + 1)
    told = precision(true, judged)
    more = precision(true * 4, judged * 4)
    mirrored = precision(judged - true, judged)
    assert told is not None and more is not None and mirrored is not None
    assert 0.0 <= told.low <= told.share <= told.high <= 1.0
    assert told.low < told.high
    assert more.high - more.low < told.high - told.low
    assert mirrored.high == pytest.approx(1 - told.low)
