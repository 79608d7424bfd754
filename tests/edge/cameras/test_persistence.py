"""Passing people, a second look, merging, peaks, pictures taken back; and that nothing floods."""

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import Box
from edge_agent.cameras import words
from edge_agent.cameras.eyes.attributes import Answer
from edge_agent.cameras.rule.episodes import Closed, Ending, Episodes, Head, Opened
from edge_agent.cameras.rule.explain import Why
from edge_agent.cameras.rule.scene import Persistence, Scene, Wear

RULE = Persistence(
    window_s=2.0, enter_votes=4, enter_share=0.7, enter_s=0.5, leave_share=0.3, leave_s=2.0,
    merge_s=0.0, hold_s=20.0,
)  # fmt: skip
STEP_S = 0.2
Y, N, U, W = Answer.YES, Answer.NO, Answer.UNKNOWN, Answer.UNSURE
Change = Opened | Closed


def head(scene: Scene, hat: Answer, *, track: int = 1, confidence: float = 0.9) -> Head:
    box = Box("head", 40.0 * track, 0, 40.0 * track + 30, 40, 0.8)
    return Head(track, box, scene.zones[0], {Wear.HAT: hat}, {Wear.HAT: confidence}, (Wear.HAT,))


def looked(
    episodes: Episodes, scene: Scene, answers: str, *, begin_s: float = 0.0
) -> list[tuple[float, Change]]:
    """Looks at one person every 0.2 s: y/n hat, w unsure, u cannot tell, . nobody."""
    letters = {"y": Y, "n": N, "u": U, "w": W}
    found = []
    for step, letter in enumerate(answers):
        at_s = round(begin_s + step * STEP_S, 3)
        heads = [] if letter == "." else [head(scene, letters[letter])]
        found += [(at_s, change) for change in episodes.look(heads, at_s)]
    return found


def signs(found: list[tuple[float, Change]]) -> list[tuple[float, str]]:
    return [(at_s, "+" if isinstance(one, Opened) else one.ending.value) for at_s, one in found]


def with_(**changes: float) -> Persistence:
    return msgspec.structs.replace(RULE, **changes)


def test_who_only_passes_does_not_count_and_who_stays_does(scene: Scene) -> None:
    rule = with_(dwell_s=3.0)
    assert looked(Episodes(rule), scene, ("n" * 14 + "." * 20) * 3) == []
    assert signs(looked(Episodes(rule), scene, "n" * 20)) == [(3.0, "+")]


def test_a_violation_that_begins_anew_soon_continues_its_episode(scene: Scene) -> None:
    story = ("n" * 10 + "." * 20) * 3 + "." * 60
    apart = looked(Episodes(RULE), scene, story)
    assert [sign for _, sign in signs(apart)] == ["+", "over"] * 3
    merged = looked(Episodes(with_(merge_s=8.0)), scene, story)
    assert [sign for _, sign in signs(merged)] == ["+", "over"]
    end = merged[-1][1]
    assert isinstance(end, Closed)
    assert end.stretches == 3
    assert end.until_s == 13.8  # though it was told ten seconds later
    assert merged[-1][0] == pytest.approx(end.until_s + 10, abs=0.21)


def test_told_only_when_seen_again_minutes_later(scene: Scene) -> None:
    rule = with_(confirm_after_s=600.0, confirm_within_s=300.0)
    episodes = Episodes(rule)
    assert looked(episodes, scene, "n" * 20) == []
    assert looked(episodes, scene, "n" * 20, begin_s=300) == []  # too soon for a second look
    ((at_s, opened),) = looked(episodes, scene, "n" * 20, begin_s=700)
    assert isinstance(opened, Opened)
    assert (at_s, opened.since_s) == (700.6, 0.0)
    assert opened.confirmed_after_s == pytest.approx(700.6)
    assert "12 min earlier" in words.opened(opened)
    assert "12 分钟前" in words.opened(opened)


