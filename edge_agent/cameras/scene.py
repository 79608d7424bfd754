"""What a camera looks at: zones, masks, smallest head and persistence, read from a scene file.

Places are shares of the picture (0..1 from the left and from the top), so that another resolution
of the same view needs no other scene. Errors name the file and the key.
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.events import Box
from contracts.settings import SettingsError, load_settings
from edge_agent.cameras.polygons import contains, polygon_fault
from edge_agent.cameras.schedule import Schedule, schedule_faults

Share = Annotated[float, Meta(ge=0, le=1)]
Polygon = tuple[tuple[Share, Share], ...]


class ZoneKind(StrEnum):
    """What a zone is by the food-safety rules; rules of the city choose by it."""

    SPECIAL_ROOM = "special_room"
    """专间"""
    SPECIAL_AREA = "special_area"
    """专用操作区"""
    GENERAL = "general"


class Wear(StrEnum):
    """What a zone can require people to wear on their heads."""

    HAT = "hat"
    MASK = "mask"


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An area of the picture; a head belongs to the first zone that holds its centre."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: ZoneKind
    polygon: Polygon
    required: tuple[Wear, ...] = ()
    min_head: Share = 0.0
    """Smaller heads (share of the picture's height) are left alone here."""


class Mask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An area that does not count: a poster, a mirror, a screen, a street behind a window."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    polygon: Polygon


class Persistence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much must be seen before an episode opens, and how little before it closes."""

    window_s: Annotated[float, Meta(gt=0, le=60)] = 4.0
    """The telling looks at a person of so many seconds count; older ones are forgotten."""
    enter_votes: Annotated[int, Meta(ge=1, le=100)] = 6
    """Of those looks at least so many must say "not worn" …"""
    enter_share: Annotated[float, Meta(gt=0.5, le=1)] = 0.7
    """… and at least this share of them …"""
    enter_s: Annotated[float, Meta(ge=0, le=60)] = 2.0
    """… the first and the last of which lie at least so far apart."""
    leave_share: Annotated[float, Meta(ge=0, lt=0.5)] = 0.3
    """At this share, or below, the person counts as dressed again."""
    leave_s: Annotated[float, Meta(ge=0, le=3600)] = 5.0
    """An episode closes after so long without anyone in violation."""
    hold_s: Annotated[float, Meta(ge=0, le=3600)] = 300.0
    """So long an episode stands that can be followed no more: the camera is blind, or no look at
    the person tells anything."""

    def fault_at(self, looks_per_s: float) -> str:
        """Why a camera with so many looks a second could never open an episode; else empty."""
        most = int(looks_per_s * self.window_s)
        if most >= self.enter_votes:
            return ""
        return f"{looks_per_s:g} looks a second are {most} in window_s, below enter_votes"


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scene file."""

    version: Annotated[int, Meta(ge=1, le=1)]
    title: Annotated[str, Meta(min_length=1, max_length=128)]
    zones: Annotated[tuple[Zone, ...], Meta(min_length=1, max_length=32)]
    masks: Annotated[tuple[Mask, ...], Meta(max_length=32)] = ()
    persistence: Persistence = Persistence()
    schedule: Schedule = Schedule()
    """Meals and working hours."""
    reference: Annotated[
        str, Meta(pattern=r"^([\w-][\w.-]*\.(jpg|jpeg|png))?$", max_length=128)
    ] = ""
    """Name of a picture of the view beside the scene file: whoever turns the camera away from it
    is noticed. Empty: the camera learns its view by itself."""

    def ignores(self, box: Box, width: int, height: int) -> bool:
        """True if a mask holds the box's centre (picture of width x height pixels)."""
        x, y = _centre(box, width, height)
        return any(contains(mask.polygon, x, y) for mask in self.masks)

    def zone_of(self, box: Box, width: int, height: int) -> Zone | None:
        """The first zone that holds the box's centre, if the box is large enough there."""
        x, y = _centre(box, width, height)
        for zone in self.zones:
            if contains(zone.polygon, x, y):
                return zone if (box.y1 - box.y0) >= zone.min_head * height else None
        return None


def _centre(box: Box, width: int, height: int) -> tuple[float, float]:
    return (box.x0 + box.x1) / (2 * width), (box.y0 + box.y1) / (2 * height)


def read_scene(path: Path) -> Scene:
    """Read and check a scene file. Raises SettingsError that names the file and the key."""
    scene = load_settings(path, Scene)
    for key, fault in faults(scene):
        raise SettingsError(f"{path}: {key}: {fault}")
    return scene


def faults(scene: Scene) -> list[tuple[str, str]]:
    """What is wrong with a scene beyond its types: (key, fault) each."""
    found: list[tuple[str, str]] = []
    tables: tuple[tuple[str, Sequence[Zone | Mask]], ...] = (
        ("zones", scene.zones),
        ("masks", scene.masks),
    )
    for table, areas in tables:
        names: set[str] = set()
        for index, part in enumerate(areas):
            where = f"{table}[{index}]"
            if part.name in names:
                found.append((f"{where}.name", f"{part.name!r} is there twice"))
            names.add(part.name)
            fault = polygon_fault(part.polygon)
            if fault:
                found.append((f"{where}.polygon", fault))
    found += schedule_faults(scene.schedule)
    for index, zone in enumerate(scene.zones):
        where = f"zones[{index}].required"
        if len(set(zone.required)) != len(zone.required):
            found.append((where, "names something twice"))
        if zone.kind is not ZoneKind.GENERAL and not zone.required:
            found.append((where, f"a {zone.kind.value} must require something"))
    rule = scene.persistence
    if rule.enter_s > rule.window_s:
        found.append(("persistence.enter_s", f"is above window_s ({rule.window_s})"))
    return found


WHOLE = Scene(
    version=1,
    title="whole picture",
    zones=(
        Zone(
            "picture",
            ZoneKind.SPECIAL_ROOM,
            ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
            required=(Wear.HAT, Wear.MASK),
        ),
    ),
)
"""Where nothing is set up: one zone, the strictest."""
