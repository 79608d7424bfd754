"""Sources: files, folders, addresses; what is too large, gone, or hangs."""

import shutil
import socket
import threading
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_parts import kitchen, wait_until

from contracts.clock import utc_now
from contracts.settings import SettingsError
from edge_agent.cameras.frames import (
    FrameRefused,
    Picture,
    SourceEnded,
    SourceError,
    SourceRefused,
)
from edge_agent.cameras.settings import CameraSettings, located
from edge_agent.cameras.sources.capture import check_source, every_picture, open_source
from edge_agent.cameras.sources.reader import Reader
from edge_agent.cameras.tools.drawing import Recording

pytestmark = pytest.mark.slow

GO = threading.Event()


def write_video(path: Path, count: int = 10, fps: float = 50.0) -> Path:
    recording = Recording(str(path), fps, 640, 360)
    for number in range(count):
        recording.add(kitchen(seed=number))
    recording.close()
    return path


def settings(source: str, **more: object) -> CameraSettings:
    return CameraSettings("cam1", source, "test", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["film.avi", "film.mp4"])
def test_a_video_is_played_to_its_end_at_its_pace(tmp_path: Path, name: str) -> None:
    source = open_source(settings(f"file:{write_video(tmp_path / name)}"), None)
    began = time.monotonic()
    for _ in range(10):
        source.grab(GO)
        assert source.retrieve().shape == (360, 640, 3)
    assert time.monotonic() - began >= 9 / 50 - 0.01
    with pytest.raises(SourceEnded, match="the video has ended"):
        source.grab(GO)
    source.close()


def test_a_video_can_be_looped(tmp_path: Path) -> None:
    source = open_source(settings(f"file:{write_video(tmp_path / 'f.avi')}", loop=True), None)
    first = None
    for number in range(21):
        source.grab(GO)
        picture = source.retrieve()
        first = picture if first is None else first
        if number in (10, 20):
            assert np.array_equal(picture, first)
    source.close()


def test_all_pictures_of_a_video(tmp_path: Path) -> None:
    times = [at_s for at_s, _ in every_picture(write_video(tmp_path / "f.avi"), 10**6)]
    assert times == pytest.approx([number / 50 for number in range(10)])


def test_a_folder_is_played_in_order_of_name_and_skips_what_is_bad(tmp_path: Path) -> None:
    for number in (2, 0, 4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((90, 160, 3), number * 20, np.uint8))
    (tmp_path / "1.png").write_bytes(b"no picture")
    cv2.imwrite(str(tmp_path / "3.png"), np.zeros((1000, 1000, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("x")
    one = settings(f"folder:{tmp_path}", folder_fps=60.0, refuse_above_px=100_000, loop=True,
                   looks_per_s=30.0)  # fmt: skip
    reader = Reader(one, lambda: open_source(one, None), utc_now)
    reader.start()
    troubles, levels = set(), set()
    number = 0
    until = time.monotonic() + 10
    while (len(levels) < 3 or len(troubles) < 2) and time.monotonic() < until:
        troubles |= {reader.trouble} - {""}
        frame = reader.newest(number, 0.001)
        if frame is not None:
            number = frame.number
            levels.add(int(frame.picture.mean()))
    assert reader.close()
    assert levels == {0, 40, 80}
    assert any("1.png: not a JPEG" in trouble for trouble in troubles)
    assert any("3.png: a frame of 1000x1000 pixels is above" in trouble for trouble in troubles)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("file:{}/none.mp4", r"none\.mp4: no such file"),
        ("file:{}/text.mp4", r"text\.mp4: not a video"),
        ("file:{}/cut.mp4", r"cut\.mp4: not a video"),
        ("folder:{}/none", r"none: No such file or directory"),
        ("folder:{}/empty", r"empty: holds no picture"),
        ("usb:97", r"usb:97: cannot be opened"),
        ("usb:/dev/v4l/by-id/usb-none", r"usb-none: cannot be opened"),
    ],
)
def test_a_source_that_cannot_be_opened_is_named(tmp_path: Path, source: str, says: str) -> None:
    (tmp_path / "text.mp4").write_text("no video at all")
    (tmp_path / "empty").mkdir()
    whole = write_video(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(SourceError, match=says):
        open_source(settings(source.format(tmp_path)), None)


def test_a_video_of_huge_frames_is_refused_before_the_first_is_decoded(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.avi", 1)
    with pytest.raises(FrameRefused, match=r"film\.avi: a frame of 640x360 pixels is above"):
        open_source(settings(f"file:{path}", refuse_above_px=100_000), None)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("rtsp://root:hunter2@10.0.0.9/live", "carries a user"),
        ("file:", "is none of"),
        ("usb:front", "is none of"),
        ("usb:/dev/sda", "is none of"),
        ("usb:/dev/v4l/by-id/../../sda", "is none of"),
        ("tape:1", "is none of"),
        ("film", "is none of"),
    ],
)
def test_a_wrong_source_is_refused_without_repeating_a_password(source: str, says: str) -> None:
    with pytest.raises(SettingsError, match=rf"camera cam1: source: .*{says}") as caught:
        check_source(source, "camera cam1: source")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://10.0.0.9/live",
        "rtsps://h/x",
        "usb:0",
        "usb:/dev/v4l/by-id/usb-046d_C270-index0",
        "usb:/dev/video2",
        "file:a.mp4",
        "folder:x",
    ],
)
def test_good_sources(source: str) -> None:
    check_source(source, "camera cam1: source")


