"""The demo's film: the same from the same seed, and the shipped models see in it what is there."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.events import Evidence, Observation
from contracts.words import PictureRole
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import read_scene
from edge_agent.cameras.settings import CameraSettings, HonestySettings
from edge_agent.cameras.sources.capture import every_picture
from edge_agent.cameras.tools.replay import BEGIN, play
from edge_agent.cameras.workers import open_models
from edge_agent.simulation.film import CANTEEN, FPS, Act, Cook, View, pictures, write_film

ROOT = Path(__file__).parents[3]
SCENE = ROOT / "firmware_configs" / "scenes" / "demo_canteen.toml"
SETTINGS = CameraSettings(
    "cam1",
    "file:none",
    "demo_canteen",
    honesty=HonestySettings(frozen_after_s=4, degrade_after_s=3, recover_after_s=1),
)


@pytest.fixture(scope="module")
def real_models() -> Models:
    return open_models(ROOT / "models", "kitchen_heads", "head_attributes")


def test_the_film_is_deterministic() -> None:
    acts = (Act(0.5, (Cook(True, False),)), Act(0.3), Act(0.3, view=View.FROZEN))
    one, again = (list(pictures(acts, seed=3)) for _ in range(2))
    other = list(pictures(acts, seed=4))
    assert len(one) == 11
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert all(np.array_equal(one[7], picture) for picture in one[8:])
    assert not any(np.array_equal(a, b) for a, b in pairwise(one[:8]))


def test_a_frozen_picture_survives_the_video_file_to_the_bit(tmp_path: Path) -> None:
    shares: list[float] = []
    acts = (Act(0.3, (Cook(True, True),)), Act(0.5, view=View.FROZEN))
    path = write_film(tmp_path / "film.avi", acts, progress=shares.append)
    shown = [picture for _, picture in every_picture(path, 10**7)]
    assert [path.name for path in tmp_path.iterdir()] == ["film.avi"]
    assert shares[-1] == 1.0
    assert len(shown) == 8
    assert all(np.array_equal(shown[2], picture) for picture in shown[3:])
    assert not np.array_equal(shown[1], shown[2])


def test_the_film_cannot_be_written_nowhere(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_film(tmp_path / "file" / "film.avi", CANTEEN[:1])


@pytest.mark.slow
def test_the_shipped_models_see_the_demo_film_as_it_is(real_models: Models) -> None:
    film = ((number / FPS, picture) for number, picture in enumerate(pictures(CANTEEN)))
    found = [
        fact.data
        for step in play(film, SETTINGS, read_scene(SCENE), real_models)
        for fact in step.facts
    ]
    observations = [one for one in found if isinstance(one, Observation)]
    told = [(one.kind, one.phase.value) for one in observations]
    assert sorted(told[:2]) == [("no_hat", "open"), ("no_mask", "open")]
    assert sorted(told[2:4]) == [("no_hat", "closed"), ("no_mask", "closed")]
    assert told[4:] == [
        ("camera_dark", "open"),
        ("camera_dark", "closed"),
        ("camera_frozen", "open"),
        ("camera_frozen", "closed"),
    ]
    bare_from_s = CANTEEN[0].lasts_s
    bare_until_s = bare_from_s + CANTEEN[1].lasts_s
    for one in observations[:4]:
        assert one.zone == "凉菜间"
        assert one.people == 1
        began_s = (one.started_at - BEGIN).total_seconds()
        assert bare_from_s - 0.5 <= began_s <= bare_from_s + 2
        if one.ended_at is not None:
            ended_s = (one.ended_at - BEGIN).total_seconds()
            assert bare_until_s - 0.5 <= ended_s <= bare_until_s + 2
    pieces = [one for one in found if isinstance(one, Evidence)]
    assert sum(piece.role is PictureRole.BEST for piece in pieces) == 4
    assert all(len(piece.content) <= 200_000 and piece.blurred for piece in pieces)


@pytest.mark.slow
def test_the_subjects_eyes_have_lost_their_structure_in_the_evidence(real_models: Models) -> None:
    acts = (Act(3, CANTEEN[1].cooks),)
    film = list(pictures(acts))
    steps = play(
        ((n / FPS, p) for n, p in enumerate(film)), SETTINGS, read_scene(SCENE), real_models
    )
    pieces = [
        fact.data
        for step in steps
        for fact in step.facts
        if isinstance(fact.data, Evidence) and fact.data.role is PictureRole.BEST
    ]
    assert {piece.observation_id.split("-")[0] for piece in pieces} == {"no_hat", "no_mask"}
    for piece in pieces:
        shown = cv2.imdecode(np.frombuffer(piece.content, np.uint8), cv2.IMREAD_COLOR)
        assert eyes(shown, piece) < 0.35 * eyes(film[20], piece)


def eyes(picture: np.ndarray, piece: Evidence) -> float:
    """Fine structure in the band of the subject's eyes."""
    box = piece.boxes[0]
    high = box.y1 - box.y0
    band = picture[
        round(box.y0 + 0.42 * high) : round(box.y0 + 0.68 * high), round(box.x0) : round(box.x1)
    ]
    return float(cv2.Laplacian(cv2.cvtColor(band, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var())


@pytest.mark.parametrize(
    ("view", "kind"), [(View.COVERED, "camera_covered"), (View.BLURRED, "camera_blurred")]
)
def test_covered_and_blurred_are_told(
    models: Models, tmp_path: Path, view: View, kind: str
) -> None:
    acts = (Act(1, (Cook(True, True),)), Act(4, (Cook(True, True),), view), Act(2))
    film = ((number / 5, picture) for number, picture in enumerate(pictures(acts, fps=5)))
    told = [
        (fact.data.kind, fact.data.phase.value)
        for step in play(film, SETTINGS, read_scene(SCENE), models)
        for fact in step.facts
        if isinstance(fact.data, Observation)
    ]
    assert told == [(kind, "open"), (kind, "closed")]
