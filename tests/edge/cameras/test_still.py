"""Stillness: posters are found out, people who sit still are not."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from contracts.events import Box
from edge_agent.cameras.rule.scene import Stillness
from edge_agent.cameras.rule.still import Life, Movements
from edge_agent.cameras.rule.track import Tracked

pytestmark = pytest.mark.slow

STEP_S = 0.2
SETTINGS = Stillness(after_s=20.0)
Pixels = np.ndarray
RANDOM = np.random.default_rng(3)
WIDE, HIGH = 200, 160
ROOM = np.asarray(cv2.resize(RANDOM.normal(130, 25, (8, 10, 3)), (WIDE, HIGH)), np.float32)
_BLOBS = cv2.GaussianBlur(RANDOM.normal(0, 1, (200, 160, 1)), (0, 0), 12)
FACE = np.repeat((120 + 40 * _BLOBS / _BLOBS.std())[:, :, None], 3, axis=2).astype(np.float32)
"""As much contrast as a face has, in features of about a thirteenth of its width."""


def shown(
    x: float, y: float, side: float, step: int, *, light: float = 1.0, noise: float = 2.5
) -> Pixels:
    """A face of `side` pixels with its middle at x, y (parts of a pixel count), as a camera with
    noise shows it through JPEG."""
    picture = ROOM.copy()
    scale = side / 160
    matrix = np.array([[scale, 0, x - 80 * scale], [0, scale, y - 100 * scale]], np.float32)
    shape = (WIDE, HIGH)
    face = cv2.GaussianBlur(FACE, (0, 0), max(0.1, 0.4 / scale))  # no finer than the pixels
    face = cv2.warpAffine(face, matrix, shape)
    cover = cv2.warpAffine(np.ones((200, 160, 1), np.float32), matrix, shape)[:, :, None]
    picture = picture * (1 - cover) + face * cover
    grain = np.random.default_rng(step).normal(0, noise, picture.shape)
    seen = np.clip(picture * light + grain, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, 75])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def box(x: float, y: float, side: float, step: int, jitter: float = 0.05) -> Box:
    """Where a detector finds it: never twice quite the same."""
    dx, dy = np.random.default_rng(1000 + step).normal(0, jitter * side, 2)
    return Box(
        "head", x - side / 2 + dx, y - side * 0.6 + dy, x + side / 2 + dx, y + side * 0.6 + dy, 0.9
    )


def lives(
    place: Callable[[float], tuple[float, float]],
    for_s: float,
    *,
    side: float = 40,
    light: Callable[[float], float] = lambda at_s: 1.0,
    missing: Callable[[float], bool] = lambda at_s: False,
    settings: Stillness = SETTINGS,
    track: Callable[[float], int] = lambda at_s: 1,
) -> list[tuple[float, Life]]:
    movements, told = Movements(settings), []
    for step in range(round(for_s / STEP_S)):
        at_s = step * STEP_S
        if missing(at_s):
            continue
        x, y = place(at_s)
        picture = shown(x, y, side, step, light=light(at_s))
        head = Tracked(track(at_s), box(x, y, side, step))
        life = movements.look(picture, [head], frozenset([head.track]), at_s)[head.track]
        assert (head.track in movements.pictures) <= life.picture
        told.append((at_s, life))
    return told


def poster(at_s: float) -> tuple[float, float]:
    return 100.0, 80.0


@pytest.mark.parametrize("side", [16, 40, 90])
def test_a_poster_is_found_out_and_never_lived(side: float) -> None:
    told = lives(poster, 30, side=side)
    assert not any(life.moved for _, life in told)
    assert next(at_s for at_s, life in told if life.picture) == pytest.approx(20, abs=0.5)
    assert all(life.picture for at_s, life in told if at_s > 20.5)


def test_a_poster_stays_one_while_the_light_changes() -> None:
    told = lives(poster, 30, light=lambda at_s: 1.0 + 0.25 * np.sin(at_s / 3))
    assert not any(life.moved for _, life in told)
    assert told[-1][1].picture


def test_a_poster_that_the_detector_loses_and_finds_is_known_again() -> None:
    """Each time it is found it has a new number, as from a tracker that forgot it."""
    told = lives(
        poster, 60, missing=lambda at_s: int(at_s) % 10 >= 5, track=lambda at_s: int(at_s // 10)
    )
    assert not any(life.moved for _, life in told)
    assert all(life.picture for at_s, life in told if at_s > 21)


@pytest.mark.parametrize("side", [20, 40, 90])
@pytest.mark.parametrize("sway", [0.03, 0.08])
def test_somebody_who_sits_and_sways_is_kept(side: float, sway: float) -> None:
    """Sways by three hundredths of the head's width to each side, every four seconds."""

    def sits(at_s: float) -> tuple[float, float]:
        return 100 + side * sway * np.sin(at_s * 1.6), 80 + side * sway / 2 * np.cos(at_s)

    told = lives(sits, 40, side=side)
    assert not any(life.picture for _, life in told)
    first = next(at_s for at_s, life in told if life.moved)
    assert first < 6.0


