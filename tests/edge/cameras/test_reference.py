"""A scene's reference picture, from the scene's file to what is said of the camera."""

from pathlib import Path

import numpy as np
import pytest
from camera_live import running
from camera_parts import SCENE, CollectingSink
from honesty_parts import ELSEWHERE, Camera, Scenery

from contracts.topics import Identity
from edge_agent.cameras.pictures import encode_jpeg
from edge_agent.cameras.settings import CameraSettings, HonestySettings
from edge_agent.cameras.workers import camera_workers
from edge_agent.ports import Worker

pytestmark = pytest.mark.slow

AGENT = Identity("440703", "canteen", "agent")
SOON = HonestySettings(degrade_after_s=0.5, view_every_s=0.3, view_after_s=1.0)


class Site:
    """A camera whose scene names a reference picture."""

    def __init__(self, folder: Path, models_dir: Path) -> None:
        self.folder, self.models_dir, self.sink = folder, models_dir, CollectingSink()
        (folder / "film").mkdir()
        scene = SCENE.replace('title = "test"', 'title = "test"\nreference = "view.jpg"')
        (folder / "test.toml").write_text(scene, "utf-8")

    def refer(self, picture: np.ndarray) -> None:
        (self.folder / "view.jpg").write_bytes(encode_jpeg(picture, 90))

    def film(self, scenery: Scenery) -> None:
        camera = Camera(5)
        for number in range(20):
            picture = camera.picture(number / 5, scenery)
            (self.folder / "film" / f"{number:02}.jpg").write_bytes(encode_jpeg(picture, 90))

    def workers(self) -> list[Worker]:
        settings = CameraSettings(
            "cam1", f"folder:{self.folder / 'film'}", "test", loop=True, honesty=SOON,
            status_every_s=0.5,
        )  # fmt: skip
        return camera_workers(
            [settings], AGENT, self.sink, models_dir=self.models_dir, scenes_dir=self.folder,
            state_dir=self.folder / "state",
        )  # fmt: skip


@pytest.fixture
def site(tmp_path: Path, models_dir: Path) -> Site:
    return Site(tmp_path, models_dir)


def test_a_camera_that_shows_another_place_than_its_reference_was_moved(site: Site) -> None:
    site.refer(Camera(7).picture(0.0, Scenery(people=0)))
    site.film(Scenery(room=ELSEWHERE))
    with running(*site.workers()):
        site.sink.wait(lambda sink: sink.phases("camera_moved") == ["open"])


def test_a_camera_that_shows_its_reference_was_not(site: Site) -> None:
    site.refer(Camera(7).picture(0.0, Scenery(people=0)))
    site.film(Scenery())
    with running(*site.workers()):
        site.sink.wait(lambda sink: len(sink.statuses) > 8)
    assert site.sink.state("cam1") == "online"
    assert site.sink.phases("camera_moved") == site.sink.phases("camera_covered") == []


def test_a_reference_that_is_missing_broken_or_bare_leaves_the_camera_out_and_is_named(
    site: Site,
) -> None:
    path = site.folder / "view.jpg"

    def says() -> str:
        assert site.workers() == []
        return site.sink.statuses[-1][1].detail

    assert f"reference: {path}" in says()
    path.write_bytes(b"\xff\xd8 no picture")
    assert f"reference: {path}" in says()
    site.refer(np.full((360, 640, 3), 128, np.uint8))
    assert says() == f"reference: {path}: shows too little to be known again"