def test_nobody_there_and_nobody_who_answers(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        one = settings(f"rtsp://127.0.0.1:{port}/live", user="root", open_timeout_s=1.0)
        began = time.monotonic()
        with pytest.raises(SourceError) as caught:
            open_source(one, "hunter2")
        assert time.monotonic() - began < 4
    assert str(caught.value).startswith(f"rtsp://127.0.0.1:{port}/live: cannot be opened")
    with pytest.raises(SourceError, match="cannot be opened"):  # the port is closed now
        open_source(one, "hunter2")
    assert "hunter2" not in "".join(capfd.readouterr())


class Scripted:
    """A source that does what a test tells it."""

    def __init__(self, shown: list[Picture | Exception | threading.Event]) -> None:
        self.shown, self.closed, self.current = shown, 0, kitchen()

    def grab(self, stop: threading.Event) -> None:
        if not self.shown:
            stop.wait(20)
            return
        what = self.shown.pop(0)
        if isinstance(what, threading.Event):
            what.wait(20)
        elif isinstance(what, Exception):
            raise what
        else:
            self.current = what

    def retrieve(self) -> Picture:
        return self.current

    def close(self) -> None:
        self.closed += 1


def test_the_newest_frame_wins_and_one_is_held() -> None:
    ready = threading.Event()
    one = settings("usb:0", looks_per_s=30.0)
    shades = [np.full((20, 20, 3), shade, np.uint8) for shade in range(200)]
    script: list[Picture | Exception | threading.Event] = []
    for shade in shades:
        pause = threading.Event()
        threading.Timer(0.002 * int(shade[0, 0, 0]), pause.set).start()
        script += [pause, shade]
    source = Scripted(script)
    reader = Reader(one, lambda: source, utc_now)
    reader.start()
    wait_until(lambda: reader.count >= 380)
    frame = reader.newest(0, 1.0)
    assert frame is not None
    assert frame.number > 300
    assert reader.newest(frame.number + 1000, 0.01) is None
    assert reader.close()
    assert source.closed == 1
    assert not ready.is_set()


def test_a_lost_source_is_opened_anew_with_growing_pauses() -> None:
    opened: list[float] = []

    def opener() -> Scripted:
        opened.append(time.monotonic())
        if len(opened) < 5:
            raise SourceError("cam: unreachable")
        if len(opened) == 5:
            return Scripted([kitchen(), SourceError("cam: broken off")])
        if len(opened) == 6:
            raise RuntimeError("a defect")
        return Scripted([kitchen()])

    one = settings("usb:0", retry_first_s=0.05, retry_longest_s=0.2)
    reader = Reader(one, opener, utc_now)
    reader.start()
    wait_until(lambda: reader.trouble)
    assert "unreachable" in reader.trouble
    wait_until(lambda: len(opened) == 7 and not reader.trouble)
    pauses = [b - a for a, b in pairwise(opened)]
    for pause, least in zip(pauses, (0.05, 0.1, 0.2, 0.2, 0.05, 0.1), strict=True):
        assert least <= pause < least + 5.0  # the machine may be busy; growth is in the least
    assert reader.close()


def test_a_wrong_password_is_not_tried_often() -> None:
    opened = []

    def opener() -> Scripted:
        opened.append(time.monotonic())
        raise SourceRefused("cam: wrong user or password")

    one = settings("usb:0", retry_first_s=0.05, retry_longest_s=1.0)
    reader = Reader(one, opener, utc_now)
    reader.start()
    wait_until(lambda: len(opened) == 2)
    assert 1.0 <= opened[1] - opened[0] < 2.0  # cameras lock who tries too often
    assert reader.trouble == "cam: wrong user or password"
    assert reader.close()


def test_the_substream_is_what_is_opened(tmp_path: Path) -> None:
    path = write_video(tmp_path / "sub.avi", 1)
    one = settings("rtsp://10.0.0.9/main", analysis_source=f"file:{path.name}")
    source = open_source(located(one, tmp_path), None)
    source.grab(GO)
    assert source.retrieve().shape == (360, 640, 3)
    source.close()


class CatchingUp(Scripted):
    """A source that has pictures from before."""

    attentive, arrived_s = True, 0.0

    @property
    def behind(self) -> bool:
        return 0 < len(self.shown) < 20

    def grab(self, stop: threading.Event) -> None:
        super().grab(stop)
        self.arrived_s += 1.0


def test_what_is_caught_up_on_is_all_handed_over_with_its_own_time() -> None:
    source = CatchingUp([np.full((20, 20, 3), shade, np.uint8) for shade in range(20)])
    reader = Reader(settings("usb:0"), lambda: source, utc_now, ticks=lambda: 100.0)
    reader.start()
    seen = []
    for _ in range(20):
        frame = reader.newest(seen[-1].number if seen else 0, 2.0)
        assert frame is not None
        seen.append(frame)
        time.sleep(0.01)  # a worker that is slower than the source
    assert [frame.seen_s for frame in seen] == [float(n + 1) for n in range(20)]
    ages = [(seen[-1].grabbed_at - frame.grabbed_at).total_seconds() for frame in seen]
    assert ages == pytest.approx([19.0 - n for n in range(20)], abs=2.0)
    assert reader.close()


def test_a_file_that_has_ended_is_not_opened_again(tmp_path: Path) -> None:
    opened = []
    one = settings("usb:0", retry_first_s=0.05)
    reader = Reader(one, lambda: opened.append(1) or Scripted([SourceEnded("over")]), utc_now)
    reader.start()
    wait_until(lambda: reader.trouble == "over")
    assert reader.close()
    assert opened == [1]
    shutil.rmtree(tmp_path)


def test_a_source_that_hangs_keeps_nobody_waiting() -> None:
    hang = threading.Event()
    reader = Reader(settings("usb:0"), lambda: Scripted([hang]), utc_now)
    reader.start()
    began = time.monotonic()
    assert reader.newest(0, 0.05) is None
    assert not reader.close(0.1)
    assert time.monotonic() - began < 1
    hang.set()
    wait_until(lambda: reader.close(0.1))
