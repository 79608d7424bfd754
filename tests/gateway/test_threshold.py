"""Tests of the threshold rule: boundaries, duration, hysteresis, gaps, order and repetition."""

from datetime import timedelta

import pytest
from gateway_town import NOON
from hypothesis import given
from hypothesis import strategies as st

from gateway.alerts.kinds import BeyondLimit
from gateway.alerts.limits import StorageLimit
from gateway.alerts.threshold import Change, ThresholdState, step


def limit(comparator: str = "<", bound: float = 8.0) -> StorageLimit:
    return StorageLimit("x", comparator, bound, "Cel", "", "", "test", "U")


def run(
    when: BeyondLimit, values: list[tuple[float, float]], bound: StorageLimit | None = None
) -> list[tuple[float, Change]]:
    """Changes by second, for (second, value) in order of arrival."""
    state, changes = ThresholdState(), []
    for after_s, value in values:
        at = NOON + timedelta(seconds=after_s)
        state, change = step(state, when, bound or limit(), at, value)
        if change:
            changes.append((after_s, change))
    return changes


def rule(**options: float) -> BeyondLimit:
    return BeyondLimit(metrics=("t",), limit="x", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("comparator", "bound", "value", "fires"),
    [
        ("<", 8.0, 7.99, False),
        ("<", 8.0, 8.0, True),
        ("<", 8.0, 8.01, True),
        ("<=", -12.0, -12.0, False),
        ("<=", -12.0, -11.99, True),
        (">", 60.0, 60.0, True),
        (">", 60.0, 60.01, False),
        ("<", 50.0, 49.99, False),
        ("<", 50.0, 50.0, True),
        ("<", 50.0, 50.01, True),
    ],
)
def test_both_sides_of_the_limit(comparator: str, bound: float, value: float, fires: bool) -> None:
    assert bool(run(rule(), [(0, value)], limit(comparator, bound))) is fires


def test_fires_once_after_its_duration() -> None:
    values = [(0, 9.0), (59, 9.0), (60, 9.0), (61, 9.0), (120, 9.0)]
    assert run(rule(for_s=60), values) == [(60, Change.FIRES)]


def test_one_good_value_begins_the_duration_anew() -> None:
    values = [(0, 9.0), (30, 7.0), (40, 9.0), (80, 9.0), (100, 9.0)]
    assert run(rule(for_s=60), values) == [(100, Change.FIRES)]


def test_gap_proves_nothing() -> None:
    values = [(0, 9.0), (1000, 9.0), (1030, 9.0), (1060, 9.0)]
    assert run(rule(for_s=60, gap_s=100), values) == [(1060, Change.FIRES)]


@pytest.mark.parametrize(("value", "resolves"), [(7.6, False), (7.51, False), (7.5, True)])
def test_hysteresis_below(value: float, resolves: bool) -> None:
    changes = run(rule(clear_by=0.5), [(0, 9.0), (10, value)])
    assert (changes[1:] == [(10, Change.RESOLVES)]) is resolves


@pytest.mark.parametrize(("value", "resolves"), [(62.0, False), (62.99, False), (63.0, True)])
def test_hysteresis_above(value: float, resolves: bool) -> None:
    changes = run(rule(clear_by=3.0), [(0, 50.0), (10, value)], limit(">", 60.0))
    assert (changes[1:] == [(10, Change.RESOLVES)]) is resolves


def test_margin_of_zero_keeps_to_the_limit() -> None:
    assert run(rule(), [(0, 8.0), (1, 8.0), (2, 7.99)])[-1] == (2, Change.RESOLVES)


def test_resolves_after_its_own_duration_unless_it_warms_up_again() -> None:
    when = rule(clear_by=0.5, clear_for_s=60)
    values = [(0, 9.0), (10, 7.0), (40, 7.7), (50, 7.0), (100, 7.0), (110, 7.0), (111, 9.0)]
    assert run(when, values) == [
        (0, Change.FIRES),
        (110, Change.RESOLVES),
        (111, Change.FIRES),
    ]


Series = st.lists(
    st.tuples(st.integers(0, 500), st.sampled_from([5.0, 7.4, 7.6, 7.99, 8.0, 9.0])),
    unique_by=lambda pair: pair[0],
    max_size=60,
).map(sorted)
WHEN = rule(for_s=60, clear_by=0.5, clear_for_s=30, gap_s=120)


@given(series=Series, data=st.data())
def test_late_and_repeated_readings_change_nothing(
    series: list[tuple[int, float]], data: st.DataObject
) -> None:
    """Whatever old readings are strewn in, with whatever values: the same changes come out."""
    strewn: list[tuple[float, float]] = []
    for after_s, value in series:
        strewn.append((after_s, value))
        for _ in range(data.draw(st.integers(0, 2))):
            old_s = data.draw(st.integers(-100, after_s))
            strewn.append((old_s, data.draw(st.sampled_from([5.0, 9.0]))))
    assert run(WHEN, strewn) == run(WHEN, [*series])


@given(series=Series)
def test_changes_alternate(series: list[tuple[int, float]]) -> None:
    changes = [change for _, change in run(WHEN, [*series])]
    expected = [Change.FIRES if index % 2 == 0 else Change.RESOLVES for index in range(99)]
    assert changes == expected[: len(changes)]


@given(series=Series, cut=st.integers(0, 60))
def test_a_restart_between_changes_nothing(series: list[tuple[int, float]], cut: int) -> None:
    """The state goes through JSON between any two readings, as it does through the ledger."""
    import msgspec

    state, changes = ThresholdState(), []
    for index, (after_s, value) in enumerate(series):
        if index == cut:
            state = msgspec.convert(
                msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(state))),
                ThresholdState,
            )
        at = NOON + timedelta(seconds=after_s)
        state, change = step(state, WHEN, limit(), at, value)
        if change:
            changes.append((after_s, change))
    assert changes == run(WHEN, [*series])
