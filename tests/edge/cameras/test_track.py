"""Following people: crossing, hidden for seconds, missed by the detector, coming and going."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import Box
from edge_agent.cameras.rule.track import Tracker

Place = tuple[float, float] | None
Walk = Callable[[float], Place]
STEP_S = 0.2


def head(x: float, y: float, side: float = 40.0, confidence: float = 0.9) -> Box:
    return Box("head", x - side / 2, y - side / 2, x + side / 2, y + side / 2, confidence)


def walked(
    walks: Sequence[Walk], for_s: float, *, jitter: float = 0.0, seed: int = 0
) -> list[list[int | None]]:
    """Which number each walker has in each look; None where it is not seen. The order of the heads
    changes from look to look."""
    noise, tracker = np.random.default_rng(seed), Tracker()
    told: list[list[int | None]] = []
    for step in range(round(for_s / STEP_S)):
        at_s = step * STEP_S
        places = [walk(at_s) for walk in walks]
        shown = [number for number, place in enumerate(places) if place is not None]
        noise.shuffle(shown)
        heads = []
        for number in shown:
            place = places[number]
            assert place is not None
            x, y = np.array(place) + noise.normal(0, jitter, 2) if jitter else place
            heads.append(head(float(x), float(y)))
        followed = tracker.follow(heads, at_s)
        numbers: list[int | None] = [None] * len(walks)
        for number, one in zip(shown, followed, strict=True):
            numbers[number] = one.track
        told.append(numbers)
    return told


def whose(told: list[list[int | None]]) -> list[set[int]]:
    """All the numbers that each walker ever had."""
    columns = zip(*told, strict=True)
    return [{one for one in column if one is not None} for column in columns]


def line(x0: float, y: float, pixels_per_s: float, hidden: tuple[float, float] = (0, 0)) -> Walk:
    """Somebody who walks along a line and is not seen in between."""
    return lambda at_s: None if hidden[0] <= at_s < hidden[1] else (x0 + pixels_per_s * at_s, y)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("apart", [0.0, 10.0, 30.0])
def test_two_who_cross_keep_their_numbers(seed: int, apart: float) -> None:
    told = walked([line(100, 200, 60), line(460, 200 + apart, -60)], 6, jitter=1.5, seed=seed)
    one, other = whose(told[:15] + told[16:])  # at 3.0 s they are in one place
    assert len(one) == len(other) == 1
    assert one != other


@pytest.mark.parametrize("seed", range(5))
def test_two_who_cross_are_one_head_for_a_while(seed: int) -> None:
    """The nearer hides the farther: the detector sees one head where they meet."""
    nearer, farther = line(100, 200, 60), line(460, 206, -60, hidden=(2.4, 3.6))
    one, other = whose(walked([nearer, farther], 6, jitter=1.5, seed=seed))
    assert len(one) == len(other) == 1
    assert one != other


@pytest.mark.parametrize("gone_s", [0.6, 1.6, 2.6])
@pytest.mark.parametrize("pixels_per_s", [0.0, 20.0, 45.0])
def test_hidden_for_seconds_and_the_same_again(gone_s: float, pixels_per_s: float) -> None:
    told = walked([line(100, 200, pixels_per_s, hidden=(2.0, 2.0 + gone_s))], 7, jitter=1.0)
    (numbers,) = whose(told)
    assert len(numbers) == 1


def test_gone_for_long_is_somebody_new() -> None:
    (numbers,) = whose(walked([line(100, 200, 0, hidden=(2.0, 6.0))], 8))
    assert len(numbers) == 2


@pytest.mark.parametrize("seed", range(4))
def test_every_second_sight_missing_loses_nobody(seed: int) -> None:
    missed = np.random.default_rng(seed).random((3, 100)) < 0.5

    def walk(number: int) -> Walk:
        def place(at_s: float) -> Place:
            if missed[number, round(at_s / STEP_S)]:
                return None
            return 120.0 + 150 * number + 30 * np.sin(at_s + number), 200.0

        return place

    told = walked([walk(number) for number in range(3)], 15, jitter=1.5, seed=seed)
    assert [len(numbers) for numbers in whose(told)] == [1, 1, 1]


def test_who_enters_where_another_left_is_somebody_else() -> None:
    leaves: Walk = lambda at_s: (40 + 30 * at_s, 200.0) if at_s < 2 else None  # noqa: E731
    enters: Walk = lambda at_s: None if at_s < 2 else (500 - 30 * at_s, 200.0)  # noqa: E731
    one, other = whose(walked([leaves, enters], 5))
    assert not one & other


def test_a_head_of_another_size_is_another() -> None:
    tracker = Tracker()
    near = tracker.follow([head(100, 100, 80)], 0.0)[0].track
    assert tracker.follow([head(100, 100, 30)], 0.2)[0].track != near


def test_doubtful_heads_carry_a_path_and_begin_none() -> None:
    tracker = Tracker()
    (first,) = tracker.follow([head(100, 200)], 0.0)
    for step in range(1, 25):  # through steam for 4.8 s, walking on
        assert tracker.follow([], step * STEP_S, [head(100 + 4 * step, 200, confidence=0.2)]) == []
    (again,) = tracker.follow([head(200, 200)], 5.0)
    assert again.track == first.track
    assert tracker.follow([], 5.2, [head(500, 50, confidence=0.2)]) == []
    assert tracker.tracks == {first.track}


def test_doubt_alone_keeps_no_path_for_ever() -> None:
    tracker = Tracker()
    tracker.follow([head(100, 200)], 0.0)
    for step in range(1, 60):
        tracker.follow([], step * STEP_S, [head(100, 200, confidence=0.2)])
    assert not tracker.tracks


def test_a_doubtful_double_of_a_sure_head_is_nobodys() -> None:
    tracker = Tracker()
    tracker.follow([head(100, 200), head(150, 200)], 0.0)
    one, _ = tracker.follow([head(100, 200), head(150, 200)], 0.2)
    (alone,) = tracker.follow([head(100, 200)], 0.4, [head(104, 200, confidence=0.2)])
    assert alone.track == one.track
    (beside,) = (path for track, path in tracker._paths.items() if track != one.track)
    assert beside.seen_s == 0.2


spots = st.tuples(
    st.floats(0, 600, width=16), st.floats(0, 300, width=16), st.floats(10, 80, width=16)
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.lists(spots, max_size=5), st.lists(spots, max_size=3)), max_size=15),
    st.randoms(use_true_random=False),
)
def test_the_order_of_heads_changes_nothing_and_numbers_are_nobody_elses(
    looks: list[tuple[list[tuple[float, float, float]], list[tuple[float, float, float]]]],
    chance: "np.random.Generator",
) -> None:
    one, other = Tracker(), Tracker()
    for step, (sure, doubtful) in enumerate(looks):
        heads = [head(*spot) for spot in sure]
        doubts = [head(*spot, confidence=0.2) for spot in doubtful]
        mixed, mixed_doubts = heads[:], doubts[:]
        chance.shuffle(mixed)  # type: ignore[arg-type]
        chance.shuffle(mixed_doubts)  # type: ignore[arg-type]
        told = one.follow(heads, step * STEP_S, doubts)
        again = other.follow(mixed, step * STEP_S, mixed_doubts)
        assert sorted((t.track, t.box.x0, t.box.y0) for t in told) == sorted(
            (t.track, t.box.x0, t.box.y0) for t in again
        )
        assert [t.box for t in told] == heads
        assert len({t.track for t in told}) == len(heads)


@pytest.mark.parametrize(("side", "is_same"), [(70, True), (58, True), (43, False), (120, False)])
def test_a_lost_head_is_not_found_in_a_thing_of_another_size(side: float, is_same: bool) -> None:
    tracker = Tracker()
    for step in range(10):
        (one,) = tracker.follow([head(300 - 4 * step, 130, 70)], step * STEP_S)
    tracker.follow([], 10 * STEP_S)
    (other,) = tracker.follow([head(240, 110, side)], 11 * STEP_S)
    assert (one.track == other.track) is is_same
