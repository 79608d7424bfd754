"""Golden clips: the same from the same seed, and a truth that follows from who is where."""

import math

import numpy as np
import pytest

from edge_agent.cameras.honesty.loop import LoopWatch
from edge_agent.cameras.pictures import SMALL, small_grey
from edge_agent.cameras.rule.scene import Persistence
from edge_agent.simulation.clips import FPS, SIZE, Clip, Matter
from edge_agent.simulation.drawn_cast import DrawnCast
from edge_agent.simulation.effects import Look, effect
from edge_agent.simulation.players import Place, Player
from edge_agent.simulation.rooms import draw_room
from edge_agent.simulation.scripts import SCRIPTS, day, story

pytestmark = pytest.mark.slow

CAST = DrawnCast()
COLD, HOT = CAST.scene.zones
CHANCE = np.random.default_rng(1)
BARE = CAST.figure(CHANCE, COLD, frozenset({"hat", "mask"}))
GOOD = CAST.figure(CHANCE, COLD, frozenset())


def stand(begin_s: float, end_s: float, x: float = 0.3, **more: object) -> Player:
    path = (Place(begin_s, x, 0.4), Place(end_s, x, 0.4))
    return Player(more.pop("figure", BARE), path, 0.15, **more)  # type: ignore[arg-type]


def clip(*players: Player, lasts_s: float = 60) -> Clip:
    return Clip("c", Matter.EPISODES, Look.PLAIN, lasts_s, CAST.scene, players, 1)


def told(*players: Player) -> list[tuple[str, float, float, bool]]:
    return [
        (one.kind, round(one.start_s, 1), round(one.end_s, 1), one.must)
        for one in clip(*players).expected()
    ]


def test_who_stands_there_without_anything_is_two_episodes() -> None:
    assert told(stand(10, 20)) == [("no_hat", 10, 20, True), ("no_mask", 10, 20, True)]


def test_who_is_dressed_or_elsewhere_is_none() -> None:
    assert told(stand(10, 20, figure=GOOD), stand(10, 20, x=0.6)) == []


def test_in_the_hot_kitchen_no_mask_is_asked_for() -> None:
    assert [one.kind for one in clip(stand(10, 20, x=0.8)).expected()] == ["no_hat"]


def test_a_moment_is_none_a_while_may_be_one() -> None:
    assert told(stand(10, 11.4)) == []
    assert [must for *_, must in told(stand(10, 13))] == [False, False]


def test_a_poster_is_nobody() -> None:
    assert told(stand(0, 60, restless=0)) == []


def test_hidden_for_a_moment_is_the_same_person_longer_makes_two_stretches_one_episode() -> None:
    assert told(stand(10, 20, hidden=((14, 15),)))[0] == ("no_hat", 10, 20, True)
    short = told(stand(10, 20, hidden=((14, 17),)))
    assert short[0] == ("no_hat", 10, 20, False)  # nobody was to be seen for 6 s on end


def test_two_one_after_another_are_one_episode_far_apart_two() -> None:
    quiet_s = Persistence().leave_s + Persistence().merge_s
    assert len(told(stand(5, 15), stand(15 + quiet_s, 55))) == 2  # hat and mask
    assert len(told(stand(5, 15), stand(19 + quiet_s, 60))) == 4


@pytest.mark.parametrize("name", list(SCRIPTS))
def test_every_script_is_the_same_from_the_same_seed_and_ends(name: str) -> None:
    one, again, other = (story(name, Look.STEAM, CAST, seed) for seed in (4, 4, 5))
    assert one == again
    assert one.players != other.players
    ends = [player.path[-1].at_s for player in one.players if player.restless]
    assert max(ends) < one.lasts_s
    (_, first), *_ = one.pictures()
    (_, twin), *_ = again.pictures()
    assert np.array_equal(first, twin)
    is_about_somebody = name not in ("passing_by", "all_dressed", "poster")
    assert any(expected.must for expected in one.expected()) == is_about_somebody


@pytest.mark.parametrize("matter", [Matter.EMPTY, Matter.DRESSED])
def test_a_day_expects_nothing(matter: Matter) -> None:
    ordinary = day(matter, Look.PLAIN, CAST, 3, 600)
    assert ordinary.expected() == []
    assert bool(ordinary.players) == (matter is Matter.DRESSED)
    assert ordinary.dimmed


def test_a_player_is_drawn_where_the_truth_has_its_head() -> None:
    with_one = list(clip(stand(0, 2), lasts_s=1).pictures())
    without = list(clip(lasts_s=1).pictures())
    assert len(with_one) == round(FPS)
    width, height = SIZE
    for (_, one), (_, none) in zip(with_one, without, strict=True):
        rows, columns = np.nonzero(np.abs(one.astype(int) - none).max(axis=2) > 24)
        assert abs(np.median(columns) / width - 0.3) < 0.05
        assert rows.min() / height == pytest.approx(0.4 - 0.15 / 2, abs=0.05)


@pytest.mark.parametrize("look", list(Look))
def test_an_effect_keeps_size_and_kind_and_never_repeats(look: Look) -> None:
    picture = np.full((90, 160, 3), 120, np.uint8)
    picture[20:60, 40:90] = 60
    seen = effect(look, (160, 90), 1)
    one, two = seen(picture, 0.2), seen(picture, 0.4)
    assert (one.shape, one.dtype) == (picture.shape, np.uint8)
    assert not np.array_equal(one, two)
    assert np.array_equal(one, effect(look, (160, 90), 1)(picture, 0.2))
    assert math.isfinite(float(one.std()))
    assert one.std() > 2


def test_steam_is_not_taken_for_an_old_recording() -> None:
    room, _ = draw_room(SMALL, 1_500_002)
    seen = effect(Look.STEAM, SMALL, 1_500_002)
    watch = LoopWatch(memory_s=900.0, looks_per_s=2.0, after_s=60.0)
    times = [number / 2 for number in range(1200)]
    assert not any(watch.frame(small_grey(seen(room, at_s)), at_s).holds for at_s in times)
