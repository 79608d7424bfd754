"""`foodsentry vision setup` and `check-scene`: a scene proposed, written, drawn, and read again."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_parts import SCENE, clip
from hypothesis import given, settings
from hypothesis import strategies as st
from vision_runs import record, run

from contracts.events import Box
from contracts.settings import SettingsError
from contracts.words import ZoneKind
from edge_agent.cameras.rule.scene import Wear, faults, read_scene
from edge_agent.cameras.tools.scene_edit import with_polygons
from edge_agent.cameras.tools.survey import Survey

WALK = [
    (2, [(0, 0, True, True), (3, 1, True, True)]),
    (2, [(0, 1, True, True), (3, 1, True, True)]),
    (2, [(3, 1, True, True)]),
    (2, [(1, 1, True, True), (3, 1, True, True)]),
]
"""One walks about on the left; one hangs on the right and never moves."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("film") / "cold_dishes.avi", clip(WALK, fps=5), 5.0)


def setup(models_dir: Path, film: Path, out: Path, *more: object) -> int:
    words = ("setup", film, "--models", models_dir, "--scenes", out, "--required", "hat", *more)
    return run(*words)


def test_a_short_watch_becomes_a_scene_with_pictures(
    models_dir: Path, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup(models_dir, film, tmp_path) == 0
    scene = read_scene(tmp_path / "cold_dishes.toml")
    (zone,) = scene.zones
    assert (zone.kind, zone.required) == (ZoneKind.SPECIAL_ROOM, (Wear.HAT,))
    assert zone.min_head == pytest.approx(0.26, abs=0.02)  # six tenths of 160 of 360 pixels
    assert scene.zone_of(Box("head", 20, 20, 140, 140, 1), 640, 360) == zone
    (mask,) = scene.masks
    poster = Box("head", 490, 170, 630, 310, 1)
    assert scene.ignores(poster, 640, 360)
    assert not scene.ignores(Box("head", 20, 20, 140, 140, 1), 640, 360)
    assert mask.name == "静止1"
    assert scene.reference == "cold_dishes.reference.jpg"
    reference = cv2.imread(str(tmp_path / scene.reference))
    drawn = cv2.imread(str(tmp_path / "cold_dishes.png"))
    assert reference.shape == drawn.shape == (360, 640, 3)
    assert not np.array_equal(reference, drawn)
    assert "1 zones, 1 masks" in capsys.readouterr().out


def test_nothing_is_overwritten_unless_told(
    models_dir: Path, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cold_dishes.toml"
    path.write_text(SCENE, "utf-8")
    assert setup(models_dir, film, tmp_path) == 2
    assert "is there already" in capsys.readouterr().err
    assert path.read_text("utf-8") == SCENE
    zone = "凉菜间:0,0/0.5,0/0.5,0.9/0,0.9"
    assert setup(models_dir, film, tmp_path, "--force", "--zone", zone) == 0
    assert read_scene(path).zones[0].name == "凉菜间"
    assert read_scene(path).zones[0].polygon[2] == (0.5, 0.9)


def test_what_cannot_be_used_is_named(
    models_dir: Path, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for zone in ("凉菜间", "a:1,2/3", "a:0,0/2,0/1,1"):
        assert setup(models_dir, film, tmp_path, "--zone", zone) == 2
        assert "--zone" in capsys.readouterr().err
    assert setup(models_dir, film, tmp_path, "--zone", "a:0,0/1,1/1,0/0,1") == 2
    assert "cross one another" in capsys.readouterr().err
    assert setup(models_dir, film, tmp_path, "--required", "gown") == 2
    assert "--required" in capsys.readouterr().err
    assert setup(models_dir, tmp_path / "none.avi", tmp_path) == 2
    assert "none of rtsp" in capsys.readouterr().err
    assert list(tmp_path.glob("*.toml")) == []


def test_a_camera_of_the_settings(models_dir: Path, film: Path, tmp_path: Path) -> None:
    edge = tmp_path / "edge.toml"
    edge.write_text(
        f'[agent]\nregion = "440703"\nsite = "s"\n[folders]\nscenes = "scenes"\n[[cameras]]\n'
        f'device = "cam-1"\nsource = "file:{film}"\nscene = "kitchen"\n',
        "utf-8",
    )
    words = ("setup", "cam-1", "--settings", edge, "--models", models_dir)
    assert run(*words, "--watch-s", 3) == 0
    assert read_scene(tmp_path / "scenes" / "kitchen.toml").reference == "kitchen.reference.jpg"


def test_check_scene_draws_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.toml"
    path.write_text(SCENE, "utf-8")
    assert run("check-scene", path) == 0
    said = capsys.readouterr().out
    assert "zone 专间: special_room, asks for hat, mask" in said
    assert "no reference picture" in said
    assert cv2.imread(str(tmp_path / "s.png")).shape == (720, 1280, 3)
    assert run("check-scene", path, "--picture", tmp_path / "none.jpg") == 1
    path.write_text(SCENE.replace("version = 1", "version = 9"), "utf-8")
    assert run("check-scene", path) == 2
    assert "version" in capsys.readouterr().err


def test_nobody_in_view_makes_the_whole_picture_a_zone() -> None:
    survey = Survey(640, 360)
    for _ in range(20):
        survey.look(np.zeros((360, 640, 3), np.uint8), [])
    scene = survey.scene("empty", (Wear.HAT,), ZoneKind.SPECIAL_ROOM)
    assert scene.zones[0].polygon == ((0, 0), (1, 0), (1, 1), (0, 1))
    assert scene.zones[0].min_head == 0
    assert scene.masks == ()


def test_the_reference_is_the_picture_with_the_fewest_people() -> None:
    survey = Survey(64, 36)
    full, empty = np.full((36, 64, 3), 9, np.uint8), np.full((36, 64, 3), 5, np.uint8)
    survey.look(full, [Box("head", 1, 1, 9, 9, 1)])
    survey.look(empty, [])
    survey.look(full, [Box("head", 1, 1, 9, 9, 1)])
    assert survey.best is empty


@st.composite
def boxes(draw: st.DrawFn) -> list[list[Box]]:
    def one() -> Iterator[Box]:
        for _ in range(draw(st.integers(0, 4))):
            x, y, side = (draw(st.integers(0, n)) for n in (600, 320, 39))
            yield Box("head", x, y, x + side + 1, y + side + 1, 1.0)

    return [list(one()) for _ in range(draw(st.integers(0, 15)))]


@settings(deadline=None)
@given(boxes())
def test_whatever_is_seen_the_proposal_can_be_used(looks: list[list[Box]]) -> None:
    survey = Survey(640, 360)
    for heads in looks:
        survey.look(np.zeros((4, 4, 3), np.uint8), heads)
    if len(survey.places()) > 32 or len(survey.still()) > 32:
        return
    assert faults(survey.scene("any", (Wear.HAT,), ZoneKind.SPECIAL_ROOM)) == []


def test_polygons_are_moved_and_every_other_letter_stays(tmp_path: Path) -> None:
    text = SCENE.replace("[[masks]]", "# a note [[zones]] polygon = [1]\n[[masks]]")
    path = tmp_path / "s.toml"
    path.write_text(text, "utf-8")
    scene = read_scene(path)
    areas = {
        "zones": [list(zone.polygon) for zone in scene.zones],
        "masks": [list(mask.polygon) for mask in scene.masks],
    }
    areas["zones"][1][0] = (0.51, 0.02)
    fresh = with_polygons(text, areas, "s.toml")
    path.write_text(fresh, "utf-8")
    moved = read_scene(path)
    assert moved.zones[1].polygon[0] == (0.51, 0.02)
    assert moved.zones[0] == scene.zones[0]
    assert moved.masks == scene.masks
    assert "# a note [[zones]] polygon = [1]" in fresh
    assert moved.persistence == scene.persistence
    with pytest.raises(SettingsError, match="zones: 0 polygons"):
        with_polygons(text, {"masks": areas["masks"]}, "s.toml")
    spread = text.replace("polygon = [[", "polygon = [\n  [", 1)
    path.write_text(with_polygons(spread, areas, "s.toml"), "utf-8")
    assert read_scene(path).zones[1].polygon[0] == (0.51, 0.02)
