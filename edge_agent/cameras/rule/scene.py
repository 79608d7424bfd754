"""What a camera looks at: zones, masks, smallest head and persistence, read from a scene file.

Places are shares of the picture (0..1 from the left and from the top), so that another resolution
of the same view needs no other scene. Errors name the file and the key.
"""

from collections.abc import Iterator, Sequence, Set
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.effect import in_effect
from contracts.events import Box
from contracts.settings import SettingsError, load_settings
from contracts.words import ZoneKind
from edge_agent.cameras.rule.polygons import contains, polygon_fault
from edge_agent.cameras.schedule import LOCAL, PeriodKind, Schedule, schedule_faults

Share = Annotated[float, Meta(ge=0, le=1)]
Polygon = tuple[tuple[Share, Share], ...]
MUST_REQUIRE = (ZoneKind.SPECIAL_ROOM, ZoneKind.SPECIAL_AREA)


class Wear(StrEnum):
    """What a zone can require people to wear on their heads."""

    HAT = "hat"
    MASK = "mask"


class Persistence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much must be seen before an episode opens, and how little before it closes."""

    window_s: Annotated[float, Meta(gt=0, le=60)] = 4.0
    """The looks at a person of so many seconds count; older ones are forgotten."""
    enter_votes: Annotated[int, Meta(ge=1, le=100)] = 6
    """Of those looks at least so many must say "not worn" …"""
    enter_share: Annotated[float, Meta(gt=0.5, le=1)] = 0.7
    """… and at least this share of all at which something was read, the unsure ones too …"""
    enter_s: Annotated[float, Meta(ge=0, le=60)] = 2.0
    """… the first and the last of which lie at least so far apart."""
    dwell_s: Annotated[float, Meta(ge=0, le=600)] = 0.0
    """So long a person must have been in the zone to count: whoever only passes does not."""
    leave_share: Annotated[float, Meta(ge=0, lt=0.5)] = 0.3
    """At this share, or below, the person counts as dressed again."""
    leave_s: Annotated[float, Meta(ge=0, le=3600)] = 5.0
    """A violation is over after so long without anyone in it …"""
    merge_s: Annotated[float, Meta(ge=0, le=3600)] = 25.0
    """… and its episode closes after so long more: one that begins anew until then continues it."""
    confirm_after_s: Annotated[float, Meta(ge=0, le=7200)] = 0.0
    """What was seen is told only if it is seen again so long after it began; 0 tells at once …"""
    confirm_within_s: Annotated[float, Meta(gt=0, le=7200)] = 300.0
    """… and not later than so long after that; else it is forgotten."""
    hold_s: Annotated[float, Meta(ge=0, le=3600)] = 300.0
    """So long an episode stands that can be followed no more: the camera is blind, or no look at
    the person tells anything."""

    def fault_at(self, looks_per_s: float) -> str:
        """Why a camera with so many looks a second could never open an episode; else empty."""
        most = int(looks_per_s * self.window_s)
        if most >= self.enter_votes:
            return ""
        return f"{looks_per_s:g} looks a second are {most} in window_s, below enter_votes"


OFF_HOURS = Persistence(
    window_s=20.0, enter_votes=10, enter_share=0.7, enter_s=8.0, leave_s=30.0, merge_s=270.0
)
"""For people who are there outside working hours: somebody who fetches a forgotten key is none."""


class Demand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a zone requires besides, for a time: from a day of law on, or only at meals."""

    wear: Annotated[tuple[Wear, ...], Meta(min_length=1)]
    effective_from: date | None = None
    effective_until: date | None = None
    """Last day on which it holds."""
    periods: tuple[str, ...] = ()
    """Names of the schedule's periods in which it holds; empty: always."""
    basis: Annotated[str, Meta(max_length=256)] = ""
    """The text that asks for it."""

    def holds(self, at: datetime, running: Set[str]) -> bool:
        """Whether it holds at `at` (aware), when the periods `running` are running."""
        if not in_effect(self, at.astimezone(LOCAL).date()):
            return False
        return not self.periods or not running.isdisjoint(self.periods)


class HeldBy(StrEnum):
    """Which point of a person must lie in a zone."""

    HEAD = "head"
    FEET = "feet"


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An area of the picture; a head belongs to the first zone that holds its point."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: ZoneKind
    polygon: Polygon
    required: tuple[Wear, ...] = ()
    min_head: Share = 0.0
    """Smaller heads (share of the picture's height) are left alone here."""
    periods: tuple[str, ...] = ()
    """Names of the schedule's periods in which `required` holds; empty: always."""
    also: Annotated[tuple[Demand, ...], Meta(max_length=16)] = ()
    """What is required besides, with dates and periods."""
    off_hours: bool = False
    """Nobody may be here outside working hours."""
    held_by: HeldBy = HeldBy.HEAD
    """``head``: the head's centre lies in the zone; ``feet``: the foot of the person around it."""
    persistence: Persistence | None = None
    """This zone's own; else the scene's."""

    def judges(self, box: Box, height: int) -> bool:
        """True if a head is large enough here (picture of `height` pixels)."""
        return (box.y1 - box.y0) >= self.min_head * height

    def required_at(self, at: datetime, schedule: Schedule) -> tuple[Wear, ...]:
        """What people must wear here at `at` (aware), each once."""
        running = frozenset(one.period.name for one in schedule.at(at))
        always = not self.periods or not running.isdisjoint(self.periods)
        wanted = list(self.required) if always else []
        for demand in self.also:
            if demand.holds(at, running):
                wanted += demand.wear
        return tuple(wear for wear in Wear if wear in wanted)


