"""The rule: N of M, hysteresis, what cannot be told, what cannot be seen."""

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import Box
from edge_agent.cameras.eyes.attributes import Answer
from edge_agent.cameras.rule.episodes import Closed, Episodes, Head, Opened
from edge_agent.cameras.rule.scene import Persistence, Scene, Wear

RULE = Persistence(
    window_s=2.0,
    enter_votes=4,
    enter_share=0.7,
    enter_s=0.5,
    leave_share=0.3,
    leave_s=2.0,
    merge_s=0.0,
    hold_s=20.0,
)
STEP_S = 0.2
Y, N, U, W = Answer.YES, Answer.NO, Answer.UNKNOWN, Answer.UNSURE
BOX = Box("head", 0, 0, 50, 50, 0.9)


def head(scene: Scene, hat: Answer, mask: Answer = Y, track: int = 1, zone: int = 0) -> Head:
    answers = {Wear.HAT: hat, Wear.MASK: mask}
    asked = scene.zones[zone].required
    return Head(track, BOX, scene.zones[zone], answers, dict.fromkeys(answers, 0.9), asked)


def told(
    scene: Scene, looks: list[list[Head] | None], rule: Persistence = RULE
) -> list[tuple[float, str]]:
    """What the rules make of a look every 0.2 s; None: the camera cannot see."""
    episodes, found = Episodes(rule), []
    for step, heads in enumerate(looks):
        at_s = round(step * STEP_S, 3)
        changes = episodes.cannot_see(at_s) if heads is None else episodes.look(heads, at_s)
        for change in changes:
            sign = "+" if isinstance(change, Opened) else "lost" if change.lost else "-"
            found.append((at_s, f"{sign}{change.case.wear.value}"))
    return found


def hats(scene: Scene, answers: str) -> list[list[Head] | None]:
    """Looks at one person: y/n/u hat, . nobody, x cannot see."""
    by_letter = {"y": Y, "n": N, "u": U, "w": W}
    return [
        None if letter == "x" else [] if letter == "." else [head(scene, by_letter[letter])]
        for letter in answers
    ]


def test_enough_votes_open_one_episode_and_its_end_closes_it(scene: Scene) -> None:
    assert told(scene, hats(scene, "yyy" + "n" * 30 + "y" * 20)) == [(1.8, "+hat"), (9.8, "-hat")]


def test_a_flicker_opens_nothing(scene: Scene) -> None:
    assert told(scene, hats(scene, "yynyynyyynnyyyn" * 4)) == []


def test_a_flicker_closes_nothing(scene: Scene) -> None:
    assert told(scene, hats(scene, "nnnnnnynnnyynnnnynnnnnnynnnn")) == [(0.6, "+hat")]


def test_what_cannot_be_told_is_neither_fine_nor_a_violation(scene: Scene) -> None:
    assert told(scene, hats(scene, "u" * 100)) == []
    assert told(scene, hats(scene, "nnn" + "u" * 20)) == []
    assert told(scene, hats(scene, "nnunun" + "u" * 10))[0] == (1.0, "+hat")
    assert told(scene, hats(scene, "nnnnnn" + "u" * 20)) == [(0.6, "+hat")]


def test_a_model_that_wavers_accuses_nobody_and_clears_nobody(scene: Scene) -> None:
    assert told(scene, hats(scene, "nnwnwwnwnnwwnw" * 5)) == []
    assert told(scene, hats(scene, "nnnnnn" + "wwnw" * 10)) == [(0.6, "+hat")]


def test_somebody_who_only_passes_is_no_episode(scene: Scene) -> None:
    assert told(scene, hats(scene, ("nnn" + "." * 40) * 3)) == []


def test_votes_must_span_time(scene: Scene) -> None:
    slow = Persistence(window_s=2.0, enter_votes=4, enter_s=1.0)
    assert told(scene, hats(scene, "nnnnnnn"), slow) == [(1.0, "+hat")]


def test_blindness_holds_an_episode_but_not_for_ever(scene: Scene) -> None:
    held = told(scene, hats(scene, "nnnnnn" + "x" * 50 + "nnnnnn" + "y" * 30))
    assert [what for _, what in held] == ["+hat", "-hat"]
    assert told(scene, hats(scene, "nnnnnn" + "x" * 150)) == [(0.6, "+hat"), (21.2, "losthat")]


def test_zones_ask_for_what_they_ask_for(scene: Scene) -> None:
    bare = [head(scene, N, N, track=1, zone=0), head(scene, N, N, track=2, zone=1)]
    found = told(scene, [bare] * 10)  # type: ignore[list-item]
    assert sorted(what for _, what in found) == ["+hat", "+hat", "+mask"]


def test_one_episode_for_several_people(scene: Scene) -> None:
    crowd = [head(scene, N, track=track) for track in range(5)]
    episodes = Episodes(RULE)
    changes = [change for step in range(30) for change in episodes.look(crowd, step * STEP_S)]
    assert len(changes) == 1
    assert isinstance(changes[0], Opened)
    assert len(changes[0].subjects) == 5
    (end,) = episodes.end()
    assert isinstance(end, Closed)
    assert (end.people, end.lost) == (5, True)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.lists(
                st.tuples(
                    st.integers(1, 3),
                    st.integers(0, 1),
                    st.sampled_from(Answer),
                    st.sampled_from(Answer),
                ),
                max_size=3,
                unique_by=lambda one: one[0],
            ),
        ),
        max_size=120,
    )
)
def test_openings_and_closings_alternate_and_openings_have_reasons(
    scene: Scene, looks: list[list[tuple[int, int, Answer, Answer]] | None]
) -> None:
    episodes = Episodes(RULE)
    running: set[object] = set()
    missing: dict[object, int] = {}
    for step, people in enumerate(looks):
        if people is None:
            changes = episodes.cannot_see(step * STEP_S)
        else:
            heads = [head(scene, hat, mask, track, zone) for track, zone, hat, mask in people]
            for case, _ in episodes.doubted(heads):
                missing[case] = missing.get(case, 0) + 1
            changes = episodes.look(heads, step * STEP_S)
        for change in changes:
            if isinstance(change, Opened):
                assert change.case not in running
                assert missing[change.case] >= RULE.enter_votes
                running.add(change.case)
            else:
                running.remove(change.case)
    assert {change.case for change in episodes.end()} == running
