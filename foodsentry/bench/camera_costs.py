"""What a camera costs on one core, stage by stage, beside the bare work that cannot be avoided.

Bare is: every frame decoded to BGR by OpenCV, the difference of two 320x180 grey pictures at the
pace of analysis, and both models on exactly the frames that our pipeline looks at. Times are those
of the thread on its core, so that other programs on the machine do not count.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np

from edge_agent.cameras.eyes.attributes import read_attributes
from edge_agent.cameras.eyes.detect import detect
from edge_agent.cameras.frames import Picture, SourceError
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.sources import libav
from edge_agent.cameras.sources.capture_stream import StreamVideo, open_stream
from edge_agent.cameras.tools.replay import play
from foodsentry.bench.clips import FPS
from foodsentry.bench.servers import BenchFailed

HEAD = "head"
_GO = threading.Event()


class Cost(msgspec.Struct, frozen=True):
    """One run through the clip by our pipeline."""

    seconds: float
    """Of a core."""
    frames: int
    """In the clip."""
    decoded: int
    taken: int
    """Frames that the pipeline was given."""
    looked_at: tuple[float, ...]
    """Moments of the analysed ones."""
    observations: int
    decode_s: float
    convert_s: float
    judge_s: float
    """Honesty and motion gate, on frames that were not analysed."""
    look_s: float
    """Everything on frames that were."""


def camera(decode: str = "all") -> CameraSettings:
    """The camera of the benchmark."""
    return CameraSettings("cam-1", "rtsp://bench/cam", "bench", decode=decode)  # type: ignore[arg-type]


def open_clip(
    clip: Path, settings: CameraSettings, arrivals: Iterator[float] | None = None
) -> StreamVideo:
    """The clip as a stream whose packets come at `arrivals`, in seconds; without, 25 a second.

    Raises SourceError, BenchFailed.
    """
    lib = libav.load()
    if lib is None:
        raise BenchFailed("bench cameras: OpenCV brings no FFmpeg that is known here")
    ticks = arrivals or itertools.count(0.0, 1 / FPS)
    return open_stream(lib, str(clip), settings, lambda: next(ticks))


def ours(clip: Path, decode: str, scene: Scene, models: Models) -> Cost:
    """The whole pipeline: stream, honesty, gate, models, tracks, episodes, words and evidence."""
    settings = camera(decode)
    source = open_clip(clip, settings)
    decode_s = convert_s = judge_s = look_s = 0.0

    def due() -> Iterator[tuple[float, Picture]]:
        nonlocal decode_s, convert_s
        taken_s = float("-inf")
        while True:
            begun = time.thread_time()
            try:
                source.grab(_GO)
            except SourceError:
                return
            finally:
                decode_s += time.thread_time() - begun
            if source.arrived_s - taken_s < 0.9 / settings.looks_per_s:
                continue
            taken_s, begun = source.arrived_s, time.thread_time()
            picture = source.retrieve()
            convert_s += time.thread_time() - begun
            yield taken_s, picture

    whole = begun = time.thread_time()
    taken, observations, looked_at = 0, 0, []
    steps = play(due(), settings, scene, models)
    while True:
        before = decode_s + convert_s
        begun = time.thread_time()
        step = next(steps, None)
        spent = time.thread_time() - begun - (decode_s + convert_s - before)
        if step is None:
            break
        taken += 1
        observations += sum(fact.kind == "observations" for fact in step.facts)
        seen_s = step.outcome.frame.seen_s
        if step.outcome.look is None:
            judge_s += spent
        else:
            look_s += spent
            looked_at.append(seen_s)
        source.attentive = not step.pipeline.gate.quiet(seen_s)
    whole = time.thread_time() - whole
    frames, decoded = source.packets, source.decoded
    source.close()
    return Cost(
        whole, frames, decoded, taken, tuple(looked_at), observations,
        decode_s, convert_s, judge_s, look_s,
    )  # fmt: skip


def bare(clip: Path, looked_at: tuple[float, ...], models: Models) -> float:
    """Seconds of a core for the work that any such system must do."""
    capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    wanted = {round(at * FPS) for at in looked_at}
    last = np.zeros((180, 320), np.uint8)
    begun = time.thread_time()
    for number in itertools.count():
        done, picture = capture.read()
        if not done:
            break
        if number % 5 == 0:
            small = cv2.resize(picture, (320, 180), interpolation=cv2.INTER_AREA)
            levels = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
            np.count_nonzero(cv2.absdiff(levels, last) > 14)
            last = levels
        if number in wanted:
            whole = np.asarray(picture, np.uint8)
            heads = [box for box in detect(models.detector, whole) if box.label == HEAD]
            read_attributes(models.classifier, whole, heads)
    spent = time.thread_time() - begun
    capture.release()
    return spent


def decode_to_bgr(clip: Path) -> float:
    """Milliseconds of a core for each frame, by OpenCV."""
    capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    begun, count = time.thread_time(), 0
    while capture.read()[0]:
        count += 1
    spent = time.thread_time() - begun
    capture.release()
    return 1000 * spent / count
