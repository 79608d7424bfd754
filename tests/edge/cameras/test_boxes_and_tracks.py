"""Rectangles and tracks: overlap, suppression, pairing, following."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Box
from edge_agent.cameras.eyes.boxes import corners, doubles, overlaps, pair, suppress
from edge_agent.cameras.rule.track import Tracker

sides = st.floats(0, 500, width=32)
boxes = st.builds(
    lambda x, y, w, h: Box("head", x, y, x + w, y + h, 0.9),
    sides,
    sides,
    st.floats(1, 200, width=32),
    st.floats(1, 200, width=32),
)


@given(st.lists(boxes, max_size=8), st.lists(boxes, max_size=8))
def test_overlap_is_a_symmetrical_share(ones: list[Box], others: list[Box]) -> None:
    table = overlaps(corners(ones), corners(others))
    assert table.shape == (len(ones), len(others))
    assert np.all(table >= 0) and np.all(table <= 1.001)
    assert np.allclose(table, overlaps(corners(others), corners(ones)).T, atol=1e-4)


def test_overlap_of_known_boxes() -> None:
    a, b = Box("head", 0, 0, 10, 10, 1), Box("head", 5, 0, 15, 10, 1)
    assert overlaps(corners([a]), corners([a, b]))[0] == pytest.approx([1, 1 / 3])


@given(st.lists(st.tuples(boxes, st.floats(0, 1, width=32)), max_size=12), st.floats(0.1, 0.9))
def test_what_suppression_keeps(found: list[tuple[Box, float]], limit: float) -> None:
    places = corners([box for box, _ in found])
    scores = np.array([score for _, score in found], np.float32)
    kept = suppress(places, scores, limit)
    assert [scores[i] for i in kept] == sorted((scores[i] for i in kept), reverse=True)
    table = overlaps(places[kept], places[kept])
    assert np.all(table - np.eye(len(kept)) * 2 <= limit)
    assert not np.any(doubles(places[kept], places[kept]) & ~np.eye(len(kept), dtype=bool))
    for index in range(len(found)):  # whatever went had a better one over it
        better = [i for i in kept if scores[i] >= scores[index]]
        assert (
            index in kept
            or np.max(overlaps(places[[index]], places[better])) > limit
            or np.any(doubles(places[[index]], places[better]))
        )


def test_a_head_without_its_hat_is_the_same_head() -> None:
    whole, face = (499, 87, 571, 171), (516, 112, 576, 170)
    behind, far = (540, 95, 600, 165), (505, 90, 530, 120)
    places = np.array([whole, face, behind, far], np.float32)
    scores = np.array([0.58, 0.76, 0.7, 0.6], np.float32)
    # Somebody behind is half hidden; what is far smaller is somebody farther away, or a detail.
    assert suppress(places, scores, 0.7) == [1, 2, 3]


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_pairs_use_each_once(ones: list[Box], others: list[Box]) -> None:
    table = overlaps(corners(ones), corners(others))
    pairs = pair(table, 0.2)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(table[row, column] >= 0.2 for row, column in pairs)


def head(x: float, y: float = 0.0) -> Box:
    return Box("head", x, y, x + 40, y + 50, 0.9)


def test_a_head_keeps_its_number_while_it_moves_and_is_forgotten_after_a_while() -> None:
    tracker = Tracker()
    numbers = [tracker.follow([head(20.0 * i)], i * 0.2)[0].track for i in range(10)]
    assert set(numbers) == {1}
    assert tracker.follow([head(200)], 10.0)[0].track == 2
    assert tracker.tracks
    assert tracker.follow([], 20.0) == []
    assert not tracker.tracks


def test_two_heads_side_by_side_keep_their_numbers() -> None:
    tracker = Tracker()
    for step in range(8):
        followed = tracker.follow([head(100 + step), head(160 - step)][:: (-1) ** step], step * 0.2)
        by_place = sorted(followed, key=lambda one: one.box.x0)
        if step == 0:
            first = [one.track for one in by_place]
        assert [one.track for one in by_place] == first or step % 2
    assert {one.track for one in followed} == {1, 2}
