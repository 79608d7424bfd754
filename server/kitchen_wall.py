"""The wall of kitchens 明厨亮灶: regions with their counts, cameras with their last picture."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import msgspec

from contracts.sights import RUNNING_DUE, RUNNING_LIVE
from contracts.workdays import china_day
from ledger import kitchen_meals, kitchens, looks, notifications, regions
from ledger.engine import Connection
from ledger.kitchen_meals import Day
from ledger.kitchens import WEEK_DAYS, Camera, CameraState, Count, Frame, Raised, Sought
from ledger.looks import LookRow
from server.access import only_recipient
from server.desk import Names
from server.kitchen_filter import KitchenFilter, sought_of
from server.signing import Visit

PAGE = 24
BLIND_PAGE = 25
GOOD, FAIR = 95, 80
"""Percent of the due minutes from which coverage is called good, and fair."""


class Share(msgspec.Struct, frozen=True):
    """Proven-live minutes of due minutes."""

    live: int
    due: int

    @property
    def percent(self) -> int | None:
        """Rounded down, so that only a whole is called 100; None if nothing was due."""
        return 100 * self.live // self.due if self.due else None

    @property
    def tone(self) -> str:
        """The chip's colour."""
        if self.percent is None:
            return ""
        return "ok" if self.percent >= GOOD else "warn" if self.percent >= FAIR else "bad"


class States(msgspec.Struct, frozen=True):
    """Cameras by state, with their coverage."""

    cameras: int
    by_state: dict[str, int]
    today: Share
    week: Share
    silent: int
    """Cameras that told no meal in the week."""


class RegionLine(msgspec.Struct, frozen=True):
    """A region below the one looked at."""

    code: str
    name: tuple[str, str]
    here: bool
    """The region itself: what lies in it and in no part of it."""
    states: States


class Line(msgspec.Struct, frozen=True):
    """A camera on the wall."""

    camera: Camera
    region: tuple[str, str]
    days: list[Day | None]
    """The week's days, the oldest first; None: nothing was told of it."""
    frame: Frame | None
    """Of what came as evidence, unless a look is newer."""
    look: LookRow | None
    """The newest look, if its picture is newer than any evidence."""
    alert: Raised | None

    @property
    def today(self) -> Share | None:
        """Of today's meals so far; None if nothing was told of any yet."""
        return today_of(self.camera)

    @property
    def week(self) -> Share:
        """Of the week's meals that are over."""
        return Share(self.camera.live_week or 0, self.camera.due_week or 0)


class Wall(msgspec.Struct, frozen=True):
    """What the page shows."""

    path: list[tuple[str, tuple[str, str]]]
    """Regions from the officer's own down to the one looked at: code and names."""
    regions: list[RegionLine]
    states: States
    """Of all cameras of the region looked at, whatever else is wanted."""
    groups: list[list[Line]]
    """The page's cameras, by establishment."""
    total: int


class BlindLine(msgspec.Struct, frozen=True):
    """A camera that cannot see, or of which nothing is known, and who was told."""

    camera: Camera
    region: tuple[str, str]
    alert: Raised | None
    names: list[str]
    """Whom a message has reached, each once."""


def today_of(camera: Camera) -> Share | None:
    """Today's coverage: the meals that are over, and the running one as far as it is known."""
    live, due = camera.live_today or 0, camera.due_today or 0
    if camera.state is not CameraState.UNKNOWN:
        running = round(camera.figures.get(RUNNING_DUE, 0))
        live += min(running, round(camera.figures.get(RUNNING_LIVE, 0)))
        due += running
    return Share(live, due) if due else None


def states_of(counted: Iterable[Count]) -> States:
    """The sums of these counts."""
    rows = list(counted)
    return States(
        cameras=sum(row.cameras for row in rows),
        by_state={
            one.value: sum(row.cameras for row in rows if row.state is one) for one in CameraState
        },
        today=Share(sum(row.live_today for row in rows), sum(row.due_today for row in rows)),
        week=Share(sum(row.live_week for row in rows), sum(row.due_week for row in rows)),
        silent=sum(row.silent_week for row in rows),
    )


def read_wall(
    conn: Connection, visit: Visit, wanted: KitchenFilter, now: datetime, page: int
) -> Wall:
    """Gather it. Raises Problem (404) for a region out of sight."""
    names = Names(conn)
    root = wanted.region or visit.region.code
    counted = kitchens.counts(conn, sought_of(conn, visit, wanted, plain=True), now)
    found, total = kitchens.page(
        conn, sought_of(conn, visit, wanted, plain=False), now, PAGE, (page - 1) * PAGE
    )
    groups: dict[str, list[Line]] = {}
    for line in lines_of(conn, found, names, now):
        key = line.camera.establishment_id or line.camera.site
        groups.setdefault(key, []).append(line)
    up = list(reversed(regions.ancestors(conn, root)))
    own = up[up.index(visit.region.code) :] if visit.region.code in up else [root]
    names.look_up(regions=own)
    return Wall(
        path=[(code, names.region(code)) for code in own],
        regions=_regions(conn, root, counted, names),
        states=states_of(counted),
        groups=list(groups.values()),
        total=total,
    )


