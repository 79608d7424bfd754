"""`foodsentry bench cameras`: what cameras cost, how many a core carries, how soon they tell.

Everything runs on one core: 1280x720, 25 frames a second, H.264 at 3 Mbit/s, a person in view for
a tenth of the time. JSON keys are told in docs/benchmarks.md and stay.
"""

import os
import statistics
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import msgspec

from contracts.settings import convert_settings
from edge_agent.cameras.eyes.attributes import read_attributes
from edge_agent.cameras.eyes.detect import detect
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.workers import open_models
from edge_agent.simulation.film import CANTEEN, pictures
from foodsentry.bench import camera_costs, camera_site, camera_soak
from foodsentry.bench.camera_costs import Cost
from foodsentry.bench.camera_site import Live
from foodsentry.bench.camera_soak import Soak
from foodsentry.bench.clips import DAY_S, FPS, SCENE, SUB, check_gstreamer, make_clip
from foodsentry.bench.figures import Figure, figure, machine, rate
from foodsentry.demo.files import ROOT

_FILM_FPS = 5.0
TARGET_CAMERAS = 12
MODES = ("all", "adaptive")


class Report(msgspec.Struct, frozen=True):
    """Everything that `bench cameras` measures."""

    machine: str
    core: int
    clip_kbps: float
    figures: list[Figure]
    pipeline_vs_bare: float
    """Bare decode, gate and inference divided by our whole pipeline, in the same run, every frame
    decoded by both; 1 is as fast. Median of the runs."""
    cameras_per_core: dict[str, float]
    """By arithmetic from the costs, for `decode` = `all` and `adaptive`."""
    memory_mb_per_camera: float
    live: list[Live]
    soak: Soak | None = None


def _parts() -> tuple[Scene, Models]:
    cv2.setNumThreads(1)
    models = open_models(ROOT / "models", "kitchen_heads", "head_attributes")
    return convert_settings(tomllib.loads(SCENE), Scene, "bench"), models


@contextmanager
def one_core() -> Iterator[int]:
    """Keep this thread to the last core that it may use; gives its number."""
    before = os.sched_getaffinity(0)
    core = max(before)
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, before)


