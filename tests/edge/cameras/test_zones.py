"""Zones and masks: where a head belongs, and what is asked there on which day at which hour."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from camera_parts import SCENE

from contracts.events import Box
from contracts.settings import SettingsError
from contracts.words import ZoneKind
from edge_agent.cameras.rule.scene import MaskKind, Scene, Wear, read_scene

WORKING = """
[schedule]
periods = [
  {name = "lunch", kind = "meal", begin = "10:30", end = "13:00"},
  {name = "hours", kind = "open", begin = "06:00", end = "20:00", days = ["mon", "tue", "wed"]},
]
"""
ALSO = """
[[zones.also]]
wear = ["mask"]
effective_from = 2026-03-01
effective_until = 2026-08-31
periods = ["lunch"]
basis = "a province's text"
"""
SQUARE = "polygon = [[0.5, 0.0], [0.75, 0.0], [0.75, 1.0], [0.5, 1.0]]\n"


def written(folder: Path, *changes: tuple[str, str], more: str = "") -> Scene:
    text = SCENE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "kitchen.toml"
    path.write_text(text + more, "utf-8")
    return read_scene(path)


def china(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


@pytest.mark.parametrize("kind", ZoneKind)
def test_every_kind_of_zone_can_be_set_up(tmp_path: Path, kind: ZoneKind) -> None:
    scene = written(tmp_path, ('kind = "general"', f'kind = "{kind.value}"'))
    assert scene.zones[1].kind is kind


@pytest.mark.parametrize(
    ("at", "required"),
    [
        ("2026-02-27T12:00:00", [Wear.HAT]),  # not in force yet
        ("2026-03-01T12:00:00", [Wear.HAT, Wear.MASK]),  # its first day …
        ("2026-03-01T15:00:00", [Wear.HAT]),  # … but no lunch
        ("2026-08-31T12:59:59", [Wear.HAT, Wear.MASK]),  # its last day
        ("2026-09-01T12:00:00", [Wear.HAT]),
    ],
)
def test_what_is_asked_besides_has_dates_and_hours(
    tmp_path: Path, at: str, required: list[Wear]
) -> None:
    scene = written(tmp_path, (SQUARE, SQUARE + ALSO), more=WORKING)
    assert list(scene.zones[1].required_at(china(at), scene.schedule)) == required


def test_a_rule_may_hold_at_meals_only(tmp_path: Path) -> None:
    scene = written(tmp_path, (SQUARE, SQUARE + 'periods = ["lunch"]\n'), more=WORKING)
    zone = scene.zones[1]
    assert zone.required_at(china("2026-03-02T12:00:00"), scene.schedule) == (Wear.HAT,)
    assert zone.required_at(china("2026-03-02T13:00:00"), scene.schedule) == ()


def test_masks_say_what_they_cover(tmp_path: Path) -> None:
    scene = written(tmp_path, ('name = "海报"', 'name = "镜子"\nkind = "mirror"'))
    mask = scene.mask_over(Box("head", 580, 80, 620, 120, 0.9), 640, 360)
    assert mask is not None
    assert (mask.name, mask.kind) == ("镜子", MaskKind.MIRROR)
    assert scene.mask_over(Box("head", 80, 80, 120, 120, 0.9), 640, 360) is None


def test_a_zone_on_the_floor_is_held_by_feet(tmp_path: Path) -> None:
    """The head lies over the special room behind; the person stands in the passage."""
    floor = "polygon = [[0.0, 0.7], [1.0, 0.7], [1.0, 1.0], [0.0, 1.0]]\n"
    scene = written(tmp_path, (SQUARE, floor + 'held_by = "feet"\n'))
    head = Box("head", 580, 40, 620, 90, 0.9)
    assert scene.area_of(head, 640, 360, (600.0, 340.0)) is scene.zones[1]
    assert scene.area_of(head, 640, 360, (600.0, 200.0)) is None
    assert scene.area_of(head, 640, 360) is None  # no person around it was seen


def test_too_few_looks_for_any_rule_are_noticed(tmp_path: Path) -> None:
    night = ("off_hours = true\n" + SQUARE, "[off_hours]\nwindow_s = 10.0\nenter_votes = 30\n")
    scene = written(tmp_path, (SQUARE, night[0]), more=WORKING + night[1])
    assert scene.fault_at(3.0) == ""
    assert "below enter_votes" in scene.fault_at(2.5)
    without = written(tmp_path, more=WORKING + night[1])
    assert without.fault_at(2.5) == ""  # no zone asks for it


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (SQUARE + 'periods = ["brunch"]', r"zones\[1\]\.periods: the schedule has no .*'brunch'"),
        (
            SQUARE + ALSO.replace("2026-08-31", "2026-02-01"),
            r"zones\[1\]\.also\[0\]\.effective_until: lies",
        ),
        (
            SQUARE + ALSO.replace('["lunch"]', '["late"]'),
            r"zones\[1\]\.also\[0\]\.periods: .*'late'",
        ),
        (
            SQUARE + ALSO.replace('["mask"]', '["mask", "mask"]'),
            r"zones\[1\]\.also\[0\]\.wear: names someth",
        ),
        (SQUARE + ALSO.replace('["mask"]', "[]"), r"zones\[1\]\.also\[0\]\.wear: .*length >= 1"),
        (SQUARE + 'held_by = "hand"', r"zones\[1\]\.held_by: Invalid enum value 'hand'"),
        (SQUARE + "[zones.persistence]\nenter_s = 9.0\n", r"zones\[1\]\.persistence\.enter_s: is"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, new: str, says: str) -> None:
    with pytest.raises(SettingsError, match=r"kitchen\.toml: " + says):
        written(tmp_path, (SQUARE, f"{new}\n"), more=WORKING)


def test_off_hours_need_hours(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"zones\[1\]\.off_hours: the schedule has no working"):
        written(tmp_path, (SQUARE, "off_hours = true\n" + SQUARE))
