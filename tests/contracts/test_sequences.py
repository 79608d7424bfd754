"""RangeSet against the plain set of integers that it stands for."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.sequences import RangeSet

numbers = st.integers(1, 60)
pairs = st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(st.one_of(numbers, pairs)))
def test_behaves_as_a_set(steps: list[int | tuple[int, int]]) -> None:
    ranges, model = RangeSet(), set[int]()
    for step in steps:
        if isinstance(step, int):
            assert ranges.add(step) == (step not in model)
            model.add(step)
        else:
            ranges.add_range(*step)
            model.update(range(step[0], step[1] + 1))
    assert list(ranges) == sorted(model)
    assert len(ranges) == len(model)
    assert all((number in ranges) == (number in model) for number in range(63))
    held = ranges.ranges()
    assert all(a[1] + 1 < b[0] for a, b in pairwise(held)), "they do not touch"
    missing = {n for first, last in ranges.gaps() for n in range(first, last + 1)}
    assert missing == set(range(1, max(model, default=0))) - model


@given(st.lists(pairs), st.lists(st.tuples(pairs, st.booleans())))
def test_ranges_are_found_and_removed(
    begins: list[tuple[int, int]], steps: list[tuple[tuple[int, int], bool]]
) -> None:
    ranges = RangeSet(begins)
    model = {number for first, last in begins for number in range(first, last + 1)}
    for (first, last), removes in steps:
        span = set(range(first, last + 1))
        found = ranges.within(first, last)
        assert {n for a, b in found for n in range(a, b + 1)} == span & model
        if removes:
            ranges.remove_range(first, last)
            model -= span
        else:
            ranges.add_range(first, last)
            model |= span
        assert list(ranges) == sorted(model)
        assert all(a[1] + 1 < b[0] for a, b in pairwise(ranges.ranges()))
        assert (ranges.first() or (0,))[0] == min(model, default=0)


@given(st.lists(numbers))
def test_of_and_equality(values: list[int]) -> None:
    made = RangeSet.of(values)
    assert made == RangeSet(made.ranges())
    assert list(made) == sorted(set(values))


def test_a_reversed_range_is_refused() -> None:
    with pytest.raises(ValueError, match="5-4 is reversed"):
        RangeSet([(5, 4)])
    with pytest.raises(TypeError):
        hash(RangeSet())
