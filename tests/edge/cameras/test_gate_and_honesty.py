"""The motion gate and the judgement whether a camera can see."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from camera_parts import kitchen
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.cameras.honesty import Measures, Sight, Turn, Watch, judge, measure
from edge_agent.cameras.motion import MotionGate, changed_share
from edge_agent.cameras.pictures import small_grey
from edge_agent.cameras.settings import HonestySettings

SETTINGS = HonestySettings(
    offline_after_s=5, frozen_after_s=6, degrade_after_s=3, recover_after_s=1
)
STEP_S = 0.2


def looks(gate: MotionGate, moves: list[bool], somebody: bool = False) -> list[int]:
    """At which of the steps the gate opens."""
    still = np.zeros((180, 320), np.uint8)
    opened, current = [], still
    for step, moved in enumerate(moves):
        if moved:
            current = current.copy()
            current[: 20 + step, :40] = 100 + step
        if gate.opens(current, step * STEP_S, somebody):
            opened.append(step)
    return opened


def test_a_still_room_is_looked_at_now_and_then() -> None:
    opened = looks(MotionGate(5, 2.0), [False] * 100)
    late = [step for step in opened if step > 20]
    assert {b - a for a, b in pairwise(late)} == {10}


def test_motion_opens_the_gate_at_once_and_somebody_keeps_it_open() -> None:
    moves = [False] * 50 + [True] + [False] * 20
    assert 50 in looks(MotionGate(5, 60.0), moves)
    assert len(looks(MotionGate(5, 60.0), [False] * 50, somebody=True)) == 50


def test_no_more_looks_than_allowed() -> None:
    assert len(looks(MotionGate(1, 60.0), [True] * 50)) == 10


def test_noise_is_no_motion_and_a_small_head_is() -> None:
    still = small_grey(kitchen(seed=1))
    assert changed_share(still, small_grey(kitchen(seed=2))) < 0.001
    other = still.copy()
    other[50:61, 50:61] = 255 - other[50:61, 50:61]
    assert changed_share(still, other) >= 0.0015


DARK = kitchen(light=0.05)
COVERED = np.full_like(DARK, 90)
PEOPLE = kitchen([(0, 0, True, False), (2, 1, False, False)])
BLURRED = np.asarray(cv2.GaussianBlur(PEOPLE, (0, 0), 9), np.uint8)


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (kitchen(), Sight.LIVE),
        (kitchen(light=0.3), Sight.LIVE),
        (PEOPLE, Sight.LIVE),
        (DARK, Sight.DARK),
        (COVERED, Sight.COVERED),
        (BLURRED, Sight.BLURRED),
    ],
)
def test_what_one_frame_says(picture: np.ndarray, said: Sight) -> None:
    noisy = np.clip(
        picture + np.random.default_rng(0).normal(0, 2, (*picture.shape[:2], 1)), 0, 255
    ).astype(np.uint8)
    for shown in (picture, noisy):
        assert judge(measure(shown, small_grey(shown)), SETTINGS) is said


def test_equal_frames_have_equal_fingerprints_and_others_have_not() -> None:
    one, again, other = (kitchen(seed=seed) for seed in (1, 1, 2))
    prints = [measure(p, small_grey(p)).fingerprint for p in (one, again, other)]
    assert prints[0] == prints[1] != prints[2]


def measures(sight: Sight, number: int) -> Measures:
    numbers = {
        Sight.DARK: (5.0, 2.0, 50.0),
        Sight.COVERED: (90.0, 1.0, 1.0),
        Sight.BLURRED: (200.0, 40.0, 1.0),
    }
    return Measures(number, *numbers.get(sight, (200.0, 40.0, 300.0)))


def turns(said: list[Sight | None]) -> list[tuple[float, str, str, float]]:
    """What a watch makes of a frame (or none) every 0.2 s; FROZEN repeats the last frame."""
    watch, number = Watch(SETTINGS, 0.0), 0
    found = []
    for step, sight in enumerate(said):
        at_s = round(step * STEP_S, 3)
        turn: Turn | None
        if sight is None:
            turn = watch.idle(at_s)
        else:
            number += sight is not Sight.FROZEN
            turn = watch.frame(measures(sight, number), at_s)
        if turn:
            found.append((at_s, turn.before.value, turn.now.value, round(turn.since_s, 1)))
    return found


L, D, F = Sight.LIVE, Sight.DARK, Sight.FROZEN


def test_dark_comes_slowly_and_goes_quickly() -> None:
    assert turns([L] * 10 + [D] * 14 + [L] * 10) == []  # lights off and on again
    found = turns([L] * 10 + [D] * 40 + [L] * 10)
    assert found == [(5.0, "live", "camera_dark", 2.0), (11.0, "camera_dark", "live", 10.0)]


def test_frozen_says_since_when_and_needs_new_pictures_to_recover() -> None:
    found = turns([L] * 10 + [F] * 60 + [L] * 10)
    assert found == [(7.8, "live", "camera_frozen", 1.8), (15.0, "camera_frozen", "live", 14.0)]


def test_offline_and_back() -> None:
    found = turns([L] * 10 + [None] * 50 + [L] * 10)
    assert found == [(6.8, "live", "camera_offline", 1.8), (13.0, "camera_offline", "live", 12.0)]


def test_back_but_frozen_at_once_is_not_live() -> None:
    found = turns([L] * 10 + [None] * 50 + [F] * 40)
    assert [now for _, _, now, _ in found] == ["camera_offline", "camera_frozen"]


def test_a_camera_that_never_came_is_offline() -> None:
    assert turns([None] * 30) == [(5.0, "live", "camera_offline", 0.0)]


@given(st.lists(st.tuples(st.sampled_from([*Sight, None]), st.integers(1, 25)), max_size=20))
def test_turns_join_and_never_flicker(parts: list[tuple[Sight | None, int]]) -> None:
    said = [
        None if sight is Sight.OFFLINE else sight for sight, steps in parts for _ in range(steps)
    ]
    found = turns(said)
    before = "live"
    for _, was, now, _ in found:
        assert was == before != now
        before = now
    ends = [at for at, _, now, _ in found if now == "live"]
    starts = [at for at, was, _, _ in found if was == "live"]
    for start, end in zip(starts, ends, strict=False):
        assert end - start >= SETTINGS.recover_after_s - 1e-6


def test_a_repeated_picture_is_not_trusted_to_vote() -> None:
    watch = Watch(SETTINGS, 0.0)
    watch.frame(measures(L, 1), 0.0)
    assert watch.trusted
    watch.frame(measures(L, 1), 0.2)
    assert not watch.trusted
    watch.frame(measures(D, 2), 0.4)
    assert not watch.trusted
    watch.frame(measures(L, 3), 0.6)
    assert watch.trusted
