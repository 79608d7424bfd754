"""Scene files: places, and what is wrong with one is said with file and key."""

from pathlib import Path

import pytest
from camera_parts import SCENE
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Box
from contracts.settings import SettingsError
from contracts.words import ZoneKind
from edge_agent.cameras.rule.polygons import area, contains, crosses_itself
from edge_agent.cameras.rule.scene import Scene, read_scene

CONFIGS = Path(__file__).parents[3] / "firmware_configs" / "scenes"
SQUARE = "[[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_scene_is_good(path: Path) -> None:
    assert read_scene(path).zones


def box(x: float, y: float, side: float = 20) -> Box:
    return Box("head", x - side / 2, y - side / 2, x + side / 2, y + side / 2, 0.9)


def test_where_a_head_belongs(scene: Scene) -> None:
    assert scene.zone_of(box(100, 100), 640, 360) is scene.zones[0]
    assert scene.zone_of(box(400, 100), 640, 360) is scene.zones[1]
    assert scene.zone_of(box(600, 100), 640, 360) is None
    assert scene.ignores(box(600, 100), 640, 360)
    assert not scene.ignores(box(100, 100), 640, 360)


def test_a_small_head_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(SCENE.replace('kind = "special_room"', 'kind = "special_room"\nmin_head = 0.1'))
    zoned = read_scene(path)
    assert zoned.zone_of(box(100, 100, 35), 640, 360) is None
    assert zoned.zone_of(box(100, 100, 37), 640, 360) is not None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("version = 1", "version = 2", r"version: Expected `int` <= 1"),
        ('"special_room"', '"cellar"', r"zones\[0\]\.kind: Invalid enum value 'cellar'"),
        ('required = ["hat"]', 'required = ["tie"]', r"zones\[1\]\.required\[0\]: Invalid enum"),
        ('required = ["hat"]', 'required = ["hat", "hat"]', r"zones\[1\]\.required: .*twice"),
        ('required = ["hat", "mask"]', "required = []", r"zones\[0\]\.required: a special_room"),
        (SQUARE, "[[0.0, 0.0], [0.5, 0.0]]", r"zones\[0\]\.polygon: needs at least 3 points"),
        (SQUARE, "[[0.0, 0.0], [1.5, 0.0], [0.5, 1.0]]", r"zones\[0\]\.polygon\[1\]\[0\]: .*<= 1"),
        (
            SQUARE,
            "[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]",
            r"zones\[0\]\.polygon: its edges",
        ),
        (SQUARE, "[[0.0, 0.0], [0.001, 0.0], [0.0, 0.001]]", r"zones\[0\]\.polygon: encloses"),
        ('name = "热厨"', 'name = "专间"', r"zones\[1\]\.name: '专间' is there twice"),
        ("enter_share = 0.7", "enter_share = 0.4", r"persistence\.enter_share: .*> 0.5"),
        ("enter_s = 0.5", "enter_s = 8.0", r"persistence\.enter_s: is above window_s"),
        ("enter_s = 0.5", "entr_s = 0.5", r"persistence: .*unknown field `entr_s`"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in SCENE
    path = tmp_path / "canteen.toml"
    path.write_text(SCENE.replace(old, new), "utf-8")
    with pytest.raises(SettingsError, match=r"canteen\.toml: " + says):
        read_scene(path)


shares = st.floats(0, 1)


@given(shares, shares, shares, shares, shares, shares)
def test_a_rectangle_holds_what_lies_between_its_sides(
    ax: float, ay: float, bx: float, by: float, x: float, y: float
) -> None:
    low, high = (min(ax, bx), min(ay, by)), (max(ax, bx), max(ay, by))
    corners = (low, (high[0], low[1]), high, (low[0], high[1]))
    inside = low[0] < x < high[0] and low[1] < y < high[1]
    outside = x < low[0] or x > high[0] or y < low[1] or y > high[1]
    if inside or outside:
        assert contains(corners, x, y) is inside
    assert area(corners) == pytest.approx((high[0] - low[0]) * (high[1] - low[1]))
    assert not crosses_itself(corners)


def test_zone_kinds_are_those_of_the_rules() -> None:
    kinds = {kind.value for kind in ZoneKind}
    assert kinds >= {"special_room", "special_area", "general"}  # as older scenes and rules say
    assert len(kinds) == 10


def test_too_few_looks_for_a_rule_are_noticed(scene: Scene) -> None:
    assert scene.persistence.fault_at(2.0) == ""
    assert "3 in window_s, below enter_votes" in scene.persistence.fault_at(1.9)
