"""What is said of the picture itself: of one frame, and over time."""

import cv2
import numpy as np
import pytest
from camera_parts import kitchen
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.cameras.honesty import Sight, Turn
from edge_agent.cameras.honesty.measures import judge, measure
from edge_agent.cameras.honesty.seeing import Seeing
from edge_agent.cameras.pictures import small_grey
from edge_agent.cameras.settings import HonestySettings
from edge_agent.simulation.clips import SIZE
from edge_agent.simulation.effects import Look, effect
from edge_agent.simulation.players import Stage
from edge_agent.simulation.rooms import draw_room

SETTINGS = HonestySettings(
    offline_after_s=5, frozen_after_s=6, degrade_after_s=3, recover_after_s=1
)
STEP_S = 0.2

DARK = kitchen(light=0.05)
COVERED = np.full_like(DARK, 90)
PEOPLE = kitchen([(0, 0, True, False), (2, 1, False, False)])
BLURRED = np.asarray(cv2.GaussianBlur(PEOPLE, (0, 0), 9), np.uint8)
GLARING = np.asarray(np.clip(PEOPLE.astype(np.float32) + 190, 0, 255), np.uint8)
WHITE_TILES = np.full_like(DARK, 228)
WHITE_TILES[::24] = WHITE_TILES[:, ::24] = 170


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (kitchen(), Sight.LIVE),
        (kitchen(light=0.3), Sight.LIVE),
        (PEOPLE, Sight.LIVE),
        (DARK, Sight.DARK),
        (COVERED, Sight.COVERED),
        (BLURRED, Sight.BLURRED),
        (GLARING, Sight.OVEREXPOSED),
        (WHITE_TILES, Sight.LIVE),
    ],
)
def test_what_one_frame_says(picture: np.ndarray, said: Sight) -> None:
    noisy = np.clip(
        picture + np.random.default_rng(0).normal(0, 2, (*picture.shape[:2], 1)), 0, 255
    ).astype(np.uint8)
    for shown in (picture, noisy):
        assert judge(measure(shown, small_grey(shown)), SETTINGS) is said


@pytest.mark.parametrize("seed", [3500018, 1500019, 1500060, 1500061, 1500075, 1500089])
def test_a_dim_room_is_not_a_covered_lens(seed: int) -> None:
    """Dusk with half of the lamps off: rooms that were once called covered."""
    room, counter = draw_room(SIZE, seed)
    day = Stage(room, counter).picture((), 1.0)
    seen = effect(Look.DUSK, SIZE, seed)
    hand = np.full_like(day, 105) + np.linspace(0, 25, SIZE[0], dtype=np.uint8)[None, :, None]
    for share in (1.0, 0.6):
        for at_s in (1.0, 2.0):
            shown = seen(np.asarray(day * share, np.uint8), at_s)
            assert judge(measure(shown, small_grey(shown)), SETTINGS) is Sight.LIVE
            shown = seen(np.asarray(hand * share + 25, np.uint8), at_s)
            assert judge(measure(shown, small_grey(shown)), SETTINGS) is Sight.COVERED


def test_equal_frames_have_equal_fingerprints_and_others_have_not() -> None:
    one, again, other = (kitchen(seed=seed) for seed in (1, 1, 2))
    prints = [measure(p, small_grey(p)).fingerprint for p in (one, again, other)]
    assert prints[0] == prints[1] != prints[2]


def turns(said: list[Sight | None]) -> list[tuple[float, str, str, float]]:
    """What is made of a frame (or none) every 0.2 s; FROZEN repeats the last frame."""
    seeing, number = Seeing(SETTINGS, 0.0), 0
    found = []
    for step, sight in enumerate(said):
        at_s = round(step * STEP_S, 3)
        turn: Turn | None
        if sight is None:
            turn = seeing.idle(at_s)
        else:
            number += sight is not Sight.FROZEN
            turn = seeing.frame(Sight.LIVE if sight is Sight.FROZEN else sight, number, at_s)
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


OF_THE_PICTURE = [
    Sight.LIVE, Sight.FROZEN, Sight.DARK, Sight.LIGHTS_OFF, Sight.OVEREXPOSED, Sight.COVERED,
    Sight.BLURRED, None,
]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(OF_THE_PICTURE), st.integers(1, 25)), max_size=20))
def test_turns_join_and_never_flicker(parts: list[tuple[Sight | None, int]]) -> None:
    found = turns([sight for sight, steps in parts for _ in range(steps)])
    before = "live"
    for _, was, now, _ in found:
        assert was == before != now
        before = now
    ends = [at for at, _, now, _ in found if now == "live"]
    starts = [at for at, was, _, _ in found if was == "live"]
    for start, end in zip(starts, ends, strict=False):
        assert end - start >= SETTINGS.recover_after_s - 1e-6


def test_darkness_after_hours_is_another_state_when_the_doors_open() -> None:
    off = Sight.LIGHTS_OFF
    found = turns([L] * 10 + [off] * 40 + [D] * 40 + [L] * 10)
    assert [(before, now) for _, before, now, _ in found] == [
        ("live", "camera_lights_off"),
        ("camera_lights_off", "camera_dark"),
        ("camera_dark", "live"),
    ]


def test_what_is_proven_of_more_than_a_frame_needs_no_more_patience() -> None:
    seeing = Seeing(SETTINGS, 0.0)
    assert seeing.frame(Sight.LIVE, 1, 100.0) is None
    turn = seeing.frame(Sight.COVERED, 2, 100.2, proven_since_s=40.0)
    assert turn == Turn(Sight.LIVE, Sight.COVERED, 40.0)
    assert seeing.frame(Sight.COVERED, 3, 100.4, proven_since_s=40.0) is None
