"""Cameras over real RTSP: GStreamer's server, killed, stopped in its tracks, started anew."""

import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from camera_parts import CollectingSink, wait_until
from lossy_proxy import LossyProxy
from servers import Server

from contracts.clock import utc_now
from contracts.topics import Identity
from edge_agent.cameras.frames import Frame, Picture
from edge_agent.cameras.settings import CameraSettings, HonestySettings
from edge_agent.cameras.sources.capture import open_source
from edge_agent.cameras.sources.reader import Reader
from edge_agent.cameras.workers import camera_workers

pytestmark = [pytest.mark.real, pytest.mark.slow]

AGENT = Identity("440703", "canteen", "agent")
SCRIPT = Path(__file__).with_name("rtsp_server.py")


class Rtsp(Server):
    """One stream at /live."""

    def __init__(
        self, folder: Path, *more: str, size: tuple[int, int] = (640, 360), codec: str = "h264"
    ) -> None:
        super().__init__(folder)
        self.size, self.more = size, (codec, *more)

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

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
            assert "wrong user or password" in sink.statuses[-1][1].detail
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


def read(source: str, **more: object) -> Reader:
    """A reader of that stream alone."""
    values: dict[str, object] = {
        "open_timeout_s": 3.0, "read_timeout_s": 2.0, "retry_first_s": 0.1,
        "retry_longest_s": 0.5, "looks_per_s": 15.0,
    }  # fmt: skip
    settings = CameraSettings("cam1", source, "test", **{**values, **more})  # type: ignore[arg-type]
    return Reader(settings, lambda: open_source(settings, None), utc_now)


def frames(reader: Reader, count: int, limit_s: float = 30.0) -> list[Frame]:
    """So many frames, each newer than the one before."""
    found: list[Frame] = []
    until = time.monotonic() + limit_s
    while len(found) < count and time.monotonic() < until:
        frame = reader.newest(found[-1].number if found else 0, 0.2)
        found += [frame] if frame else []
    assert len(found) == count, reader.trouble
    return found


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_colours_and_sizes(tmp_path: Path, codec: str) -> None:
    with Rtsp(tmp_path, codec=codec) as server:
        reader = read("rtsp://127.0.0.1:1/main", analysis_source=server.address)
        reader.start()
        (frame,) = frames(reader, 1)
        assert reader.close(3)
    assert frame.picture.shape == (360, 640, 3)
    # The colour bars: white, yellow, cyan, green, magenta, red, blue.
    bars = frame.picture[60, 45::91] > 128  # blue, green, red: there or not
    assert [tuple(bar) for bar in bars[:7].astype(int)] == [
        (1, 1, 1), (0, 1, 1), (1, 1, 0), (0, 1, 0), (1, 0, 1), (0, 0, 1), (1, 0, 0),
    ]  # fmt: skip


def ball_px(picture: Picture) -> int:
    return int((picture[:, :, 1] > 128).sum())


def test_lost_packets_give_no_smeared_pictures(tmp_path: Path) -> None:
    with Rtsp(tmp_path, codec="ball") as server:
        reader = read(server.address)
        reader.start()
        whole = [ball_px(frame.picture) for frame in frames(reader, 30)]
        assert reader.close(3)
        # About one picture in five loses its packet (they are small: one packet each).
        with LossyProxy(server.port, lambda number: number % 11 == 7) as proxy:
            reader = read(f"rtsp://127.0.0.1:{proxy.port}/live")
            reader.start()
            seen = [ball_px(frame.picture) for frame in frames(reader, 30)]
            assert reader.close(3)
            assert proxy.lost > 5
            assert proxy.connections == 1  # loss is no reason to connect anew
    assert min(whole) * 0.7 < min(seen)
    assert max(seen) < max(whole) * 1.3


def test_a_connection_that_is_cut_is_made_anew(tmp_path: Path) -> None:
    with Rtsp(tmp_path) as server, LossyProxy(server.port) as proxy:
        reader = read(f"rtsp://127.0.0.1:{proxy.port}/live")
        reader.start()
        last = frames(reader, 3)[-1]
        proxy.hang_up()
        wait_until(lambda: "broken off" in reader.trouble)
        wait_until(lambda: not reader.trouble)
        assert reader.newest(last.number, 1.0)
        proxy.silent.set()
        wait_until(lambda: "no picture in 2 s" in reader.trouble)
        proxy.silent.clear()
        wait_until(lambda: not reader.trouble)
        assert proxy.connections >= 3
        assert reader.close(3)


def test_a_hanging_camera_ends_at_once_when_told(tmp_path: Path) -> None:
    with Rtsp(tmp_path) as server, LossyProxy(server.port) as proxy:
        reader = read(f"rtsp://127.0.0.1:{proxy.port}/live", read_timeout_s=60.0)
        reader.start()
        frames(reader, 1)
        proxy.silent.set()
        wait_until(lambda: not reader.newest(reader.count, 0.5))  # what was on its way has come
        assert reader.close(2)


def frames_per_s(reader: Reader) -> float:
    """Of the next three seconds."""
    begun, count = time.monotonic(), reader.count
    time.sleep(3)
    return (reader.count - count) / (time.monotonic() - begun)


def test_dead_and_hanging_cameras_slow_no_other(tmp_path: Path) -> None:
    with (
        Rtsp(tmp_path) as server,
        LossyProxy(server.port) as proxy,
        socket.create_server(("127.0.0.1", 0)) as deaf,
    ):
        proxy.silent.set()
        ports = (1, deaf.getsockname()[1], proxy.port)
        bad = [read(f"rtsp://127.0.0.1:{port}/live", open_timeout_s=1.0) for port in ports * 2]
        good = read(server.address)
        good.start()
        frames(good, 1)
        alone = min(15.0, frames_per_s(good))  # more while it catches up

        for reader in bad:
            reader.start()
        wait_until(lambda: all(reader.trouble for reader in bad))
        rate = frames_per_s(good)
        assert not any(reader.count for reader in bad)
        assert all(reader.close(3) for reader in [good, *bad])
    assert rate > 0.7 * alone > 1
