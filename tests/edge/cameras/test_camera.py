"""Cameras at work: threads, sink, states, memory; real video files and sources that misbehave."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from camera_live import Live, running
from camera_parts import CollectingSink, Person, kitchen, wait_until

from contracts.clock import utc_now
from contracts.topics import Identity
from edge_agent.cameras.camera import Camera
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings, HonestySettings
from edge_agent.cameras.telling.memory import recall
from edge_agent.cameras.tools.drawing import Recording
from edge_agent.cameras.workers import camera_workers
from edge_agent.ports import Fact, FactRefused, OutboxError

AGENT = Identity("440703", "canteen", "agent")
HONESTY = HonestySettings(
    offline_after_s=2.0, frozen_after_s=1.0, degrade_after_s=0.5, recover_after_s=0.3
)
NO_HAT: Person = (0, 0, False, True)
GOOD: Person = (0, 0, True, True)


class Site:
    """Makes cameras on steered sources."""

    def __init__(self, scene: Scene, models: Models, folder: Path) -> None:
        self.scene, self.models, self.folder = scene, models, folder
        self.sink = CollectingSink()

    def camera(self, live: Live, device: str = "cam1") -> Camera:
        settings = CameraSettings(
            device, "usb:0", "test", honesty=HONESTY, looks_per_s=20.0, retry_first_s=0.05,
            retry_longest_s=0.1, status_every_s=1.0,
        )  # fmt: skip
        return Camera(
            settings, AGENT.sibling(device), self.scene, self.models, self.sink, opener=live,
            memory=self.folder / f"{device}.open.json", clock=utc_now, ticks=time.monotonic,
        )  # fmt: skip


@pytest.fixture
def site(scene: Scene, models: Models, tmp_path: Path) -> Site:
    return Site(scene, models, tmp_path)


@pytest.mark.slow
def test_an_episode_travels_with_its_evidence_and_ends(site: Site) -> None:
    live = Live()
    with running(site.camera(live)):
        site.sink.wait(lambda sink: sink.state("cam1") == "online")
        live.people = [NO_HAT]
        site.sink.wait(lambda sink: sink.phases("no_hat") == ["open"])
        live.people = [GOOD]
        site.sink.wait(lambda sink: sink.phases("no_hat") == ["open", "closed"])
    opened = site.sink.observations[0]
    closed = site.sink.observations[-1]
    assert [piece.evidence_id for piece in site.sink.evidence] == list(closed.evidence)
    assert [one.role.value for one in site.sink.evidence] == ["before", "best", "after"]
    assert opened.evidence == closed.evidence[:2]
    assert all(fact.who == AGENT.sibling("cam1") for fact in site.sink.facts)
    assert (utc_now() - opened.captured_at).total_seconds() < 20
    assert recall(site.folder / "cam1.open.json") == []


@pytest.mark.slow
def test_gone_and_back(site: Site) -> None:
    live = Live()
    with running(site.camera(live)):
        site.sink.wait(lambda sink: sink.state("cam1") == "online")
        live.gone = True
        site.sink.wait(lambda sink: sink.state("cam1") == "offline")
        assert "unreachable" in site.sink.statuses[-1][1].detail
        live.gone = False
        site.sink.wait(lambda sink: sink.phases("camera_offline") == ["open", "closed"])
        site.sink.wait(lambda sink: sink.state("cam1") == "online")


@pytest.mark.slow
def test_never_there_is_offline_too_and_unknown_before(site: Site) -> None:
    live = Live()
    live.gone = True
    with running(site.camera(live)):
        site.sink.wait(lambda sink: sink.phases("camera_offline") == ["open"])
    states = [status.state.value for _, status in site.sink.statuses]
    assert states[0] == "unknown"
    assert "offline" in states
    assert "online" not in states


@pytest.mark.parametrize(("what", "kind"), [("frozen", "camera_frozen"), ("light", "camera_dark")])
def test_degraded_and_back(site: Site, what: str, kind: str) -> None:
    live = Live()
    with running(site.camera(live)):
        site.sink.wait(lambda sink: sink.state("cam1") == "online")
        setattr(live, what, 0.03 if what == "light" else True)
        site.sink.wait(lambda sink: sink.phases(kind) == ["open"])
        site.sink.wait(lambda sink: sink.state("cam1") == "degraded")
        setattr(live, what, 1.0 if what == "light" else False)
        site.sink.wait(lambda sink: sink.phases(kind) == ["open", "closed"])
        site.sink.wait(lambda sink: sink.state("cam1") == "online")
    assert [one.role.value for one in site.sink.evidence][-1:] == ["best"]
    assert len(site.sink.evidence) <= 2
    assert all(max(one.width, one.height) <= 640 for one in site.sink.evidence)


@pytest.mark.slow
def test_a_camera_that_hangs_slows_no_other(site: Site) -> None:
    hanging, sound = Live(), Live()
    with running(site.camera(hanging, "hanging"), site.camera(sound, "sound")):
        site.sink.wait(lambda sink: sink.state("sound") == sink.state("hanging") == "online")
        hanging.hangs.clear()
        site.sink.wait(lambda sink: sink.state("hanging") == "offline")
        sound.people = [NO_HAT]
        site.sink.wait(lambda sink: sink.phases("no_hat") == ["open"], 5.0)
        assert site.sink.state("sound") == "online"
    hanging.hangs.set()
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "read-hanging"])


def test_what_is_open_is_closed_by_a_graceful_stop(site: Site) -> None:
    live = Live()
    live.people = [NO_HAT]
    with running(site.camera(live)):
        site.sink.wait(lambda sink: sink.phases("no_hat") == ["open"])
    assert site.sink.phases("no_hat") == ["open", "closed"]


def test_what_a_kill_left_open_is_closed_by_the_next_start(site: Site) -> None:
    live = Live()
    live.people = [NO_HAT]
    memory = site.folder / "cam1.open.json"
    with running(site.camera(live)):
        site.sink.wait(lambda sink: sink.phases("no_hat") == ["open"])
        left = memory.read_bytes()
    memory.write_bytes(left)  # as a kill would have left it
    site.sink.facts.clear()
    live.people = []
    with running(site.camera(live)):
        site.sink.wait(lambda sink: sink.phases("no_hat") == ["closed"])
        wait_until(lambda: recall(memory) == [])
    assert "agent stopped or restarted" in site.sink.observations[0].reason


def test_a_damaged_memory_stops_nothing(site: Site) -> None:
    (site.folder / "cam1.open.json").write_bytes(b"\xff not JSON")
    with running(site.camera(Live())):
        site.sink.wait(lambda sink: sink.state("cam1") == "online")


def refusing(sink: CollectingSink, error: Callable[[Sequence[Fact]], OutboxError | None]) -> None:
    """Make a sink raise what `error` says of a batch."""
    accept = sink.put

    def put(facts: Sequence[Fact]) -> None:
        fault = error(facts)
        if fault:
            raise fault
        accept(facts)

    sink.put = put  # type: ignore[method-assign]


def test_facts_wait_for_a_sink_that_cannot_store(site: Site) -> None:
    live, full = Live(), threading.Event()
    full.set()
    refusing(site.sink, lambda facts: OutboxError("disk full") if full.is_set() else None)
    with running(site.camera(live)):
        site.sink.wait(lambda sink: sink.state("cam1") == "online")
        live.people = [NO_HAT]
        site.sink.wait(lambda sink: sink.state("cam1") == "degraded")
        assert "disk full" in site.sink.statuses[-1][1].detail
        assert not site.sink.facts
        full.clear()
        site.sink.wait(lambda sink: sink.phases("no_hat") == ["open"])
        site.sink.wait(lambda sink: sink.state("cam1") == "online")
    site.sink.wait(lambda sink: len(sink.facts) >= 3)
    kinds = [fact.kind for fact in site.sink.facts[:3]]
    assert kinds == ["observations", "evidence", "evidence"]


def test_evidence_that_can_never_travel_holds_up_no_observation(site: Site) -> None:
    live = Live()
    live.people = [NO_HAT]

    def pictures(facts: Sequence[Fact]) -> OutboxError | None:
        return FactRefused("too large") if any(f.kind == "evidence" for f in facts) else None

    refusing(site.sink, pictures)
    with running(site.camera(live)):
        site.sink.wait(lambda sink: sink.phases("no_hat") == ["open"])
    assert site.sink.set_aside == ["too large"]


def test_a_sink_that_never_stores_ends_the_worker_and_leaves_no_thread(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live()
    live.people = [NO_HAT]
    monkeypatch.setattr("edge_agent.cameras.telling.outlet.MOST_WAITING", 0)
    refusing(site.sink, lambda facts: OutboxError("disk full"))
    with pytest.raises(OutboxError, match="disk full"):
        site.camera(live).run(threading.Event())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-")]
    assert [one.kind for one in recall(site.folder / "cam1.open.json")] == ["no_hat"]


@pytest.mark.slow
def test_real_files_through_real_workers(
    models_dir: Path, scenes_dir: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film.avi"
    recording = Recording(str(film), 20.0, 640, 360)
    for number in range(100):
        bare = 20 <= number < 60
        recording.add(kitchen([NO_HAT if bare else GOOD], seed=number))
    recording.close()
    sink = CollectingSink()
    cameras = [
        CameraSettings("cam1", f"file:{film}", "test", loop=True, honesty=HONESTY),
        CameraSettings("cam2", f"file:{tmp_path}/none.avi", "test", honesty=HONESTY),
        CameraSettings("cam3", f"file:{film}", "nowhere"),
        CameraSettings("cam4", "rtsp://user:secret@host/x", "test"),
        CameraSettings("cam5", f"file:{film}", "test", detector="no_such_model"),
    ]
    workers = camera_workers(
        cameras, AGENT, sink, models_dir=models_dir, scenes_dir=scenes_dir,
        state_dir=tmp_path / "state",
    )  # fmt: skip
    assert [worker.name for worker in workers] == ["cam1", "cam2"]
    details = {who.device: status.detail for who, status in sink.statuses}
    assert "nowhere.toml: cannot be read" in details["cam3"]
    assert "camera cam4: source: carries a user" in details["cam4"]
    assert "no_such_model: " in details["cam5"]
    assert all(sink.state(f"cam{number}") == "offline" for number in (3, 4, 5))
    with running(*workers):
        sink.wait(lambda sink: sink.phases("no_hat") == ["open", "closed"])
        sink.wait(lambda sink: sink.state("cam2") == "offline")
    assert np.all([one.zone == "专间" for one in sink.observations if one.kind == "no_hat"])
