"""Every honesty state is provoked and found; an ordinary day gives none but the dark one."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from honesty_parts import (
    ELSEWHERE,
    FPS,
    HEIGHT,
    ROOM,
    WIDTH,
    Camera,
    Found,
    Pixels,
    Scenery,
    filmed,
    ordinary_day,
    scenes,
    watched,
)

from edge_agent.cameras.honesty import Sight, Watch
from edge_agent.cameras.honesty.view import Light, view_of
from edge_agent.cameras.pictures import small_grey
from edge_agent.cameras.settings import HonestySettings

pytestmark = pytest.mark.slow

REFERENCE = {Light.DAY: view_of(Camera(7).picture(0.0, Scenery(people=0)))}
SOON = HonestySettings(
    view_every_s=4, view_after_s=12, greasy_after_s=20, looped_after_s=30, still_after_s=0
)
LOOP_FPS = 2.5
LIVE = Sight.LIVE


def kinds(found: list[Found]) -> list[tuple[Sight, Sight]]:
    return [one.what for one in found]


@pytest.mark.slow
def test_an_ordinary_day_gives_nothing_but_the_dark() -> None:
    # Frozen is suspected sooner than in the field, so that the quiet hours count.
    found, watch = watched(filmed(ordinary_day()), HonestySettings(still_after_s=150))
    assert kinds(found) == [(LIVE, Sight.DARK), (Sight.DARK, LIVE)]
    assert [one.turn.since_s for one in found] == [540.0, 600.0]
    assert set(watch.view.known) == {Light.DAY, Light.INFRARED}


def _taped(scene: Pixels) -> Pixels:
    scene[:, : int(0.75 * WIDTH)] = (70, 90, 110)
    return scene


def _bagged(scene: Pixels) -> Pixels:
    scene[:, : int(0.7 * WIDTH)] = ELSEWHERE[:HEIGHT, : int(0.7 * WIDTH)]
    return scene


def _hand(scene: Pixels) -> Pixels:
    """Very near, and lit from one side."""
    shade = np.linspace(40, 150, WIDTH, dtype=np.float32)[None, :, None]
    skin = np.array([0.6, 0.8, 1.1], np.float32)
    return np.asarray(np.broadcast_to(shade * skin, scene.shape), np.uint8)


def _greased(scene: Pixels) -> Pixels:
    blurred = cv2.GaussianBlur(scene, (0, 0), 2.2)
    veil = cv2.GaussianBlur(scene, (0, 0), 30)
    return np.asarray(cv2.addWeighted(blurred, 0.75, veil, 0.25, 0), np.uint8)


def _out_of_focus(scene: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(scene, (0, 0), 6), np.uint8)


PROVOKED = {
    "lights off": (Scenery(people=0, light=0.02), Sight.DARK),
    "glare": (Scenery(before_the_lens=lambda scene: cv2.add(scene, (245,) * 4)), Sight.OVEREXPOSED),
    "cap": (Scenery(before_the_lens=lambda scene: np.full_like(scene, 90)), Sight.COVERED),
    "hand": (Scenery(before_the_lens=_hand), Sight.COVERED),
    "tape over three quarters": (Scenery(before_the_lens=_taped), Sight.COVERED),
    "printed bag": (Scenery(before_the_lens=_bagged), Sight.COVERED),
    "out of focus": (Scenery(before_the_lens=_out_of_focus), Sight.BLURRED),
    "grease": (Scenery(before_the_lens=_greased), Sight.BLURRED),
    "shifted by 3 %": (Scenery(turned=(20, 6, 0, 1)), Sight.MOVED),
    "turned by 5 degrees": (Scenery(turned=(0, 0, 5, 1)), Sight.MOVED),
    "zoomed": (Scenery(turned=(0, 0, 0, 1.15)), Sight.MOVED),
    "turned away": (Scenery(room=ELSEWHERE), Sight.MOVED),
    "turned away by infrared": (
        Scenery(room=ELSEWHERE, infrared=True, noise=4.0), None,
    ),
    "a little push": (Scenery(turned=(4, 3, 0, 1)), None),
    "dimmed": (Scenery(light=0.35), None),
    "crowd": (Scenery(people=6), None),
}  # fmt: skip


@pytest.mark.parametrize("name", PROVOKED)
def test_what_is_done_to_a_camera_is_found_and_forgotten_when_undone(name: str) -> None:
    wrong, said = PROVOKED[name]
    good = Scenery(people=2)
    parts = [*scenes(good, 0, 8), *scenes(wrong, 8, 48), *scenes(good, 48, 60)]
    found, watch = watched(filmed(parts), SOON, views=REFERENCE)
    if said is None:
        assert found == []
        return
    assert kinds(found) == [(LIVE, said), (said, LIVE)]
    assert 8 <= found[0].turn.since_s <= 12
    assert 48 <= found[1].turn.since_s <= 52
    assert watch.sight is LIVE


def test_a_camera_moved_in_the_dark_is_found_when_the_light_comes() -> None:
    good, off = Scenery(people=2), Scenery(people=0, light=0.02)
    gone = Scenery(room=ELSEWHERE)
    gone_off = Scenery(room=ELSEWHERE, people=0, light=0.02)
    parts = [
        *scenes(gone, 0, 20),
        *scenes(gone_off, 20, 40),
        *scenes(gone, 40, 50),
        *scenes(off, 50, 70),
        *scenes(good, 70, 85),
    ]
    found, _ = watched(filmed(parts), SOON, views=REFERENCE)
    assert kinds(found) == [
        (LIVE, Sight.MOVED),
        (LIVE, Sight.DARK),
        (Sight.DARK, LIVE),
        (LIVE, Sight.DARK),
        (Sight.MOVED, LIVE),
        (Sight.DARK, LIVE),
    ]


def test_darkness_after_hours_has_its_own_name() -> None:
    off = scenes(Scenery(people=0, light=0.02), 0, 20)
    found, watch = watched(filmed(off), is_open=False)
    assert kinds(found) == [(LIVE, Sight.LIGHTS_OFF)]
    assert watch.is_blind


def test_a_view_is_learned_without_the_people_in_it() -> None:
    _, watch = watched(filmed(scenes(Scenery(people=3), 0, 130)))
    learnt = watch.view.learnt[Light.DAY].astype(int)
    empty = REFERENCE[Light.DAY].astype(int)
    assert np.mean(np.abs(learnt - empty)[:320] > 25) < 0.05
    found, _ = watched(
        filmed(scenes(Scenery(room=ELSEWHERE), 0, 24)), SOON, views=watch.view.learnt
    )
    assert kinds(found) == [(LIVE, Sight.MOVED)]


def test_a_moving_camera_teaches_no_view() -> None:
    parts = [
        (step / FPS, Scenery(turned=(8.0 * (step // 20 % 10), 0, 0, 1)))
        for step in range(round(130 * FPS))
    ]
    _, watch = watched(filmed(parts))
    assert watch.view.known == {}


def _recoded(picture: Pixels, quality: int) -> Pixels:
    done, buffer = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(buffer, cv2.IMREAD_COLOR), np.uint8)


def _looping(recorded_s: float, until_s: float) -> Iterator[tuple[float, Pixels]]:
    """A recording of people, played again and again from its own clock, coded anew each time."""
    recording = list(filmed(scenes(Scenery(people=3), 0, recorded_s, fps=5.0)))
    yield from recording
    for step in range(round(recorded_s * LOOP_FPS), round(until_s * LOOP_FPS)):
        at_s = step / LOOP_FPS + 0.13
        picture = recording[int(at_s * 5) % len(recording)][1]
        yield at_s, _recoded(picture, 60 + step % 3)


def test_an_old_recording_played_again_is_found() -> None:
    found, _ = watched(_looping(60, 160), SOON, looks_per_s=LOOP_FPS)
    assert kinds(found) == [(LIVE, Sight.LOOPED)]
    assert found[0].turn.figure == pytest.approx(60, abs=1)
    assert found[0].at_s < 60 + 90


def test_after_a_recording_new_movement_is_live() -> None:
    def all_of_it() -> Iterator[tuple[float, Pixels]]:
        yield from _looping(60, 150)
        yield from filmed(scenes(Scenery(people=3), 151, 215, LOOP_FPS), seed=5)

    found, _ = watched(all_of_it(), SOON, looks_per_s=LOOP_FPS)
    assert kinds(found) == [(LIVE, Sight.LOOPED), (Sight.LOOPED, LIVE)]


def _rhythm(period_s: float) -> Callable[[float], Pixels]:
    def draw(at_s: float) -> Pixels:
        scene = ROOM[80 : 80 + HEIGHT, 80 : 80 + WIDTH].copy()
        for number in range(8):  # trays on a belt
            left = int((number / 8 + at_s / period_s / 8) % 1.0 * WIDTH)
            cv2.rectangle(scene, (left, 120), (left + 45, 260), (240, 240, 240), -1)
        return scene

    return draw


@pytest.mark.parametrize("period_s", [0.9, 3.3, 8.0])
def test_a_belt_is_no_recording(period_s: float) -> None:
    draw, noise = _rhythm(period_s), Camera(3)
    pictures = (
        (at_s, noise.with_noise(draw(at_s), 2.0))
        for at_s in (step / LOOP_FPS for step in range(round(120 * LOOP_FPS)))
    )
    found, _ = watched(pictures, SOON, looks_per_s=LOOP_FPS)
    assert found == []


def test_two_times_the_light_is_switched_on_are_no_recording() -> None:
    parts: list[tuple[float, Scenery]] = []
    for begin in range(0, 160, 40):
        parts += scenes(Scenery(people=0, light=0.4), begin, begin + 20, LOOP_FPS)
        parts += scenes(Scenery(people=0), begin + 20, begin + 40, LOOP_FPS)
    found, _ = watched(filmed(parts), SOON, looks_per_s=LOOP_FPS)
    assert found == []


def test_a_wrong_clock_stands_beside_all_else_and_does_not_flicker() -> None:
    watch = Watch(HonestySettings(clock_limit_s=60), 0.0)
    offsets = [5.0, 400.0, 5.0, 400.0, 400.0, 61.0, 59.0, 61.0, 29.0, -70.0, -70.0]
    found = [
        (at, turn.now, turn.figure)
        for at, offset in enumerate(offsets)
        for turn in watch.clock_probed(offset, float(at))
    ]
    assert found == [
        (4, Sight.CLOCK_WRONG, 400.0),
        (8, LIVE, 0.0),
        (10, Sight.CLOCK_WRONG, -70.0),
    ]
    assert watch.sight is Sight.CLOCK_WRONG
    assert not watch.is_blind


def test_nothing_counts_as_proof_of_life_while_something_is_wrong() -> None:
    watch, camera = Watch(SOON, 0.0, looks_per_s=FPS, views=REFERENCE), Camera()
    proofs = {}
    for at_s, scenery in [
        *scenes(Scenery(), 0, 10),
        *scenes(Scenery(room=ELSEWHERE), 10, 34),
        *scenes(Scenery(), 34, 44),
    ]:
        picture = camera.picture(at_s, scenery)
        watch.frame(picture, small_grey(picture), at_s)
        proofs[at_s] = watch.proves_live
    assert proofs[9.0]
    assert not proofs[33.0]
    assert proofs[43.0]


def test_a_picture_that_came_before_is_not_trusted_to_vote_again() -> None:
    watch, camera = Watch(SOON, 0.0, looks_per_s=FPS), Camera()
    bright, other = (camera.picture(at_s, Scenery()) for at_s in (0.0, 1.0))
    dark = camera.picture(2.0, Scenery(light=0.02))
    trusted = []
    for step, picture in enumerate((bright, bright, dark, dark, bright, bright, other)):
        watch.frame(picture, small_grey(picture), 0.2 * step)
        trusted.append(watch.trusted)
    assert trusted == [True, False, False, False, True, False, True]
    assert watch.sights == (LIVE,)  # it is not for blindness that it was not trusted
