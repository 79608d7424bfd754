"""Cameras over real RTSP: GStreamer's server, killed, stopped in its tracks, started anew."""

import signal
import threading
from pathlib import Path

import pytest
from camera_parts import CollectingSink, wait_until
from servers import Server

from contracts.topics import Identity
from edge_agent.cameras.settings import CameraSettings, HonestySettings
from edge_agent.cameras.workers import camera_workers

pytestmark = [pytest.mark.real, pytest.mark.slow]

AGENT = Identity("440703", "canteen", "agent")
SCRIPT = Path(__file__).with_name("rtsp_server.py")


class Rtsp(Server):
    """One stream at /live."""

    def __init__(self, folder: Path, *more: str, size: tuple[int, int] = (640, 360)) -> None:
        super().__init__(folder)
        self.size, self.more = size, more

    def command(self) -> list[str]:
        sizes = (str(side) for side in self.size)
        return ["/usr/bin/python3", str(SCRIPT), str(self.port), *sizes, *self.more]


class Site:
    """A camera at work on that stream."""

    def __init__(self, folder: Path, models_dir: Path, scenes_dir: Path, **more: object) -> None:
        self.sink = CollectingSink()
        values: dict[str, object] = {
            "device": "cam1", "scene": "test", "open_timeout_s": 3.0, "read_timeout_s": 2.0,
            "retry_first_s": 0.1, "retry_longest_s": 0.5, "status_every_s": 1.0,
            "honesty": HonestySettings(offline_after_s=4.0, recover_after_s=0.5),
        }  # fmt: skip
        settings = CameraSettings(**{**values, **more})  # type: ignore[arg-type]
        (self.worker,) = camera_workers(
            [settings], AGENT, self.sink, models_dir=models_dir, scenes_dir=scenes_dir,
            state_dir=folder / "state",
        )  # fmt: skip
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.worker.run, args=(self.stop,))

    def __enter__(self) -> CollectingSink:
        self.thread.start()
        return self.sink

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(2.5)
        assert not self.thread.is_alive()
        wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("read-")])


def test_killed_and_started_again(tmp_path: Path, models_dir: Path, scenes_dir: Path) -> None:
    with Rtsp(tmp_path / "rtsp") as server:
        source = f"rtsp://127.0.0.1:{server.port}/live"
        with Site(tmp_path, models_dir, scenes_dir, source=source) as sink:
            sink.wait(lambda sink: sink.state("cam1") == "online")
            server.kill()
            sink.wait(lambda sink: sink.phases("camera_offline") == ["open"])
            sink.wait(lambda sink: sink.state("cam1") == "offline")
            server.size = (960, 540)  # the camera comes back with another resolution
            server.start()
            sink.wait(lambda sink: sink.phases("camera_offline") == ["open", "closed"])
            sink.wait(lambda sink: sink.state("cam1") == "online")


def test_a_stream_that_stalls_is_offline_and_comes_back(
    tmp_path: Path, models_dir: Path, scenes_dir: Path
) -> None:
    with Rtsp(tmp_path / "rtsp") as server:
        source = f"rtsp://127.0.0.1:{server.port}/live"
        with Site(tmp_path, models_dir, scenes_dir, source=source) as sink:
            sink.wait(lambda sink: sink.state("cam1") == "online")
            server.signal(signal.SIGSTOP)
            sink.wait(lambda sink: sink.phases("camera_offline") == ["open"])
            server.signal(signal.SIGCONT)
            sink.wait(lambda sink: sink.phases("camera_offline") == ["open", "closed"])


def test_password(
    tmp_path: Path, models_dir: Path, scenes_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "k#it:chen@/1"
    (tmp_path / "good").write_text(secret)
    (tmp_path / "wrong").write_text("wr0ng")
    with Rtsp(tmp_path / "rtsp", "viewer", secret) as server:
        values = {"source": f"rtsp://127.0.0.1:{server.port}/live", "user": "viewer"}
        good = Site(
            tmp_path, models_dir, scenes_dir, password_file=str(tmp_path / "good"), **values
        )
        with good as sink:
            sink.wait(lambda sink: sink.state("cam1") == "online")
        wrong = Site(
            tmp_path, models_dir, scenes_dir, password_file=str(tmp_path / "wrong"), **values
        )
        with wrong as sink:
            sink.wait(lambda sink: sink.state("cam1") == "offline")
            assert "cannot be opened" in sink.statuses[-1][1].detail
            assert "online" not in [status.state.value for _, status in sink.statuses]
    said = "".join(capfd.readouterr()) + str(sink.statuses) + str(sink.facts)
    assert "wr0ng" not in said
    assert "k%23it" not in said


def test_a_huge_stream_is_refused(tmp_path: Path, models_dir: Path, scenes_dir: Path) -> None:
    with Rtsp(tmp_path / "rtsp", size=(1280, 720)) as server:
        source = f"rtsp://127.0.0.1:{server.port}/live"
        site = Site(tmp_path, models_dir, scenes_dir, source=source, refuse_above_px=640 * 360)
        with site as sink:
            sink.wait(lambda sink: sink.state("cam1") == "offline")
            said = sink.statuses[-1][1].detail
    assert "a frame of 1280x720 pixels is above the limit of 230400" in said
