"""The benchmarks' cameras: a clip as a camera would send it, and a server that sends it.

GStreamer of the system does both, as in the tests; the text of BenchFailed says what to install.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_agent.simulation.film import Act, pictures
from edge_agent.simulation.film_cook import Cook
from foodsentry.bench.servers import BenchFailed
from foodsentry.demo.run import free_port

SIZE, FPS, KBPS = (1280, 720), 25, 3000


@dataclass(frozen=True, slots=True)
class Stream:
    """What a camera sends."""

    size: tuple[int, int]
    """Width and height in pixels."""
    fps: int
    kbps: int


MAIN = Stream(SIZE, FPS, KBPS)
SUB = Stream((640, 360), 15, 512)
"""A usual substream, which is what a site should have analysed."""
_SCRIPT = Path(__file__).with_name("gstreamer.py")
_PYTHON = "/usr/bin/python3"
PACKAGES = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base "
    "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
)
DAY = (Act(18), Act(4, (Cook(hat=False, mask=False),)), Act(18))
"""Forty seconds with a person in view for a tenth of them."""
DAY_S = 40.0
SCENE = """version = 1
title = "bench"
[[zones]]
name = "专间"
kind = "special_room"
required = ["hat", "mask"]
polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
[persistence]
merge_s = 0.0
"""
"""The persistence is the field's own, but that each visit is an episode."""


def check_gstreamer() -> None:
    """Raises BenchFailed if the system's Python has no GStreamer with x264."""
    probe = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); "
        "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
        "raise SystemExit(not Gst.ElementFactory.find('x264enc'))"
    )
    try:
        done = subprocess.run([_PYTHON, "-c", probe], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchFailed(f"bench cameras: {_PYTHON} cannot be run: {error}") from None
    if done.returncode:
        raise BenchFailed(f"bench cameras needs GStreamer: apt-get install {PACKAGES}")


def make_clip(
    path: Path, acts: Sequence[Act] = DAY, codec: str = "h264", stream: Stream = MAIN
) -> Path:
    """Film `acts` with a sensor's noise and encode them as `stream` at a constant bit rate, a key
    every two seconds. Raises BenchFailed."""
    sizes = [str(number) for number in (*stream.size, stream.fps, stream.kbps)]
    command = [_PYTHON, str(_SCRIPT), "encode", str(path), *sizes, codec]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin and process.stderr
        try:
            for picture in pictures(acts, fps=stream.fps, size=stream.size):
                process.stdin.write(picture.tobytes())
            process.stdin.close()
        except BrokenPipeError:
            pass
        said = process.stderr.read().decode("utf-8", "replace").strip()
    if process.returncode or not path.exists():
        raise BenchFailed(f"bench cameras: the clip cannot be encoded: {said[-300:]}")
    return path


@contextmanager
def served(clip: Path, cameras: int, cores: set[int]) -> Iterator[list[str]]:
    """The clip as so many RTSP cameras, each at another moment of it; gives their addresses."""
    port = free_port()
    command = [_PYTHON, str(_SCRIPT), "serve", str(clip), str(port), str(cameras)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        os.sched_setaffinity(process.pid, cores)
        assert process.stdout
        if process.stdout.readline().strip() != b"ready":
            raise BenchFailed("bench cameras: the RTSP server does not come up")
        yield [f"rtsp://127.0.0.1:{port}/cam{number}" for number in range(cameras)]
    finally:
        process.kill()
        process.wait(10)
        if process.stdout:
            process.stdout.close()
