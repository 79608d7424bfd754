"""The cameras' benchmark on a few seconds of film: it measures what it says, whole."""

import os
from pathlib import Path

import msgspec
import pytest

from edge_agent.simulation.film import Act
from edge_agent.simulation.film_cook import Cook
from foodsentry.bench import camera_costs, camera_site, camera_soak, cameras, clips
from foodsentry.bench.servers import BenchFailed

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six quiet seconds, then four with a person."""
    acts = (Act(6), Act(4, (Cook(hat=False, mask=False),)))
    return clips.make_clip(tmp_path_factory.mktemp("bench") / "clip.mkv", acts)


def test_the_clip_is_as_a_camera_would_send_it(clip: Path) -> None:
    source = camera_costs.open_clip(clip, camera_costs.camera())
    stream = source._stream
    assert (stream.codec, stream.width, stream.height) == ("h264", *clips.SIZE)
    source.close()
    assert clip.stat().st_size * 8 / 10 / 1000 == pytest.approx(clips.KBPS, rel=0.25)


def test_costs(clip: Path) -> None:
    allowed = os.sched_getaffinity(0)
    figures, ratio, per_core = cameras.costs(clip, 1)
    assert os.sched_getaffinity(0) == allowed
    found = {figure.name: figure.median for figure in figures}
    assert all(value > 0 for name, value in found.items() if "lost" not in name)
    assert found["observations lost by adaptive"] == 0
    assert found["decoded, of a hundred frames, adaptive"] < 100
    assert 0.3 < ratio < 3
    assert all(cameras > 0 for cameras in per_core.values())  # which is more, only a bench can say


def test_soak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_soak, "VISIT", (Act(5), Act(4, (Cook(hat=False, mask=False),))))
    monkeypatch.setattr(camera_soak, "RESTART_TURNS", 4)
    found = cameras.soak(0.01, tell=lambda _: None)
    assert (found.turns, found.restarts) == (10, 3)
    # Files that other tests of this process had left open may be closed meanwhile.
    assert found.fds_last <= found.fds_first
    assert found.threads_last <= found.threads_first
    assert found.observations > 0
    assert found.pictures > 0
    assert found.outbox_mb_last > 0


def test_an_agent_with_real_cameras(clip: Path) -> None:
    live = camera_site.run(clip, 2, "adaptive", 20.0, max(os.sched_getaffinity(0)))
    assert live.not_online == 0
    assert live.observations > 0
    assert live.latency_p95_s is not None and live.latency_p95_s > 0
    line = cameras.live_table([live]).splitlines()[-1]
    assert line.startswith("| 2 | adaptive |")
    assert msgspec.json.decode(msgspec.json.encode(live), type=camera_site.Live) == live


def test_without_gstreamer_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "_PYTHON", "/bin/false")
    with pytest.raises(BenchFailed, match="apt-get install python3-gi"):
        clips.check_gstreamer()
