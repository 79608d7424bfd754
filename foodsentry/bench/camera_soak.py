"""Hours of camera time as fast as one core can: does memory grow, do files or threads stay open?

A real camera worker with its reading thread on a substream, `adaptive`, into a real outbox on disk.
Only two things are not as at a site: the clock is the clip's, and the reader waits until the worker
has taken each picture, so that the hours pass as fast as they can be worked through. The stream
breaks off at the clip's end and is opened anew, and every hour the worker ends and another begins.
"""

import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from contracts.events import Observation, Status
from contracts.topics import Identity, identity
from edge_agent.cameras.camera import Camera
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.sources.capture_stream import StreamVideo
from edge_agent.cameras.tools.replay import BEGIN
from edge_agent.outbox.store import Outbox
from edge_agent.ports import Fact
from edge_agent.simulation.film import Act
from edge_agent.simulation.film_cook import Cook
from foodsentry.bench.camera_costs import open_clip
from foodsentry.bench.clips import SUB
from foodsentry.bench.servers import BenchFailed

VISIT = (Act(118), Act(4, (Cook(hat=False, mask=False),)), Act(118))
"""A turn: four minutes, in which somebody looks in without hat and mask."""
TURN_S = 240.0
LOOK_EVERY_S = 30.0
"""A still room is looked at so often, rarer than at a site: the hours are for what happens."""
RESTART_TURNS = 15
"""After so many turns the worker ends, and another takes over."""
LONGEST_TURN_S = 900.0
"""Of real time, before the soak counts as stuck."""

_AGENT = identity("440703", "bench", "agent")
_ALL_KEYS = [(0, 1 << 62)]


class Soak(msgspec.Struct, frozen=True):
    """What it came to."""

    camera_hours: float
    seconds: float
    times_real_speed: float
    turns: int
    restarts: int
    observations: int
    pictures: int
    """Pieces of evidence."""
    rss_mb_first: float
    """Median of the second tenth of the turns: caches are warm."""
    rss_mb_last: float
    """Median of the last tenth."""
    rss_mb_tenths: tuple[float, ...]
    """Median of each tenth: caches that fill level off, a leak does not."""
    growth_mb_per_hour: float
    """Of camera time, between the first and the last."""
    growth_mb_per_hour_late: float
    """The same over the second half alone."""
    fds_first: int
    fds_last: int
    threads_first: int
    threads_last: int
    outbox_mb_first: float
    outbox_mb_last: float
    """Of its files, log and all."""


class _State(msgspec.Struct, frozen=True):
    rss_mb: float
    fds: int
    threads: int
    outbox_mb: float


def _state(folder: Path) -> _State:
    status = Path("/proc/self/status").read_text("utf-8").splitlines()
    rss = next(line for line in status if line.startswith("VmRSS:"))
    return _State(
        int(rss.split()[1]) / 1000,
        len(list(Path("/proc/self/fd").iterdir())),
        len(list(Path("/proc/self/task").iterdir())),
        sum(path.stat().st_size for path in folder.glob("outbox.sqlite*")) / 1e6,
    )


