"""Streams packet by packet, and the adaptive rate: cheap while nothing moves, nothing lost after.

Clips are H.264 from the system's GStreamer; time is counted by packets, 25 a second.
"""

import itertools
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.cameras.frames import Attended, SourceError
from edge_agent.cameras.pictures import small_grey
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.sources import libav
from edge_agent.cameras.sources.capture_stream import StreamVideo
from edge_agent.cameras.sources.libav import LibavError
from edge_agent.cameras.sources.video_stream import VideoStream

pytestmark = pytest.mark.real

FPS, GOP = 25, 25
GO = threading.Event()
ENCODE = """
import gi, sys
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
line = Gst.parse_launch(
    "fdsrc fd=0 blocksize=691200 ! rawvideoparse format=bgr width=640 height=360 framerate=25/1 "
    "! videoconvert ! video/x-raw,format=I420 ! " + sys.argv[2] + " ! matroskamux ! "
    "filesink location=" + sys.argv[1])
line.set_state(Gst.State.PLAYING)
line.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
line.set_state(Gst.State.NULL)
"""
X264 = f"x264enc bitrate=1500 key-int-max={GOP} bframes=0 speed-preset=ultrafast option-string="
X264 += "scenecut=0 ! h264parse"


def pictures(moves: range, count: int) -> Iterator[np.ndarray]:
    """A noisy grey room in which, while the picture's number is in `moves`, a square stands: its
    column tells the number."""
    random = np.random.default_rng(1)
    for number in range(count):
        picture = np.full((360, 640, 3), 90, np.uint8)
        picture += random.integers(0, 6, picture.shape, np.uint8)
        if number in moves:
            left = 4 * (number - moves.start)
            picture[100:180, left : left + 80] = 220
        yield picture


def encode(path: Path, moves: range, count: int, encoder: str = X264) -> Path:
    process = subprocess.Popen(
        ["/usr/bin/python3", "-c", ENCODE, str(path), encoder], stdin=subprocess.PIPE
    )
    assert process.stdin
    with process.stdin as line:
        for picture in pictures(moves, count):
            line.write(picture.tobytes())
    assert process.wait(60) == 0
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds; from 4.2 s (five pictures after a key) to 7.2 s something moves."""
    return encode(tmp_path_factory.mktemp("clips") / "clip.mkv", range(105, 180), 250)


def opened(clip: Path, **more: object) -> StreamVideo:
    lib = libav.load()
    assert lib is not None
    ticks = itertools.count(0.0, 1 / FPS)
    stream = VideoStream(lib, str(clip), {}, open_timeout_s=5, ticks=lambda: next(ticks))
    settings = CameraSettings("cam1", "rtsp://x/y", "test", **more)  # type: ignore[arg-type]
    return StreamVideo(stream, settings)


def test_all_pictures_are_as_opencv_decodes_them(clip: Path) -> None:
    source, other = opened(clip), cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    assert isinstance(source, Attended)
    for number in range(250):
        source.grab(GO)
        assert source.arrived_s == pytest.approx(number / FPS)
        picture = source.retrieve()
        done, wanted = other.read()
        assert done
        assert cv2.absdiff(picture, wanted).max() <= 8
        assert cv2.absdiff(source._stream.small(), small_grey(wanted)).mean() < 2
    with pytest.raises(SourceError, match="broken off"):
        source.grab(GO)
    source.close()
    other.release()


def played(source: StreamVideo, awake_until_s: float) -> tuple[list[float], list[float]]:
    """(when pictures were taken, when they were given) if the worker is calm after that time and
    attentive for three seconds after any motion that it sees, as the gate is."""
    taken, given, stirred_s, last = [], [], awake_until_s, None
    try:
        while True:
            source.grab(GO)
            picture = source.retrieve()
            taken.append(source.arrived_s)
            given.append(source._newest_s)
            if last is not None and cv2.absdiff(picture, last).max() > 60:
                stirred_s = max(stirred_s, source.arrived_s)
            last = picture
            source.attentive = source.arrived_s - stirred_s < 3
    except SourceError:
        source.close()
    return taken, given


def test_a_quiet_room_costs_a_key_a_second_and_the_beginning_of_an_event_is_not_lost(
    clip: Path,
) -> None:
    source = opened(clip, decode="adaptive")
    taken, given = played(source, -3.0)
    assert taken == sorted(set(taken))  # in order, none twice
    numbers = [round(at * FPS) for at in taken]
    asleep = [number for number in numbers if number < 101]
    assert asleep[-4:] == [25, 50, 75, 100]
    # From the key before the motion on, every picture was given, none is missing.
    awake = [number for number in numbers if 101 <= number <= 250]
    assert awake[:100] == list(range(101, 201))
    # The first was given when the next key came: less than a GOP late, and the last one in time.
    late = [at - took for took, at in zip(taken, given, strict=True)]
    assert max(late) <= GOP / FPS
    assert late[-1] == 0
    assert source.decoded < 200


def test_attention_wakes_it_between_keys(clip: Path) -> None:
    source = opened(clip, decode="adaptive")
    source.attentive = False
    for _ in range(3):
        source.grab(GO)
    assert [round(source.arrived_s * FPS)] == [50]
    source.attentive = True
    source.grab(GO)
    assert round(source.arrived_s * FPS) == 51
    assert not source.behind or round(source._newest_s * FPS) >= 51
    source.close()


def test_keys_far_apart_are_not_waited_for(tmp_path: Path) -> None:
    long = X264.replace(f"key-int-max={GOP}", "key-int-max=1000")
    source = opened(encode(tmp_path / "long.mkv", range(0), 250, long), decode="adaptive")
    taken, given = played(source, -3.0)
    assert len(taken) > 240
    assert max(at - took for took, at in zip(taken, given, strict=True)) <= 2.6


def test_damage_is_known_until_the_next_key(clip: Path, tmp_path: Path) -> None:
    content = bytearray(clip.read_bytes())
    at = len(content) * 6 // 10
    for offset in range(0, 4000, 7):
        content[at + offset] ^= 0x55
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(content)
    source = opened(broken)
    states = []
    try:
        while True:
            source.grab(GO)
            states.append(not source._damaged)
            if source._damaged:
                with pytest.raises(SourceError, match="pictures arrive damaged"):
                    source.retrieve()
    except SourceError:
        source.close()
    first = states.index(False)
    assert 100 < first < 200
    assert states[-1]  # healed
    assert 0 < states.count(False) <= 2 * GOP


def test_no_hardware_is_no_reason_to_fail(clip: Path) -> None:
    lib = libav.load()
    assert lib is not None
    stream = VideoStream(lib, str(clip), {}, open_timeout_s=5, hardware=True)
    assert stream.decoder in ("h264", "h264_v4l2m2m")
    assert stream.next_packet(1)
    stream.close()
    stream.close()


def test_other_versions_of_the_libraries_are_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    lib = libav.load()
    assert lib is not None
    assert lib.fault() == ""
    monkeypatch.setitem(libav.MAJORS, "avcodec", 61)
    assert lib.fault() == "avcodec is version 62, 61 is known"


def test_what_is_no_stream_is_refused(tmp_path: Path) -> None:
    lib = libav.load()
    assert lib is not None
    (tmp_path / "text").write_text("no video")
    for name in ("text", "none"):
        with pytest.raises(LibavError):
            VideoStream(lib, str(tmp_path / name), {}, open_timeout_s=1)
