"""`foodsentry vision replay`: the same twice, the same as live, from videos and folders."""

import json
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_parts import SCENE, CollectingSink, clip
from vision_runs import record, run

from contracts.topics import Identity
from edge_agent.cameras.camera import Camera
from edge_agent.cameras.frames import Picture, SourceEnded
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings, HonestySettings
from edge_agent.cameras.shadow.witness import Glance
from edge_agent.cameras.sources.capture import open_video
from edge_agent.cameras.tools.replay import BEGIN, clip_pictures, play
from edge_agent.cameras.tools.timeline import spans, told

pytestmark = pytest.mark.slow

WHO = Identity("440703", "canteen", "cam1")
STORY = [
    (2, [(0, 0, True, True)]),
    (4, [(0, 0, False, True), (1, 0, True, False)]),
    (4, [(0, 0, True, True)]),
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("film") / "clip.avi", clip(STORY), 10.0)


@pytest.fixture
def scene_file(tmp_path: Path) -> Path:
    path = tmp_path / "scene.toml"
    path.write_text(SCENE, "utf-8")
    return path


def test_two_runs_print_the_same_bytes(
    models_dir: Path, scene_file: Path, film: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    printed = []
    for _ in range(2):
        words = ("replay", "--models", models_dir, "--scene", scene_file, "--json", film)
        assert run(*words) == 0
        printed.append(capsysbinary.readouterr().out)
    assert printed[0] == printed[1]
    kinds = [(one["kind"], one["phase"]) for one in map(json.loads, printed[0].splitlines())]
    assert sorted(kinds) == [
        ("no_hat", "closed"), ("no_hat", "open"), ("no_mask", "closed"), ("no_mask", "open"),
    ]  # fmt: skip


def test_a_person_reads_a_timeline(
    models_dir: Path, scene_file: Path, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("replay", "--models", models_dir, "--scene", scene_file, film) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "00:02" in lines[0]
    assert "00:05" in lines[0]
    assert "专间" in lines[0]
    assert lines[-1] == "2 episodes: no_hat 1, no_mask 1"


def test_a_folder_of_pictures_is_a_clip_too(
    models_dir: Path, scene_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "stills"
    folder.mkdir()
    for number, (_, picture) in enumerate(clip(STORY, fps=5)):
        cv2.imwrite(str(folder / f"{number:04d}.png"), picture)
    words = ("replay", "--models", models_dir, "--scene", scene_file, "--fps", 5, folder)
    assert run(*words) == 0
    assert capsys.readouterr().out.endswith("2 episodes: no_hat 1, no_mask 1\n")
    (tmp_path / "empty").mkdir()
    assert run("replay", "--models", models_dir, "--scene", scene_file, tmp_path / "empty") == 1
    assert "holds no picture" in capsys.readouterr().err


def test_a_camera_of_the_settings_lends_its_way_of_judging(
    models_dir: Path, scene_file: Path, film: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    settings = tmp_path / "edge.toml"
    camera = '[[cameras]]\ndevice = "cam-1"\nsource = "usb:0"\nscene = "scene"\nlooks_per_s = 1.0\n'
    settings.write_text(f'[agent]\nregion = "440703"\nsite = "s"\n{camera}', "utf-8")
    words = ("replay", "--models", models_dir, "--scene", scene_file, "--settings", settings)
    assert run(*words, "--camera", "cam-2", film) == 2
    assert "no device 'cam-2' (there are: cam-1)" in capsys.readouterr().err
    assert run(*words, "--camera", "cam-1", film) == 2  # one look a second can never open
    assert "below enter_votes" in capsys.readouterr().err


class Stepping:
    """A video file on a clock of its own, which goes on when the camera has done with a frame."""

    def __init__(self, path: Path, fps: float) -> None:
        self._capture = open_video(path, 10**7)
        self._fps, self._count = fps, 0
        self.now_s = 0.0
        self.done = threading.Event()
        self.done.set()
        self.ended = threading.Event()

    def grab(self, stop: threading.Event) -> None:
        self.done.wait(20)
        if not self._capture.grab():
            self.ended.set()
            raise SourceEnded("played")
        self.now_s = self._count * (1 / self._fps)  # as a replayed clip counts
        self._count += 1
        if self._count % 2:  # every other one is taken: 10 a second, 5 looks
            self.done.clear()

    def retrieve(self) -> Picture:
        _, picture = self._capture.retrieve()
        return np.asarray(picture, np.uint8)

    def close(self) -> None:
        self._capture.release()

    def saw(self, glance: Glance) -> None:
        if glance.outcome is not None:
            self.done.set()

    def figures(self, device: str) -> Mapping[str, float]:
        return {}


def test_live_and_replay_tell_the_same(
    scene: Scene, models: Models, film: Path, tmp_path: Path
) -> None:
    settings = CameraSettings(
        "cam1", f"file:{film}", "test", honesty=HonestySettings(offline_after_s=3600)
    )
    source, sink, stop = Stepping(film, 10.0), CollectingSink(), threading.Event()
    camera = Camera(
        settings, WHO, scene, models, sink, opener=lambda: source, memory=tmp_path / "open.json",
        clock=lambda: BEGIN + timedelta(seconds=source.now_s), ticks=lambda: source.now_s,
        witnesses=(source,),
    )  # fmt: skip
    thread = threading.Thread(target=camera.run, args=(stop,))
    thread.start()
    assert source.ended.wait(60)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    played = play(clip_pictures(film, settings), settings, scene, models, who=WHO)
    facts = [fact for step in played for fact in step.facts]
    assert len(facts) >= 6
    assert sink.facts == facts
    assert {span.kind for span in spans(sink.observations)} == {"no_hat", "no_mask"}
    assert told(spans(sink.observations[:1])[0]).startswith("00:02")
