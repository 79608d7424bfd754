"""A camera's clock, asked for beside its pictures: answers, silence, failures, passwords."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from camera_live import Live, running
from camera_parts import CollectingSink, kitchen, wait_until
from onvif_camera import PASSWORD, USER, OnvifCamera

from contracts.clock import utc_now
from contracts.events import Status
from contracts.topics import Identity
from edge_agent.cameras.camera import Camera
from edge_agent.cameras.pictures import encode_jpeg
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings, HonestySettings
from edge_agent.cameras.sources.clock_probe import Prober
from edge_agent.cameras.sources.onvif.messages import OnvifError
from edge_agent.cameras.workers import camera_workers
from edge_agent.ports import Worker

AGENT = Identity("440703", "canteen", "agent")
SOON = HonestySettings(degrade_after_s=0.5, recover_after_s=0.3, clock_every_s=0.05)


def newest(sink: CollectingSink, asked: Callable[[Status], object]) -> bool:
    """True if the newest status is as asked."""
    return bool(sink.statuses) and bool(asked(sink.statuses[-1][1]))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A folder of pictures, to be played over and over."""
    folder = tmp_path / "film"
    folder.mkdir()
    for number in range(10):
        (folder / f"{number}.jpg").write_bytes(encode_jpeg(kitchen(seed=number), 90))
    return folder


class Asking:
    """Makes cameras that ask for their clock."""

    def __init__(self, scene: Scene, models: Models, folder: Path) -> None:
        self.scene, self.models, self.folder = scene, models, folder
        self.sink = CollectingSink()

    def camera(
        self, live: Live, probe: Callable[[], float], honesty: HonestySettings = SOON
    ) -> Camera:
        settings = CameraSettings(
            "cam1", "usb:0", "test", honesty=honesty, looks_per_s=20.0, status_every_s=0.2
        )
        return Camera(
            settings, AGENT.sibling("cam1"), self.scene, self.models, self.sink, opener=live,
            memory=self.folder / "cam1.open.json", clock_probe=probe, clock=utc_now,
            ticks=time.monotonic,
        )  # fmt: skip

    def wait(self, asked: Callable[[Status], object]) -> None:
        self.sink.wait(lambda sink: newest(sink, asked))

    @property
    def status(self) -> Status:
        return self.sink.statuses[-1][1]


@pytest.fixture
def asking(scene: Scene, models: Models, tmp_path: Path) -> Asking:
    return Asking(scene, models, tmp_path)


def test_a_probe_that_hangs_stalls_neither_the_camera_nor_its_stop(asking: Asking) -> None:
    asked, answers, live = threading.Event(), threading.Event(), Live()

    def hang() -> float:
        asked.set()
        answers.wait(60)
        return 0.0

    try:
        with running(asking.camera(live, hang)):
            asking.sink.wait(lambda sink: sink.state("cam1") == "online")
            assert asked.wait(5)
            live.people = [(0, 0, False, True)]
            asking.sink.wait(lambda sink: sink.phases("no_hat") == ["open"])
            assert asking.status.clock_offset_s is None
    finally:
        answers.set()
    wait_until(lambda: not [one for one in threading.enumerate() if one.name == "clock-cam1"])