def test_who_walked_in_may_sit_still_for_longer_and_is_no_retraction() -> None:
    def walks(at_s: float) -> tuple[float, float]:
        return 40 + min(at_s, 4) * 15, 80.0

    settings = Stillness(after_s=10.0)
    movements = Movements(settings)
    judged = []
    for step in range(320):
        at_s = step * STEP_S
        x, y = walks(at_s)
        head = Tracked(1, box(x, y, 40, step))
        picture = shown(x, y, 40, step)
        judged.append((at_s, movements.look(picture, [head], frozenset([1]), at_s)[1]))
    pictures = [at_s for at_s, life in judged if life.picture]
    assert pictures and pictures[0] > 4 + 5 * 10 - 1
    assert movements.pictures == set()  # it was somebody: what was told of them stands


def test_a_picture_that_begins_to_move_is_a_person_again() -> None:
    told = lives(lambda at_s: (60 + max(0.0, at_s - 25) * 15, 80), 32)
    assert any(life.picture for _, life in told)
    assert not any(life.picture for at_s, life in told if at_s > 30.5)
    assert told[-1][1].moved


def test_somebody_before_a_known_poster_counts_and_the_poster_after_them_does_not() -> None:
    movements = Movements(SETTINGS)
    judged: dict[int, Life] = {}
    for step in range(200):
        at_s = step * STEP_S
        in_front = 25 <= at_s < 34
        x = 100 + (4 * np.sin(at_s * 3) if in_front else 0)
        picture = shown(x, 80, 44 if in_front else 40, step if in_front else step + 5000)
        if in_front:
            picture = np.ascontiguousarray(picture[:, :, ::-1])
        track = 2 if in_front else 1 if at_s < 25 else 3
        head = Tracked(track, box(x, 80, 40, step))
        judged = movements.look(picture, [head], frozenset([track]), at_s)
        if 30 <= at_s < 34:
            assert not judged[2].picture and judged[2].moved
    assert judged[3].picture and not judged[3].moved


def test_somebody_who_passes_before_a_poster_brings_it_to_life_for_moments_only() -> None:
    """It has hung there for 10 s, not yet proven; then somebody walks by, unseen as a head."""
    movements = Movements(Stillness(after_s=60.0))
    lived = 0
    for step in range(150):
        at_s = step * STEP_S
        picture = shown(100, 80, 40, step).copy()
        if 10 <= at_s < 16:
            left = round(60 + (at_s - 10) * 12)
            picture[50:, left : left + 30] = 30
        life = movements.look(picture, [Tracked(1, box(100, 80, 40, step))], frozenset([1]), at_s)
        lived += life[1].moved
        assert at_s < 18 or not life[1].moved
    assert lived < 25


def test_few_looks_that_differ_among_many_are_no_life() -> None:
    """Four times in half a minute an arm comes before the poster, for one look each time."""
    movements = Movements(Stillness(after_s=60.0))
    for step in range(150):
        picture = shown(100, 80, 40, step).copy()
        if step in (60, 90, 110, 140):
            picture[50:, 85:115] = 30
        head = Tracked(1, box(100, 80, 40, step, 0.02))
        life = movements.look(picture, [head], frozenset([1]), step * STEP_S)
        assert not life[1].moved


def test_a_larger_head_disturbs_a_small_poster_from_farther_off() -> None:
    movements = Movements(SETTINGS)
    for step in range(40):
        picture = shown(100, 60, 20, step).copy()
        large = Box("head", 105, 90, 165, 160, 0.9)  # four of the poster's sizes away
        if 10 <= step < 16:
            picture[55:, 95:160] = 200 - 10 * (step % 5)
        heads = [Tracked(1, box(100, 60, 20, step, 0.02)), Tracked(2, large)]
        assert not movements.look(picture, heads, frozenset([1, 2]), step * STEP_S)[1].moved


def test_a_head_beside_a_poster_disturbs_its_print_and_gives_it_no_life() -> None:
    movements = Movements(SETTINGS)
    for step in range(60):
        at_s = step * STEP_S
        picture = shown(100, 80, 40, step).copy()
        x = 110 + 8 * np.sin(at_s * 2)
        picture[60:120, round(x) : round(x) + 40] = 200 - 2 * (step % 30)
        heads = [Tracked(1, box(100, 80, 40, step)), Tracked(2, box(x + 50, 80, 40, step))]
        lives_now = movements.look(picture, heads, frozenset([1, 2]), at_s)
        assert not lives_now[1].moved


def test_somebody_who_moves_half_a_head_beside_others_lives_in_a_moment() -> None:
    movements = Movements(SETTINGS)
    told = []
    for step in range(15):
        x = 100.0 if step < 5 else 124.0
        picture = shown(x, 80, 40, step)
        heads = [Tracked(1, box(x, 80, 40, step, 0.02)), Tracked(2, box(60, 80, 40, step, 0.02))]
        life = movements.look(picture, heads, frozenset({1, 2}), step * STEP_S)
        told.append((life[1].moved, life[2].moved))
    assert told.index((True, False)) == 7
    assert not any(other for _, other in told)


def test_nothing_is_a_picture_where_stillness_is_switched_off() -> None:
    assert not any(life.picture for _, life in lives(poster, 30, settings=Stillness(after_s=0)))


def test_what_is_remembered_is_bounded() -> None:
    movements = Movements(SETTINGS)
    picture = shown(100, 80, 40, 0)
    for step in range(300):
        spot = 10 + step % 180
        heads = [Tracked(step, box(spot, 80, 20, step))]
        movements.look(picture, heads, frozenset([step]), step * STEP_S)
    assert len(movements._places) <= 64
    assert len(movements._paths) == 1
