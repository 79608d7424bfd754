"""Originals end to end: a camera of a running agent, its vault, and the officers who open it."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from camera_parts import SCENE, Pixels, kitchen, write_models
from fake_city import FakeCity, until
from servers import Mosquitto

from contracts.envelope import decode
from contracts.events import Evidence, PictureRole
from contracts.topics import Identity
from edge_agent.agent import run_agent
from edge_agent.settings import load_edge_settings
from foodsentry.cli import main

pytestmark = [pytest.mark.real, pytest.mark.slow]

AGENT = Identity("440703", "vaulted", "agent")
HEAD = np.s_[4:156, 4:156]
"""Where the head of the film is, clear of its edges."""

SETTINGS = """[agent]
region = "{region}"
site = "{site}"
[mqtt]
port = {port}
[folders]
scenes = "scenes"
models = "{models}"
[vault]
officers = ["li.pub", "wang.pub"]
[[cameras]]
device = "cam-1"
source = "folder:{film}"
loop = true
scene = "test"
"""


def filmed(folder: Path) -> list[Pixels]:
    """Somebody without a hat whose face has fine structure; written as lossless pictures."""
    folder.mkdir()
    face = np.random.default_rng(1).integers(0, 2, (76, 76, 1), np.uint8) * 160
    pictures = []
    for number in range(20):
        picture = kitchen([(0, 0, False, True)], seed=number)
        rough = np.kron(face, np.ones((2, 2, 1), np.uint8))
        picture[HEAD][..., 2] = rough[..., 0] // 4  # in red, which the detector hardly minds
        picture[HEAD][..., 1] = np.clip(picture[HEAD][..., 1] * 0.5 + rough[..., 0] * 0.1, 0, 255)
        pictures.append(picture)
        assert cv2.imwrite(str(folder / f"{number:02}.png"), picture)
    return pictures


def roughness(picture: Pixels) -> float:
    return float(cv2.Laplacian(picture[HEAD], cv2.CV_64F).var())


def shown(content: bytes) -> Pixels:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def holds(folder: Path, content: bytes) -> list[Path]:
    """The files in which a piece of a JPEG's picture is to be found, wherever pages part it."""
    pieces = [content[place : place + 32] for place in range(1024, len(content) - 32, 256)]
    assert len(pieces) > 20
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(piece in path.read_bytes() for piece in pieces)]


@contextmanager
def agent_runs(settings: Path) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run_agent, args=(load_edge_settings(settings), settings, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def evidence_of(city: FakeCity) -> list[Evidence]:
    told = [decode(payload).data for kept in list(city.events.values()) for payload in kept]
    return [data for data in told if isinstance(data, Evidence)]


def test_officers_get_the_original_of_what_an_agent_saw_and_nobody_else_does(
    tmp_path: Path, mosquitto: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    site, office, film = tmp_path / "site", tmp_path / "office", tmp_path / "film"
    pictures, models = filmed(film), write_models(tmp_path / "models")
    office.mkdir()
    (site / "scenes").mkdir(parents=True)
    (site / "scenes" / "test.toml").write_text(SCENE, "utf-8")
    for name in ("li", "wang"):
        (office / f"{name}.pass").write_text(f"{name} has a long secret\n")
        files = ["--private", f"{office}/{name}.key", "--public", f"{site}/{name}.pub"]
        secret = ["--passphrase-file", f"{office}/{name}.pass"]
        assert main(["vault", "keygen", name.title(), *files, *secret]) == 0
    settings = site / "site.toml"
    settings.write_text(
        SETTINGS.format(
            region=AGENT.region, site=AGENT.site, port=mosquitto.port, models=models, film=film
        ),
        "utf-8",
    )
    with FakeCity(mosquitto.port, AGENT.region, AGENT.site) as city:
        city.receipting = False  # so that all that leaves stays on the disk, too
        with agent_runs(settings):
            until(lambda: [one for one in evidence_of(city) if one.role is PictureRole.BEST])
            until(lambda: list((site / "outbox.state" / "vault").glob("*.sealed")))
        (best,) = (one for one in evidence_of(city) if one.role is PictureRole.BEST)

    capsys.readouterr()
    assert main(["vault", "list", str(settings), "--json"]) == 0
    (listed,) = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert listed["about"]["evidence_id"] == best.evidence_id
    (sealed,) = (site / "outbox.state" / "vault").glob("*.sealed")

    out = office / "original.jpg"
    keys = [word for name in ("li", "wang") for word in (
        "--key", f"{office}/{name}.key", "--passphrase-file", f"{office}/{name}.pass")]  # fmt: skip
    words = ["vault", "open", str(sealed), *keys, "--reason", "case 7", "--out", str(out)]
    assert main(words) == 0
    original = out.read_bytes()
    assert hashlib.sha256(original).hexdigest() == best.original_sha256
    opened = shown(original)
    off = [float(np.abs(opened.astype(int) - picture).mean()) for picture in pictures]
    assert opened.shape == pictures[0].shape and min(off) < 6
    # What left shows the head no more, and no file of the agent holds the original.
    assert roughness(shown(best.content)) < 0.05 * roughness(opened)
    assert holds(office, original) == [out]
    assert holds(site, original) == []
    pictured = (".jpg", ".jpeg", ".png", ".new", ".tmp")
    assert [path for path in site.rglob("*") if path.suffix in pictured] == []
