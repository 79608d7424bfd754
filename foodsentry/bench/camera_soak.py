"""Hours of camera time as fast as one core can: does memory grow, do files or threads stay open?

Each turn opens the clip's stream anew, as after a lost connection, and takes it through the whole
pipeline into a real outbox on disk; what is stored counts as receipted.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from contracts.topics import identity
from edge_agent.cameras.frames import Picture, SourceError
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.tools.replay import BEGIN, play
from edge_agent.outbox.store import Outbox
from foodsentry.bench.camera_costs import camera, open_clip
from foodsentry.bench.clips import DAY_S

_GO = threading.Event()
_AGENT = identity("440703", "bench", "agent")
_ALL_KEYS = [(0, 1 << 62)]


class Soak(msgspec.Struct, frozen=True):
    """What it came to."""

    camera_hours: float
    seconds: float
    times_real_speed: float
    turns: int
    observations: int
    rss_mb_first: float
    """Median of the second tenth of the turns: caches are warm."""
    rss_mb_last: float
    """Median of the last tenth."""
    growth_mb_per_hour: float
    """Of camera time, between the two."""
    fds_first: int
    fds_last: int
    threads_first: int
    threads_last: int


class _State(msgspec.Struct, frozen=True):
    rss_mb: float
    fds: int
    threads: int


def _state() -> _State:
    status = Path("/proc/self/status").read_text("utf-8").splitlines()
    rss = next(line for line in status if line.startswith("VmRSS:"))
    fds = len(list(Path("/proc/self/fd").iterdir()))
    return _State(int(rss.split()[1]) / 1000, fds, len(list(Path("/proc/self/task").iterdir())))


def soak(
    clip: Path, hours: float, scene: Scene, models: Models, told: Callable[[float], None]
) -> Soak:
    """So many hours of camera time; `told` hears the share that is done."""
    turns = max(10, round(hours * 3600 / DAY_S))
    states, observations, begun = [], 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="foodsentry-bench-") as folder:
        path = Path(folder) / "outbox.sqlite"
        with Outbox(path, _AGENT, utc_now, max_bytes=1 << 30) as outbox:
            for turn in range(turns):
                observations += _turn(clip, turn, scene, models, outbox)
                states.append(_state())
                told((turn + 1) / turns)
    seconds = time.monotonic() - begun
    tenth = turns // 10
    first, last = states[tenth : 2 * tenth], states[-tenth:]
    early = statistics.median(one.rss_mb for one in first)
    late = statistics.median(one.rss_mb for one in last)
    camera_hours = turns * DAY_S / 3600
    return Soak(
        camera_hours=round(camera_hours, 2),
        seconds=round(seconds, 1),
        times_real_speed=round(turns * DAY_S / seconds, 1),
        turns=turns,
        observations=observations,
        rss_mb_first=round(early, 1),
        rss_mb_last=round(late, 1),
        growth_mb_per_hour=round((late - early) / (0.8 * camera_hours), 3),
        fds_first=first[0].fds,
        fds_last=last[-1].fds,
        threads_first=first[0].threads,
        threads_last=last[-1].threads,
    )


def _turn(clip: Path, turn: int, scene: Scene, models: Models, outbox: Outbox) -> int:
    """One clip; how many observations it led to."""
    settings = camera("adaptive")
    source = open_clip(clip, settings)

    def due() -> Iterator[tuple[float, Picture]]:
        taken_s = float("-inf")
        while True:
            try:
                source.grab(_GO)
            except SourceError:
                return
            if source.arrived_s - taken_s >= 0.9 / settings.looks_per_s:
                taken_s = source.arrived_s
                yield taken_s, source.retrieve()

    observations = 0
    begin = BEGIN + timedelta(seconds=turn * DAY_S)
    for step in play(due(), settings, scene, models, who=_AGENT.sibling("cam-1"), begin=begin):
        source.attentive = not step.pipeline.gate.quiet(step.outcome.frame.seen_s)
        if step.facts:
            observations += sum(fact.kind == "observations" for fact in step.facts)
            outbox.put(step.facts)
    outbox.remove(_ALL_KEYS)
    source.close()
    return observations