class _Store:
    """The sink: an outbox whose facts the city receipts at the end of each turn."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.observations = self.pictures = 0

    def put(self, facts: Sequence[Fact]) -> None:
        self.observations += sum(isinstance(fact.data, Observation) for fact in facts)
        self.pictures += sum(fact.kind == "evidence" for fact in facts)
        self.outbox.put(facts)

    def quarantine(self, who: Identity, content: bytes, reason: str, at: datetime) -> None:
        raise BenchFailed(f"bench cameras: the soak's outbox refuses: {reason}")

    def report(self, who: Identity, status: Status) -> None:
        pass


class _InStep:
    """A stream that is always behind: each picture waits until the one before was taken."""

    behind = True

    def __init__(self, stream: StreamVideo, told: Callable[[float], None]) -> None:
        self._stream, self._told = stream, told

    @property
    def attentive(self) -> bool:
        return self._stream.attentive

    @attentive.setter
    def attentive(self, value: bool) -> None:
        self._stream.attentive = value

    @property
    def arrived_s(self) -> float:
        return self._stream.arrived_s

    def grab(self, stop: threading.Event) -> None:
        self._stream.grab(stop)
        self._told(self._stream.arrived_s)

    def retrieve(self) -> Picture:
        return self._stream.retrieve()

    def close(self) -> None:
        self._stream.close()


class _Run:
    """The turns of a soak: each opening of the stream begins one."""

    def __init__(self, clip: Path, folder: Path, store: _Store, turns: int) -> None:
        self._clip, self._folder, self._store, self._turns = clip, folder, store, turns
        self.settings = CameraSettings(
            "cam-1",
            "rtsp://bench/cam",
            "bench",
            decode="adaptive",
            loop=True,
            look_every_s=LOOK_EVERY_S,
            retry_first_s=0.05,
        )
        """`loop`: that the clip comes again is not to be found."""
        self.now_s = 0.0
        self.states: list[_State] = []
        self.stop = threading.Event()
        self.turned = threading.Event()
        self.done = False
        """True after the last turn."""
        self._restarted = 0
        self._arrivals: Iterator[float] = itertools.count(0.0, 1 / SUB.fps)

    def open(self) -> _InStep:
        """Begin a turn, or end the worker; what is stored counts as receipted."""
        self._store.outbox.remove(_ALL_KEYS)
        played = len(self.states)
        self.done = played >= self._turns
        if self.done or (played % RESTART_TURNS == 0 and played != self._restarted):
            self._restarted = played
            self.stop.set()
        else:
            self.states.append(_state(self._folder))
        self.turned.set()
        return _InStep(open_clip(self._clip, self.settings, self._arrivals), self._at)

    def _at(self, seconds: float) -> None:
        self.now_s = seconds


def soak(
    clip: Path, hours: float, scene: Scene, models: Models, told: Callable[[float], None]
) -> Soak:
    """So many hours of camera time; `told` hears the share that is done. Raises BenchFailed."""
    turns = max(10, round(hours * 3600 / TURN_S))
    restarts, begun = 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="foodsentry-bench-") as name:
        folder = Path(name)
        with Outbox(folder / "outbox.sqlite", _AGENT, utc_now, max_bytes=1 << 30) as outbox:
            store = _Store(outbox)
            run = _Run(clip, folder, store, turns)
            while not run.done:
                restarts += 1
                _work(run, folder, scene, models, store, lambda: told(len(run.states) / turns))
    return _told(run.states, time.monotonic() - begun, restarts, store)


def _work(
    run: _Run, folder: Path, scene: Scene, models: Models, store: _Store, told: Callable[[], None]
) -> None:
    """One worker, from its start to its end."""
    camera = Camera(
        run.settings,
        _AGENT.sibling("cam-1"),
        scene,
        models,
        store,
        opener=run.open,
        memory=folder / "cam-1.open.json",
        clock=lambda: BEGIN + timedelta(seconds=run.now_s),
        ticks=lambda: run.now_s,
    )
    run.stop.clear()
    thread = threading.Thread(target=camera.run, args=(run.stop,), name="soak")
    thread.start()
    while not run.stop.is_set():
        if not run.turned.wait(LONGEST_TURN_S):
            run.stop.set()
            thread.join()
            raise BenchFailed(f"bench cameras: the soak is stuck in turn {len(run.states)}")
        run.turned.clear()
        told()
    thread.join()


def _told(states: Sequence[_State], seconds: float, restarts: int, store: _Store) -> Soak:
    tenth = len(states) // 10
    first, last = states[tenth : 2 * tenth], states[-tenth:]
    tenths = tuple(
        round(statistics.median(one.rss_mb for one in states[k * tenth : (k + 1) * tenth]), 1)
        for k in range(10)
    )
    camera_hours = len(states) * TURN_S / 3600
    return Soak(
        camera_hours=round(camera_hours, 2),
        seconds=round(seconds, 1),
        times_real_speed=round(camera_hours * 3600 / seconds, 1),
        turns=len(states),
        restarts=restarts,
        observations=store.observations,
        pictures=store.pictures,
        rss_mb_first=tenths[1],
        rss_mb_last=tenths[9],
        rss_mb_tenths=tenths,
        growth_mb_per_hour=round((tenths[9] - tenths[1]) / (0.8 * camera_hours), 3),
        growth_mb_per_hour_late=round((tenths[9] - tenths[5]) / (0.4 * camera_hours), 3),
        fds_first=first[0].fds,
        fds_last=last[-1].fds,
        threads_first=first[0].threads,
        threads_last=last[-1].threads,
        outbox_mb_first=round(first[0].outbox_mb, 2),
        outbox_mb_last=round(last[-1].outbox_mb, 2),
    )