def test_a_second_look_that_comes_too_late_is_a_first_one(scene: Scene) -> None:
    episodes = Episodes(with_(confirm_after_s=600.0, confirm_within_s=300.0))
    assert looked(episodes, scene, "n" * 20) == []
    assert looked(episodes, scene, "n" * 20, begin_s=1000) == []
    assert signs(looked(episodes, scene, "n" * 20, begin_s=1700)) == [(1700.6, "+")]


def test_one_who_never_dresses_is_told_after_the_time_of_the_second_look(scene: Scene) -> None:
    episodes = Episodes(with_(confirm_after_s=60.0))
    assert signs(looked(episodes, scene, "n" * 310)) == [(60.0, "+")]


def test_a_zone_may_have_its_own_persistence(scene: Scene) -> None:
    patient = msgspec.structs.replace(
        scene.zones[0], persistence=msgspec.structs.replace(RULE, enter_s=1.8)
    )
    slow = msgspec.structs.replace(scene, zones=(patient, *scene.zones[1:]))
    assert signs(looked(Episodes(RULE), scene, "n" * 12)) == [(0.6, "+")]
    assert signs(looked(Episodes(RULE), slow, "n" * 12)) == [(1.8, "+")]


@pytest.mark.parametrize(
    ("crowd", "counted"),
    [
        ({0: [1], 10: [], 25: [2], 35: []}, 1),  # lost in steam for 3 s, followed as another
        ({0: [1], 10: [2], 20: [3], 30: []}, 1),  # again and again
        ({0: [1], 10: [1, 2], 30: []}, 2),  # both are there
        ({0: [1], 10: [2], 20: [1, 2], 30: []}, 2),  # the first was only hidden
        ({0: [1], 10: [], 62: [2], 75: []}, 2),  # another comes 10.4 s later
    ],
)
def test_a_broken_track_is_no_other_person(
    scene: Scene, crowd: dict[int, list[int]], counted: int
) -> None:
    rule = msgspec.structs.replace(RULE, merge_s=20.0)
    episodes = Episodes(rule)
    tracks: list[int] = []
    ends: list[Closed] = []
    for step in range(260):
        tracks = crowd.get(step, tracks)
        heads = [head(scene, N, track=one) for one in tracks]
        ends += [c for c in episodes.look(heads, step * STEP_S) if isinstance(c, Closed)]
    assert [end.tracks for end in ends] == [counted]


def test_an_episode_has_a_peak_and_counts_people(scene: Scene) -> None:
    episodes = Episodes(RULE)
    crowd = {0: [1], 10: [1, 2, 3], 20: [3, 4], 30: []}
    tracks: list[int] = []
    found: list[Change] = []
    for step in range(60):
        tracks = crowd.get(step, tracks)
        found += episodes.look([head(scene, N, track=one) for one in tracks], step * STEP_S)
    end = found[-1]
    assert isinstance(end, Closed)
    assert (end.people, end.tracks, end.stretches) == (3, 3, 1)  # 4 came when two were lost
    assert 2.0 < end.peak_s < 4.0
    assert end.until_s < 6.0 + RULE.window_s


def test_what_proves_to_be_a_picture_is_taken_back(scene: Scene) -> None:
    episodes = Episodes(RULE)
    for step in range(10):
        episodes.look([head(scene, N, track=7)], step * STEP_S)
    (end,) = episodes.look([], 2.0, still={7})
    assert isinstance(end, Closed)
    assert end.ending is Ending.STILL
    assert "did not move: taken for a picture" in words.closed(end, 0)


def test_a_picture_beside_a_person_takes_nothing_back(scene: Scene) -> None:
    episodes = Episodes(RULE)
    for step in range(10):
        episodes.look([head(scene, N, track=7), head(scene, N, track=8)], step * STEP_S)
    assert episodes.look([head(scene, N, track=8)], 2.0, still={7}) == []