class MaskKind(StrEnum):
    """Why an area does not count."""

    POSTER = "poster"
    MIRROR = "mirror"
    SCREEN = "screen"
    WINDOW = "window"
    OTHER = "other"


class Mask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An area that does not count: a poster, a mirror, a screen, a street behind a window."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    polygon: Polygon
    kind: MaskKind = MaskKind.OTHER


class Stillness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a head is taken for a picture: a poster, a calendar, a mannequin."""

    after_s: Annotated[float, Meta(ge=0, le=7200)] = 120.0
    """So long it must not have moved; 0 switches this off. Whoever walked there may sit still five
    times as long."""
    life_first: bool = True
    """A head that has not moved since it appeared opens no episode: it may be a picture."""


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scene file."""

    version: Annotated[int, Meta(ge=1, le=1)]
    title: Annotated[str, Meta(min_length=1, max_length=128)]
    zones: Annotated[tuple[Zone, ...], Meta(min_length=1, max_length=32)]
    masks: Annotated[tuple[Mask, ...], Meta(max_length=32)] = ()
    persistence: Persistence = Persistence()
    off_hours: Persistence = OFF_HOURS
    """For people in zones with `off_hours` outside working hours."""
    stillness: Stillness = Stillness()
    schedule: Schedule = Schedule()
    """Meals and working hours."""
    reference: Annotated[
        str, Meta(pattern=r"^([\w-][\w.-]*\.(jpg|jpeg|png))?$", max_length=128)
    ] = ""
    """Name of a picture of the view beside the scene file: whoever turns the camera away from it
    is noticed. Empty: the camera learns its view by itself."""

    def mask_over(self, box: Box, width: int, height: int) -> Mask | None:
        """The first mask that holds the box's centre (picture of width x height pixels)."""
        x, y = (box.x0 + box.x1) / (2 * width), (box.y0 + box.y1) / (2 * height)
        return next((mask for mask in self.masks if contains(mask.polygon, x, y)), None)

    def ignores(self, box: Box, width: int, height: int) -> bool:
        """True if a mask holds the box's centre (picture of width x height pixels)."""
        return self.mask_over(box, width, height) is not None

    def zone_of(self, box: Box, width: int, height: int) -> Zone | None:
        """The zone that holds a head, if the head is large enough there."""
        zone = self.area_of(box, width, height)
        return zone if zone and zone.judges(box, height) else None

    def area_of(
        self, box: Box, width: int, height: int, foot: tuple[float, float] | None = None
    ) -> Zone | None:
        """The first zone that holds a head, however small it is.

        `foot` is where the person around the head stands, in pixels; None: not seen, then no zone
        that is held by feet holds it.
        """
        centre = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        for zone in self.zones:
            point = centre if zone.held_by is HeldBy.HEAD else foot
            if point and contains(zone.polygon, point[0] / width, point[1] / height):
                return zone
        return None

    def fault_at(self, looks_per_s: float) -> str:
        """Why a camera with so many looks a second could never open an episode; else empty."""
        rules = [self.persistence, *(one.persistence for one in self.zones if one.persistence)]
        if any(zone.off_hours for zone in self.zones):
            rules.append(self.off_hours)
        return next((fault for rule in rules if (fault := rule.fault_at(looks_per_s))), "")


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
        found += [(f"zones[{index}].{key}", fault) for key, fault in _zone_faults(zone, scene)]
    for key, rule in (("persistence", scene.persistence), ("off_hours", scene.off_hours)):
        found += [(f"{key}.{part}", fault) for part, fault in _rule_faults(rule)]
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


def _zone_faults(zone: Zone, scene: Scene) -> Iterator[tuple[str, str]]:
    demands: list[tuple[str, tuple[Wear, ...]]] = [("required", zone.required)]
    demands += [(f"also[{number}].wear", one.wear) for number, one in enumerate(zone.also)]
    for key, wear in demands:
        if len(set(wear)) != len(wear):
            yield key, "names something twice"
    if zone.kind in MUST_REQUIRE and not zone.required and not zone.also:
        yield "required", f"a {zone.kind.value} must require something"
    known = {period.name for period in scene.schedule.periods}
    periods = [("periods", zone.periods)]
    periods += [(f"also[{number}].periods", one.periods) for number, one in enumerate(zone.also)]
    for key, names in periods:
        for name in names:
            if name not in known:
                yield key, f"the schedule has no period {name!r}"
    for number, one in enumerate(zone.also):
        if one.effective_from and one.effective_until and one.effective_until < one.effective_from:
            yield f"also[{number}].effective_until", "lies before effective_from"
    if zone.off_hours and all(one.kind is not PeriodKind.OPEN for one in scene.schedule.periods):
        yield "off_hours", "the schedule has no working hours (a period of kind `open`)"
    if zone.persistence:
        for part, fault in _rule_faults(zone.persistence):
            yield f"persistence.{part}", fault


def _rule_faults(rule: Persistence) -> Iterator[tuple[str, str]]:
    if rule.enter_s > rule.window_s:
        yield "enter_s", f"is above window_s ({rule.window_s})"