def read_regions(
    conn: Connection, visit: Visit, wanted: KitchenFilter, now: datetime
) -> tuple[RegionLine, list[RegionLine]]:
    """The region looked at as a whole, and its parts. Raises Problem (404)."""
    names = Names(conn)
    root = wanted.region or visit.region.code
    counted = kitchens.counts(conn, sought_of(conn, visit, wanted, plain=True), now)
    whole = RegionLine(root, names.region(root), False, states_of(counted))
    return whole, _regions(conn, root, counted, names)


def _regions(
    conn: Connection, root: str, counted: Sequence[Count], names: Names
) -> list[RegionLine]:
    """The parts of `root` that have cameras; nothing if it has no parts."""
    paths = regions.paths(conn, {row.region for row in counted})
    parts: dict[str, list[Count]] = {}
    for row in counted:
        path = paths[row.region]
        at = path.index(root) if root in path else 0
        parts.setdefault(path[at - 1] if at else root, []).append(row)
    if set(parts) <= {root}:
        return []
    names.look_up(regions=parts)
    return [
        RegionLine(code, names.region(code), code == root, states_of(rows))
        for code, rows in sorted(parts.items())
    ]


def lines_of(conn: Connection, found: Sequence[Camera], names: Names, now: datetime) -> list[Line]:
    """The lines of these cameras."""
    today = china_day(now)
    week = [today - timedelta(days=ago) for ago in reversed(range(WEEK_DAYS))]
    sites = {camera.site for camera in found}
    days = kitchen_meals.days(conn, sites, week[0]) if sites else {}
    raised = kitchens.raised_at(conn, sites)
    looked = looks.newest_shown(conn, sites)
    names.look_up(regions={camera.region for camera in found})
    frames = kitchens.newest_frames(conn, [camera.identity for camera in found])
    made = []
    for camera in found:
        key = (camera.site, camera.device)
        frame, look = frames.get(key), looked.get(key)
        if frame and look and look.captured_at and frame.captured_at > look.captured_at:
            look = None
        made.append(
            Line(
                camera=camera,
                region=names.region(camera.region),
                days=_days(days.get(key, {}), week),
                frame=None if look else frame,
                look=look,
                alert=raised.get(key),
            )
        )
    return made


def _days(told: dict[date, Day], week: Sequence[date]) -> list[Day | None]:
    return [told.get(day) for day in week]


def read_blind(
    conn: Connection, visit: Visit, wanted: KitchenFilter, now: datetime, page: int
) -> tuple[list[BlindLine], int]:
    """Cameras that cannot see or are unknown, the longest first, and how many there are.

    Raises Problem (404) for a region out of sight.
    """
    shown = blind_sought(conn, visit, wanted)
    offset = (page - 1) * BLIND_PAGE
    found, total = kitchens.page(conn, shown, now, BLIND_PAGE, offset, longest_first=True)
    return blind_lines(conn, visit, found), total


def blind_sought(conn: Connection, visit: Visit, wanted: KitchenFilter) -> Sought:
    """The filter, of cameras that cannot see or are unknown. Raises Problem (404)."""
    return msgspec.structs.replace(
        sought_of(conn, visit, wanted, plain=False),
        states=(CameraState.BLIND, CameraState.UNKNOWN),
    )


def blind_lines(conn: Connection, visit: Visit, found: Sequence[Camera]) -> list[BlindLine]:
    """The lines of cameras that cannot see or are unknown."""
    raised = kitchens.raised_at(conn, {camera.site for camera in found})
    by_site = {alert.site: alert for alert in raised.values() if alert.rule == "agent_offline"}
    of_camera = [
        raised.get((camera.site, camera.device)) or by_site.get(camera.site) for camera in found
    ]
    asked = {alert.alert_id for alert in of_camera if alert}
    told = notifications.reached(conn, asked, only_recipient(visit.officer))
    people = {who for officers in told.values() for who in officers}
    names = Names(conn).look_up(officers=people, regions={one.region for one in found})
    return [
        BlindLine(
            camera,
            names.region(camera.region),
            alert,
            [names.officer(who) for who in told.get(alert.alert_id, ())] if alert else [],
        )
        for camera, alert in zip(found, of_camera, strict=True)
    ]
