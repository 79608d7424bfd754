"""The road from a frame to an observation: every head is explained; posters; the night."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from camera_parts import BLOCK, Person, Pixels, clip, kitchen, write_classifier, write_detector

from contracts.events import Observation
from edge_agent.cameras import words
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule import looking
from edge_agent.cameras.rule.explain import Explanation, Why
from edge_agent.cameras.rule.scene import Persistence, Scene, Stillness
from edge_agent.cameras.schedule import Period, PeriodKind, Schedule
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.tools.replay import BEGIN, Step, play
from edge_agent.cameras.workers import open_models

pytestmark = pytest.mark.slow

SETTINGS = CameraSettings("cam1", "file:none", "test")


def steps(
    scene: Scene,
    models: Models,
    pictures: Iterable[tuple[float, Pixels]],
    begin: datetime = BEGIN,
) -> Iterator[Step]:
    return play(pictures, SETTINGS, scene, models, begin=begin)


def told(found: Iterable[Step]) -> list[Observation]:
    return [
        fact.data for step in found for fact in step.facts if isinstance(fact.data, Observation)
    ]


def last_explanations(found: Iterable[Step]) -> tuple[Explanation, ...]:
    looks = [step.outcome.look for step in found if step.outcome.look is not None]
    return looks[-1].explanations


@pytest.mark.parametrize(("right", "why"), [(230, Why.CANNOT_TELL), (20, Why.EPISODE)])
def test_what_the_mirrored_head_does_not_say_accuses_nobody(
    scene: Scene, tmp_path: Path, right: int, why: Why
) -> None:
    write_detector(tmp_path / "kitchen_heads")
    write_classifier(tmp_path / "head_attributes", across=True)  # the hat is read on the left
    lopsided = open_models(tmp_path, "kitchen_heads", "head_attributes")

    def pictures() -> Iterator[tuple[float, Pixels]]:
        for number in range(15):
            picture = kitchen([(2, 1, False, False)], seed=number)
            picture[BLOCK:, 2 * BLOCK : 2 * BLOCK + BLOCK // 2, 1] = 20
            picture[BLOCK:, 2 * BLOCK + BLOCK // 2 : 3 * BLOCK, 1] = right
            yield number / 5, picture

    (one,) = last_explanations(steps(scene, lopsided, pictures()))
    assert one.why is why


@pytest.mark.parametrize(
    ("by_infrared", "green", "why"),
    [
        (False, 110, Why.EPISODE),
        (True, 110, Why.CANNOT_TELL),
        (True, 80, Why.EPISODE),
    ],
)
def test_by_infrared_light_a_missing_hat_must_be_surer(
    monkeypatch: pytest.MonkeyPatch, scene: Scene, tmp_path: Path,
    by_infrared: bool, green: int, why: Why,
) -> None:  # fmt: skip
    write_detector(tmp_path / "kitchen_heads")
    write_classifier(tmp_path / "head_attributes")
    manifest = tmp_path / "head_attributes" / "manifest.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace("no = 0.2", "no = 0.2\nno_infrared = 0.05", 1), "utf-8")
    models = open_models(tmp_path, "kitchen_heads", "head_attributes")
    monkeypatch.setattr(looking, "is_colourless", lambda picture: by_infrared)

    def pictures() -> Iterator[tuple[float, Pixels]]:
        for number in range(15):
            picture = kitchen([(2, 1, False, False)], seed=number)
            picture[BLOCK : 2 * BLOCK, 2 * BLOCK : 3 * BLOCK, 1] = green
            yield number / 5, picture

    (one,) = last_explanations(steps(scene, models, pictures()))
    assert one.why is why


@pytest.mark.parametrize(
    ("person", "why", "says"),
    [
        ((3, 0, False, False), Why.MASKED, "海报: in a masked area"),
        ((0, 0, True, True), Why.DRESSED, "专间: as it should be; a hat: as it should be (0/"),
        ((0, 0, None, None), Why.CANNOT_TELL, "专间: cannot tell"),
        ((0, 0, False, True), Why.EPISODE, "part of an open observation; a hat: part of an"),
        ((2, 1, False, False), Why.EPISODE, "热厨: part of an open observation"),
    ],
)
def test_every_head_is_explained(
    scene: Scene, models: Models, person: Person, why: Why, says: str
) -> None:
    (one,) = last_explanations(list(steps(scene, models, clip([(3, [person])]))))
    assert one.why is why
    assert says in words.explained(one)
    assert (one.track is None) == (why is Why.MASKED)


def test_small_and_outside_heads_are_explained(scene: Scene, models: Models) -> None:
    large_only = msgspec.structs.replace(scene.zones[0], min_head=0.9)
    strict = msgspec.structs.replace(scene, zones=(large_only, scene.zones[1]), masks=())
    people: list[Person] = [(0, 0, False, True), (3, 0, False, True)]
    found = last_explanations(steps(strict, models, clip([(2, people)])))
    assert sorted((one.why.value, one.place) for one in found) == [
        ("outside", ""),
        ("too_small", "专间"),
    ]


def living(scene: Scene, **changes: float) -> Scene:
    return msgspec.structs.replace(scene, stillness=Stillness(**changes))  # type: ignore[arg-type]


def test_a_head_that_never_moved_opens_nothing(scene: Scene, models: Models) -> None:
    wary = living(scene, after_s=10.0)
    found = list(steps(wary, models, clip([(6, [(0, 0, False, False)])])))
    assert told(found) == []
    (one,) = last_explanations(found)
    assert one.why is Why.NOT_MOVED
    assert one.still_s > 5
    assert "可能是图像，已 6 秒未动" in words.explained(one)
    (later,) = last_explanations(steps(wary, models, clip([(13, [(0, 0, False, False)])])))
    assert later.why is Why.STILL


def test_a_head_that_moves_opens_as_ever(scene: Scene, models: Models) -> None:
    def swaying() -> Iterator[tuple[float, Pixels]]:
        for number in range(60):
            shift = round(6 * np.sin(number))
            picture = np.roll(kitchen([(0, 0, False, True)], seed=number), shift, axis=1)
            yield number / 10, picture

    assert next(one.kind for one in told(steps(living(scene), models, swaying()))) == "no_hat"


def test_an_observation_about_a_poster_is_taken_back(scene: Scene, models: Models) -> None:
    """Where a head need not move first, a poster opens an episode; when it has proved to be one,
    the episode is taken back, and the poster opens none again."""
    trusting = living(scene, after_s=10.0, life_first=False)
    found = told(steps(trusting, models, clip([(25, [(0, 0, False, True)])])))
    opened, closed = found
    assert not opened.retracted
    assert closed.retracted
    assert closed.phase.value == "closed"
    assert 9.5 <= (closed.captured_at - BEGIN).total_seconds() <= 11
    assert "一直未动，判为图像" in closed.reason


NIGHT = Schedule((Period("hours", PeriodKind.OPEN, "06:00", "20:00"),))


@pytest.mark.parametrize(("hour", "expected"), [(12, []), (23, ["off_hours_person"] * 2)])
def test_somebody_in_the_night(
    scene: Scene, models: Models, hour: int, expected: list[str]
) -> None:
    """Only the zone that asks for it; whoever is dressed well is not welcome either."""
    watched = msgspec.structs.replace(scene.zones[0], off_hours=True)
    rule = Persistence(window_s=5.0, enter_votes=10, enter_s=3.0, leave_s=2.0, merge_s=0.0)
    scene = msgspec.structs.replace(
        scene, zones=(watched, scene.zones[1]), schedule=NIGHT, off_hours=rule
    )
    people: list[Person] = [(0, 0, True, True), (2, 0, True, True)]
    begin = BEGIN.replace(hour=(hour - 8) % 24)
    found = told(steps(scene, models, clip([(6, people), (5, [])]), begin))
    assert [one.kind for one in found] == expected
    if expected:
        opened, closed = found
        assert opened.zone == "专间"
        assert (opened.captured_at - begin).total_seconds() == pytest.approx(3.0, abs=0.5)
        assert opened.evidence
        assert closed.ended_at is not None
        assert (closed.people, closed.tracks, closed.stretches) == (1, 1, 1)
        assert closed.peak_at is not None
        assert opened.started_at <= closed.peak_at <= closed.ended_at