def test_nobody_may_be_there_outside_working_hours(scene: Scene) -> None:
    night = msgspec.structs.replace(RULE, enter_s=1.0)
    episodes = Episodes(RULE, night)
    base = head(scene, U)
    someone = Head(1, base.box, base.zone, {}, {}, (None,))
    found = [c for step in range(10) for c in episodes.look([someone], step * STEP_S)]
    (opened,) = found
    assert isinstance(opened, Opened)
    assert opened.case.kind == "off_hours_person"
    assert opened.tally.confidence == pytest.approx(0.8)
    assert words.opened(opened).startswith("专间：非工作时间有 1 人（")
    (end,) = (c for step in range(10, 40) for c in episodes.look([], step * STEP_S))
    assert isinstance(end, Closed)
    assert "nobody outside working hours in 专间" in words.closed(end, 2)


@pytest.mark.parametrize(
    ("rule", "answers", "why"),
    [
        ({}, "uuuu", Why.CANNOT_TELL),
        ({}, "wuww", Why.CANNOT_TELL),
        ({}, "nwnwnwnw", Why.COUNTING),
        ({}, "yyyy", Why.DRESSED),
        ({}, "yyyn", Why.COUNTING),
        ({"dwell_s": 30.0}, "nnnnnnnn", Why.PASSING),
        ({"confirm_after_s": 600.0}, "nnnnnnnn", Why.SUSPECTED),
        ({}, "nnnnnnnn", Why.EPISODE),
    ],
)
def test_every_head_has_its_standing(
    scene: Scene, rule: dict[str, float], answers: str, why: Why
) -> None:
    episodes = Episodes(with_(**rule))
    looked(episodes, scene, answers)
    (standing,) = episodes.standings(head(scene, U))
    assert standing.why is why
    assert standing.missing == answers.count("n")
    assert standing.looks == len(answers) - answers.count("u")


stories = st.lists(
    st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from(Answer), st.floats(0, 1)),
        max_size=4,
        unique_by=lambda one: one[0],
    ),
    min_size=1,
    max_size=12,
)
rules = st.builds(
    lambda enter_s, dwell_s, leave_s, merge_s, confirm_after_s: Persistence(
        window_s=2.0, enter_votes=3, enter_s=enter_s, dwell_s=dwell_s, leave_s=leave_s,
        merge_s=merge_s, confirm_after_s=confirm_after_s, confirm_within_s=5.0,
    ),
    st.sampled_from([0.4, 1.2]), st.sampled_from([0.0, 1.6]), st.sampled_from([0.6, 3.0]),
    st.sampled_from([0.0, 4.0]), st.sampled_from([0.0, 6.0]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(stories, rules, st.integers(0, 2**32), st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_for_any_answers_no_flood_no_flicker_and_no_order(
    scene: Scene,
    story: list[list[tuple[int, Answer, float]]],
    rule: Persistence,
    seed: int,
    lasts: list[int],
) -> None:
    """Whatever the model answers, in stretches that repeat: opens and closes alternate, no two
    openings lie closer than the rule's own times, and the order of heads is nothing."""
    one, other, chance = Episodes(rule), Episodes(rule), random.Random(seed)
    opened_s: list[float] = []
    closed_s: list[float] = []
    step = 0
    for turn in range(24):
        people = story[turn % len(story)]
        for _ in range(lasts[turn % len(lasts)]):
            at_s = step * STEP_S
            heads = [head(scene, hat, track=t, confidence=c) for t, hat, c in people]
            mixed = heads[:]
            chance.shuffle(mixed)
            changes = one.look(heads, at_s)
            assert other.look(mixed, at_s) == changes
            for change in changes:
                if isinstance(change, Opened):
                    assert len(opened_s) == len(closed_s)
                    assert [s.track for s in change.subjects] == sorted(
                        s.track for s in change.subjects
                    )
                    opened_s.append(at_s)
                else:
                    closed_s.append(at_s)
                    assert len(opened_s) == len(closed_s)
                    assert change.peak_s <= change.until_s <= at_s
                    assert 1 <= change.people <= change.tracks
            step += 1
    for earlier, later in pairwise(opened_s):
        assert later - earlier >= rule.leave_s + rule.merge_s - 1e-6
    assert len(opened_s) <= 1 + step * STEP_S / (rule.leave_s + rule.merge_s)