def test_probes_that_fail_are_counted_and_said_until_one_answers(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    answers = threading.Event()

    def probe() -> float:
        if not answers.is_set():
            raise OnvifError("10.0.0.9: no answer in 5 s")
        return 1.5

    with caplog.at_level(logging.WARNING), running(asking.camera(Live(), probe)):
        asking.wait(lambda said: said.figures["clock_probes_failed"] >= 3)
        asking.sink.wait(lambda sink: sink.state("cam1") == "online")
        assert "its clock is not told: 10.0.0.9: no answer in 5 s" in asking.status.detail
        answers.set()
        asking.wait(lambda said: said.clock_offset_s == 1.5 and said.detail == "")
        assert asking.status.figures["clock_probes_failed"] >= 3
    said = [one for one in caplog.messages if "its clock is not told" in one]
    assert len(said) == 1
    assert asking.sink.phases("camera_clock_wrong") == []


def test_a_probe_with_a_defect_is_a_failure_too_and_is_asked_again() -> None:
    def broken() -> float:
        raise ZeroDivisionError

    prober = Prober("cam1", broken, 0.01)
    prober.start()
    wait_until(lambda: prober.failures >= 2)
    prober.close()
    assert prober.trouble == "ZeroDivisionError"
    assert prober.take() is None


def test_the_newest_answer_is_taken_once() -> None:
    answers = iter([1.0, 2.0, 3.0])
    prober = Prober("cam1", lambda: next(answers), 0.01)
    prober.start()
    wait_until(lambda: prober.failures)  # there is no fourth
    prober.close()
    assert (prober.take(), prober.take()) == (3.0, None)


def test_where_the_check_is_off_nobody_is_asked(asking: Asking) -> None:
    asked: list[int] = []

    def probe() -> float:
        asked.append(1)
        return 0.0

    off = HonestySettings(clock_limit_s=0, clock_every_s=0.05)
    with running(asking.camera(Live(), probe, off)):
        asking.sink.wait(lambda sink: sink.state("cam1") == "online")
        time.sleep(0.2)
    assert asked == []
    assert "clock_probes_failed" not in asking.status.figures


class Site:
    """Workers made from settings, as the agent makes them."""

    def __init__(self, film: Path, models_dir: Path, scenes_dir: Path) -> None:
        self.film, self.models_dir, self.scenes_dir = film, models_dir, scenes_dir
        self.folder = film.parent
        self.sink = CollectingSink()

    def workers(self, **more: object) -> list[Worker]:
        values: dict[str, object] = {
            "device": "cam1", "source": f"folder:{self.film}", "scene": "test", "loop": True,
            "honesty": SOON, "status_every_s": 0.2,
        }  # fmt: skip
        settings = CameraSettings(**{**values, **more})  # type: ignore[arg-type]
        return camera_workers(
            [settings], AGENT, self.sink, models_dir=self.models_dir, scenes_dir=self.scenes_dir,
            state_dir=self.folder / "state",
        )  # fmt: skip

    def secret(self, content: str) -> str:
        path = self.folder / "password"
        path.write_text(content + "\n", "utf-8")
        return str(path)


@pytest.fixture
def site(film: Path, models_dir: Path, scenes_dir: Path) -> Site:
    return Site(film, models_dir, scenes_dir)


def test_a_wrong_clock_is_told_and_closed_once_it_is_set_with_the_password_of_the_file(
    site: Site,
) -> None:
    with OnvifCamera(ahead_s=3600, locked=True) as camera:
        workers = site.workers(onvif=camera.address, user=USER, password_file=site.secret(PASSWORD))
        with running(*workers):
            site.sink.wait(lambda sink: sink.phases("camera_clock_wrong") == ["open"])
            site.sink.wait(lambda sink: sink.state("cam1") == "degraded")
            status = site.sink.statuses[-1][1]
            assert status.clock_offset_s == pytest.approx(3600, abs=5)
            assert "the camera's clock is wrong" in status.detail
            camera.ahead_s = 0.0
            site.sink.wait(lambda sink: sink.phases("camera_clock_wrong") == ["open", "closed"])
            site.sink.wait(lambda sink: sink.state("cam1") == "online")
    opened = next(one for one in site.sink.observations if one.kind == "camera_clock_wrong")
    assert " s ahead)" in opened.reason
    assert set(camera.asked) == {"GetSystemDateAndTime"}


def test_a_wrong_password_is_said_and_not_repeated(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with OnvifCamera(locked=True) as camera:
        workers = site.workers(
            onvif=camera.address, user=USER, password_file=site.secret("hunter2")
        )
        with running(*workers):
            site.sink.wait(
                lambda sink: newest(sink, lambda said: "wrong user or password" in said.detail)
            )
    assert "hunter2" not in caplog.text + str(site.sink.statuses) + str(site.sink.facts)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"onvif": "ftp://host/"}, "camera cam1: onvif: 'ftp://host/' is no address of a device"),
        ({"password_file": "nowhere"}, "camera cam1: password_file: secret file nowhere: No such"),
    ],
)
def test_what_cannot_be_asked_leaves_the_camera_out_and_says_the_key(
    site: Site, values: dict[str, str], says: str
) -> None:
    assert site.workers(**values) == []
    assert site.sink.state("cam1") == "offline"
    assert says in site.sink.statuses[-1][1].detail


def test_a_password_file_that_is_no_text_leaves_the_camera_out(site: Site) -> None:
    path = site.folder / "password"
    path.write_bytes(b"\xff\xfe\x00")
    assert site.workers(password_file=str(path)) == []
    assert f"secret file {path}: is not UTF-8 text" in site.sink.statuses[-1][1].detail