def measure(runs: int) -> list[Figure]:
    """The models alone, on the demo's film."""
    _, models = _parts()
    film = list(pictures(CANTEEN, fps=_FILM_FPS))
    busy = film[len(film) // 4]
    heads = detect(models.detector, busy)

    def look() -> int:
        detect(models.detector, busy)
        return 1

    def read() -> int:
        read_attributes(models.classifier, busy, heads)
        return len(heads)

    with one_core():
        return [
            rate("detect heads, 960×540, one core", "frames/s", look, runs),
            rate("hat and mask of a head", "heads/s", read, runs),
        ]


def costs(clip: Path, runs: int) -> tuple[list[Figure], float, dict[str, float]]:
    """Stage by stage; the ratio to the bare work; cameras per core by decode mode."""
    scene, models = _parts()
    bare, bgr, mine = [], [], dict[str, list[Cost]]((mode, []) for mode in MODES)
    with one_core():
        camera_costs.decode_to_bgr(clip)  # warm
        for _ in range(runs):
            for mode in MODES:
                mine[mode].append(camera_costs.ours(clip, mode, scene, models))
            bare.append(camera_costs.bare(clip, mine["all"][-1].looked_at, models))
            bgr.append(camera_costs.decode_to_bgr(clip))

    def each(name: str, unit: str, values: list[float]) -> Figure:
        return figure(name, unit, values)

    whole = mine["all"]
    quiet = [one.judge_s / max(1, one.taken - len(one.looked_at)) for one in whole]
    ratios = [b / one.seconds for b, one in zip(bare, whole, strict=True)]
    figures = [
        each("decode to BGR, OpenCV", "ms/frame", bgr),
        each("decode, ours", "ms/frame", [1000 * o.decode_s / o.decoded for o in whole]),
        each("convert", "ms/frame", [1000 * o.convert_s / o.taken for o in whole]),
        each("honesty and motion gate", "ms/frame", [1000 * spent for spent in quiet]),
        each("a look, from gate to evidence", "ms/look",
             [1000 * o.look_s / len(o.looked_at) for o in whole]),
        each("bare decode + gate + inference", "frames/s", [whole[0].frames / b for b in bare]),
        each("whole pipeline", "frames/s", [o.frames / o.seconds for o in whole]),
        each("… times the bare work's rate", "×", ratios),
        each("decoded, of a hundred frames, adaptive", "frames",
             [100 * o.decoded / o.frames for o in mine["adaptive"]]),
        each("observations lost by adaptive", "observations",
             [float(a.observations - b.observations)
              for a, b in zip(whole, mine["adaptive"], strict=True)]),
    ]  # fmt: skip
    carried = {
        mode: [o.frames / FPS / o.seconds for o in mine[mode]] for mode in MODES
    }  # camera seconds in a second of the core
    figures += [each(f"cameras a core carries, {mode}", "cameras", carried[mode]) for mode in MODES]
    per_core = {mode: round(statistics.median(carried[mode]), 1) for mode in MODES}
    return figures, round(statistics.median(ratios), 3), per_core


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def report(
    runs: int,
    seconds: float,
    *,
    cameras: int = TARGET_CAMERAS,
    soak_hours: float = 0.0,
    tell: Callable[[str], None] = _tell,
) -> Report:
    """Measure it all. Raises BenchFailed that says what is missing."""
    check_gstreamer()
    with tempfile.TemporaryDirectory(prefix="foodsentry-bench-") as folder:
        tell("filming and encoding the clip …")
        clip = make_clip(Path(folder) / "clip.mkv")
        tell("stage by stage, on one core …")
        figures, ratio, per_core = costs(clip, runs)
        figures = [*measure(runs), *figures]
        core = max(os.sched_getaffinity(0))
        live = []
        for count, mode, lasts_s in (
            (1, "all", min(seconds, 10.0)),
            (cameras, "all", seconds),
            (cameras, "adaptive", seconds),
        ):
            tell(f"an agent with {count} camera(s) for {lasts_s:.0f} s, decode = {mode} …")
            live.append(camera_site.run(clip, count, mode, lasts_s, core))
        memory = (live[1].rss_mb - live[0].rss_mb) / max(1, cameras - 1)
        return Report(
            machine=machine(),
            core=core,
            clip_kbps=round(clip.stat().st_size * 8 / DAY_S / 1000),
            figures=figures,
            pipeline_vs_bare=ratio,
            cameras_per_core=per_core,
            memory_mb_per_camera=round(memory, 1),
            live=live,
            soak=soak(soak_hours, tell=tell) if soak_hours else None,
        )


def soak(hours: float, *, tell: Callable[[str], None] = _tell) -> Soak:
    """So many hours of camera time on one core. Raises BenchFailed that says what is missing."""
    check_gstreamer()
    tell(f"{hours:g} hours of camera time …")
    scene, models = _parts()
    said = 0

    def told(share: float) -> None:
        nonlocal said
        if int(share * 10) > said:
            said = int(share * 10)
            tell(f"  {said * 10} %")

    with tempfile.TemporaryDirectory(prefix="foodsentry-bench-") as folder, one_core():
        clip = make_clip(Path(folder) / "sub.mkv", camera_soak.VISIT, stream=SUB)
        return camera_soak.soak(clip, hours, scene, models, told)


def live_table(runs: list[Live]) -> str:
    """The agents' runs as a Markdown table."""
    columns = (
        "cameras", "decode", "of the core", "fewest frames/s", "looks/s", "observations", "p50 s",
        "p95 s", "offline", "RSS MB", "grown MB", "threads", "files",
    )  # fmt: skip
    rows = [
        (
            str(r.cameras), r.decode, f"{r.core_share:.0%}", f"{r.least_fps:.1f}",
            f"{r.looks_per_s:.1f}", str(r.observations), _or_dash(r.latency_p50_s),
            _or_dash(r.latency_p95_s), str(r.not_online), f"{r.rss_mb:.0f}",
            f"{r.rss_growth_mb:+.1f}", str(r.threads), str(r.fds),
        )
        for r in runs
    ]  # fmt: skip
    marks = ["---:" if name != "decode" else "---" for name in columns]
    return "".join(f"| {' | '.join(row)} |\n" for row in (columns, marks, *rows))


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
