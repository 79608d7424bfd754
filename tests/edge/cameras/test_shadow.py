"""A candidate beside the current model: differences counted, nothing decided, nobody held up."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from camera_parts import CollectingSink, Person, clip, kitchen, wait_until

from contracts.clock import utc_now
from contracts.model_manifest import ManifestError
from contracts.topics import Identity
from edge_agent.cameras.eyes.detect import detect
from edge_agent.cameras.frames import Frame
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.pipeline import Outcome
from edge_agent.cameras.rule.looking import Looker, Models
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.shadow.comparison import Shadow
from edge_agent.cameras.shadow.shadowing import Shadowing
from edge_agent.cameras.shadow.witness import Glance
from edge_agent.cameras.workers import camera_workers

BARE: Person = (0, 0, False, True)
GOOD: Person = (1, 0, True, True)


class Backwards:
    """A classifier that says the opposite of the current one."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.manifest, self.reference = model.manifest, model.reference

    def run(self, tensor: Any) -> list[Any]:
        return [-one for one in self._model.run(tensor)]


@pytest.fixture
def contrary(models: Models) -> Models:
    return replace(models, classifier=Backwards(models.classifier))  # type: ignore[arg-type]


def compare(shadow: Shadow, scene: Scene, models: Models, parts: Any) -> list[str]:
    looker = Looker(scene, models)
    found = []
    for number, (at_s, picture) in enumerate(clip(parts, fps=5), 1):
        found += shadow.compare(looker.look(Frame(picture, utc_now(), at_s, number)))
    return [one.kind for one in [*found, *shadow.end_stretch()]]


def test_a_model_beside_itself_differs_in_nothing(scene: Scene, models: Models) -> None:
    shadow = Shadow(scene, models)
    assert compare(shadow, scene, models, [(3, [BARE, GOOD]), (2, [])]) == []
    counts = shadow.counts
    assert (counts.looks, counts.heads_both) == (25, 30)
    assert (counts.answers_same, counts.answers_flipped) == (60, 0)
    assert (counts.episodes_both, counts.episodes_only_candidate) == (1, 0)


def test_a_contrary_model_flips_answers_and_opens_other_episodes(
    scene: Scene, models: Models, contrary: Models
) -> None:
    shadow = Shadow(scene, contrary)
    walk = [(1, [(c, r, False, True)]) for c, r in ((0, 0), (1, 0), (1, 1), (0, 1))]
    kinds = compare(shadow, scene, models, walk)
    assert kinds.count("answers_flipped") == shadow.counts.answers_flipped == 2 * 20
    assert shadow.counts.episodes_only_current == 1  # no hat
    assert shadow.counts.episodes_only_candidate == 1  # no mask
    assert kinds[-2:] == ["episodes_only_current", "episodes_only_candidate"]


def test_heads_that_only_one_sees(scene: Scene, models: Models) -> None:
    blind = replace(models, detector=Blind(models.detector))  # type: ignore[arg-type]
    shadow = Shadow(scene, blind)
    kinds = compare(shadow, scene, models, [(1, [BARE])])
    assert kinds == ["heads_only_current"] * 5 + ["episodes_only_current"]
    kinds = compare(Shadow(scene, models), scene, blind, [(1, [BARE])])
    assert kinds == ["heads_only_candidate"] * 5 + ["episodes_only_candidate"]


class Blind:
    """A detector that finds nothing."""

    def __init__(self, model: Any) -> None:
        self._model, self.manifest, self.reference = model, model.manifest, model.reference

    def run(self, tensor: Any) -> list[Any]:
        boxes, scores = self._model.run(tensor)
        return [boxes, scores * 0]


def glance(scene: Scene, models: Models, number: int) -> Glance:
    frame = Frame(kitchen([BARE], seed=number), utc_now(), number / 5, number)
    look = Looker(scene, models).look(frame)
    outcome = Outcome(look, (), frame)
    return Glance("cam1", scene, outcome, Sight.LIVE, (), number, number, "", utc_now(), 0.0)


def working(shadowing: Shadowing) -> Iterator[list[BaseException]]:
    stop, raised = threading.Event(), []

    def run() -> None:
        try:
            shadowing.run(stop)
        except Exception as error:  # noqa: BLE001  # as the supervisor does
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield raised
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_differences_are_written_and_pictures_hidden(
    scene: Scene, models: Models, contrary: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.cameras.shadow.shadowing.MOST_PICTURES", 2)
    shadowing = Shadowing("cam1", lambda: Shadow(scene, contrary), tmp_path, 1.0, time.monotonic)
    for _ in working(shadowing):
        for number in range(1, 5):
            shadowing.saw(glance(scene, models, number))
            wait_until(lambda n=number: shadowing.figures("cam1").get("shadow_looks") == n)
    assert shadowing.figures("cam2") == {}
    assert shadowing.figures("cam1")["shadow_answers_flipped"] == 8
    lines = (tmp_path / "cam1.shadow.jsonl").read_text().splitlines()
    assert {json.loads(line)["kind"] for line in lines} >= {"answers_flipped"}
    assert len(list(tmp_path.glob("cam1.shadow-*.jpg"))) == 2


def test_the_file_of_differences_is_bounded(
    scene: Scene, models: Models, contrary: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.cameras.shadow.shadowing.LARGEST_LOG_BYTES", 300)
    shadowing = Shadowing("cam1", lambda: Shadow(scene, contrary), tmp_path, 1.0, time.monotonic)
    for _ in working(shadowing):
        for number in range(1, 8):
            shadowing.saw(glance(scene, models, number))
            wait_until(lambda n=number: shadowing.figures("cam1").get("shadow_looks") == n)
    sizes = [path.stat().st_size for path in tmp_path.glob("*.jsonl")]
    assert len(sizes) == 2
    assert max(sizes) < 1500


def test_a_candidate_that_hangs_or_breaks_holds_up_nobody(
    scene: Scene, models: Models, tmp_path: Path
) -> None:
    held = threading.Event()

    class Hanging(Blind):
        def run(self, tensor: Any) -> list[Any]:
            held.wait(20)
            raise RuntimeError("the candidate broke")

    hanging = replace(models, detector=Hanging(models.detector))  # type: ignore[arg-type]
    shadowing = Shadowing("cam1", lambda: Shadow(scene, hanging), tmp_path, 1.0, time.monotonic)
    shown = glance(scene, models, 1)
    for raised in working(shadowing):
        began_s = time.monotonic()
        for _ in range(1000):
            shadowing.saw(shown)
        assert time.monotonic() - began_s < 5
        held.set()
        wait_until(lambda found=raised: found)
    assert shadowing.figures("cam1") == {"shadow_failed": 1.0}
    assert detect(models.detector, kitchen([BARE]))  # the current one goes on


def test_a_candidate_that_cannot_be_opened_leaves_the_camera_at_work(
    models_dir: Path, scenes_dir: Path, tmp_path: Path
) -> None:
    camera = CameraSettings("cam1", "usb:0", "test", shadow_detector="no_such")
    workers = camera_workers(
        [camera], Identity("440703", "s", "agent"), CollectingSink(), models_dir=models_dir,
        scenes_dir=scenes_dir, state_dir=tmp_path / "state",
    )  # fmt: skip
    assert [worker.name for worker in workers] == ["shadow of cam1", "cam1"]
    with pytest.raises(ManifestError, match="no_such"):
        workers[0].run(threading.Event())
