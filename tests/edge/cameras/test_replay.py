"""Golden clips: pictures made here, played through the pipeline, give the expected episodes."""

from collections.abc import Iterable

import cv2
import numpy as np
import pytest
from camera_parts import Person, Pixels, clip, kitchen

from contracts.events import Evidence, Observation
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings, HonestySettings
from edge_agent.cameras.tools.replay import BEGIN, play
from edge_agent.ports import Fact

pytestmark = pytest.mark.slow

SETTINGS = CameraSettings(
    "cam1",
    "file:none",
    "test",
    honesty=HonestySettings(
        offline_after_s=5, frozen_after_s=4, degrade_after_s=3, recover_after_s=1
    ),
)
GOOD: Person = (0, 0, True, True)
NO_HAT: Person = (0, 0, False, True)
BARE: Person = (1, 0, False, False)
HIDDEN: Person = (0, 0, None, None)
ON_POSTER: Person = (3, 0, False, False)
IN_GENERAL: Person = (2, 0, True, False)


def facts(scene: Scene, models: Models, pictures: Iterable[tuple[float, Pixels]]) -> list[Fact]:
    return [fact for step in play(pictures, SETTINGS, scene, models) for fact in step.facts]


def told(found: list[Fact]) -> list[tuple[str, str, float]]:
    """Kind, phase and second of each observation."""
    return [
        (one.kind, one.phase.value, round((one.captured_at - BEGIN).total_seconds(), 1))
        for fact in found
        if isinstance(one := fact.data, Observation)
    ]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(6, [GOOD])], []),
        ([(6, [])], []),
        ([(6, [ON_POSTER])], []),
        ([(6, [IN_GENERAL])], []),
        ([(6, [HIDDEN])], []),
        ([(0.5, [NO_HAT]), (5, [])] * 3, []),
        (
            [(2, [GOOD]), (4, [NO_HAT]), (5, [GOOD])],
            [("no_hat", "open", 3.4), ("no_hat", "closed", 9.4)],
        ),
        (
            [(2, []), (3, [BARE]), (4, [])],
            [("no_hat", "open", 2.6), ("no_mask", "open", 2.6),
             ("no_hat", "closed", 6.8), ("no_mask", "closed", 6.8)],
        ),
        (  # walks from cell to cell: one episode
            [(1, [(c, r, False, True)]) for c, r in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]
            + [(3, [])],
            [("no_hat", "open", 0.6), ("no_hat", "closed", 6.8)],
        ),
    ],
)  # fmt: skip
def test_golden(
    scene: Scene,
    models: Models,
    parts: list[tuple[float, list[Person]]],
    expected: list[tuple[str, str, float]],
) -> None:
    assert told(facts(scene, models, clip(parts))) == expected


def test_the_same_clip_tells_the_same(scene: Scene, models: Models) -> None:
    parts = [(1, [GOOD]), (3, [BARE]), (3, [])]
    assert facts(scene, models, clip(parts)) == facts(scene, models, clip(parts))


def test_what_an_observation_carries(scene: Scene, models: Models) -> None:
    found = facts(scene, models, clip([(2, [NO_HAT, (2, 1, True, True)])]))
    opened, evidence, closed = (fact.data for fact in found)
    assert isinstance(evidence, Evidence)
    assert isinstance(opened, Observation)
    assert isinstance(closed, Observation)
    assert [fact.kind for fact in found] == ["observations", "evidence", "observations"]
    assert (opened.zone, opened.zone_kind, opened.people) == ("专间", "special_room", 1)
    assert opened.evidence == (evidence.evidence_id,)
    assert evidence.observation_id == opened.observation_id == closed.observation_id
    assert opened.started_at <= opened.captured_at
    assert evidence.captured_at <= opened.captured_at
    assert [(box.x0, box.y0) for box in evidence.boxes] == [(0, 0)]
    assert [model.id for model in opened.models] == ["blocks", "halves"]
    assert "1 人未戴工作帽" in opened.reason
    assert opened.confidence > 0.9
    assert closed.ended_at is not None
    assert closed.ended_at >= closed.started_at
    shown = cv2.imdecode(np.frombuffer(evidence.content, np.uint8), 1)
    assert shown.shape == (360, 640, 3)
    neighbour = shown[170:310, 330:470, 1].astype(float)
    assert neighbour.std() < 50  # the dressed one beside is hidden


def test_dark_and_frozen_become_observations_and_hold_what_runs(
    scene: Scene, models: Models
) -> None:
    def pictures() -> Iterable[tuple[float, Pixels]]:
        last = kitchen()
        for number in range(300):
            at_s = number / 10
            if 5 <= at_s < 10:
                last = kitchen([NO_HAT], seed=number, light=0.04)
            elif not 15 <= at_s < 21:
                last = kitchen([NO_HAT], seed=number)
            yield at_s, last

    found = told(facts(scene, models, pictures()))
    assert found == [
        ("no_hat", "open", 0.6),
        ("camera_dark", "open", 8.0),
        ("camera_dark", "closed", 11.0),
        ("camera_frozen", "open", 19.0),
        ("camera_frozen", "closed", 22.0),
        ("no_hat", "closed", 29.8),
    ]


def test_a_frozen_picture_of_somebody_opens_nothing(scene: Scene, models: Models) -> None:
    picture = kitchen([NO_HAT])
    found = told(facts(scene, models, ((n / 10, picture) for n in range(60))))
    assert found == [("camera_frozen", "open", 4.0), ("camera_frozen", "closed", 5.8)]


def test_lights_off_and_on_again_is_nothing(scene: Scene, models: Models) -> None:
    dark = [(at_s + 4, picture) for at_s, picture in clip([(2, [])], light=0.04)]
    light = [(at_s + 6, picture) for at_s, picture in clip([(4, [GOOD])])]
    assert told(facts(scene, models, [*clip([(4, [GOOD])]), *dark, *light])) == []


def test_a_large_frame_is_shrunk_and_told_in_its_small_size(scene: Scene, models: Models) -> None:
    large = (
        (at_s, np.ascontiguousarray(picture.repeat(4, axis=0).repeat(4, axis=1)))
        for at_s, picture in clip([(1.5, [NO_HAT])])
    )
    opened = facts(scene, models, large)[0].data
    assert isinstance(opened, Observation)
    assert opened.boxes[0].x1 == pytest.approx(320)
