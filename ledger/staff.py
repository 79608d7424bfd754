"""Who is responsible for an alert, by what was read of its place's people. Pure; see `duties`."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from ledger.ids import new_id
from ledger.officers import Officer, Role

LEVELS = (Role.TOWN, Role.COUNTY, Role.CITY)
"""Who is asked at level 0, 1 and 2."""
TOP = len(LEVELS) - 1


class Duty(msgspec.Struct, frozen=True):
    """An officer is on duty for a region and all below it, from `starts_at` until `ends_at`."""

    region: str
    officer_id: str
    starts_at: datetime
    ends_at: datetime
    id: str = msgspec.field(default_factory=new_id)


class Responsible(msgspec.Struct, frozen=True):
    """Whom an alert concerns now."""

    officers: tuple[Officer, ...]
    establishment_people: tuple[Officer, ...]
    """The establishment's own, told at the same time."""
    orphan: bool
    """Nobody is there at the level that was asked for; `officers` are of the next that has any."""
    level: int
    """The level of `officers`."""


class Placed(Protocol):
    """What lies in a region, and maybe belongs to an establishment: an alert, a case."""

    @property
    def region(self) -> str: ...

    @property
    def establishment_id(self) -> str | None: ...


class Staff:
    """The people of some places during a span of time: answers for any alert of theirs."""

    def __init__(
        self,
        paths: Mapping[str, Sequence[str]],
        officers: Iterable[Officer],
        duties: Iterable[Duty],
        in_charge: Mapping[str, str],
    ) -> None:
        """`paths`: regions from each place's own one up to the root, by it. `officers`: active
        ones, in the order in which they are named. `in_charge`: officer ids by establishment.
        """
        self._paths = paths
        self._officers = {one.id: one for one in officers}
        self._in_charge = in_charge
        self._roster: defaultdict[str, list[Duty]] = defaultdict(list)
        for duty in duties:
            self._roster[duty.region].append(duty)
        self._posted: defaultdict[str, list[Officer]] = defaultdict(list)
        self._own: defaultdict[str | None, list[Officer]] = defaultdict(list)
        for officer in self._officers.values():
            self._posted[officer.region].append(officer)
            self._own[officer.establishment_id].append(officer)

    def responsible(self, alert: Placed, level: int, at: datetime) -> Responsible:
        """Whom an alert concerns at `level` (0 town, 1 county, 2 city) at `at`.

        At each level: who is on duty for the nearest region, with the establishment's own officer
        at level 0; else every active officer of that role in the nearest region that has any; else
        the next level. Nobody at all leaves `officers` empty, at the top level.
        """
        found: tuple[Officer, ...] = ()
        asked = level
        for asked in range(level, TOP + 1):
            found = self._at_level(alert, asked, at)
            if found:
                break
        own = self.people(alert.establishment_id)
        return Responsible(found, own, orphan=not found or asked != level, level=asked)

    def people(self, establishment_id: str | None) -> tuple[Officer, ...]:
        """An establishment's own people."""
        return () if establishment_id is None else tuple(self._own.get(establishment_id, ()))

    def _at_level(self, alert: Placed, level: int, at: datetime) -> tuple[Officer, ...]:
        role, path = LEVELS[level], self._paths.get(alert.region, ())
        found = _nearest(path, lambda region: self._on_duty(region, role, at))
        in_charge = self._in_charge.get(alert.establishment_id or "") if level == 0 else None
        own = self._officers.get(in_charge or "")
        if own is not None and own not in found:
            found = (own, *found)
        return found or _nearest(path, lambda region: self._of_role(region, role))

    def _on_duty(self, region: str, role: Role, at: datetime) -> tuple[Officer, ...]:
        there = {
            duty.officer_id
            for duty in self._roster.get(region, ())
            if duty.starts_at <= at < duty.ends_at
        }
        if not there:
            return ()
        return tuple(one for one in self._officers.values() if one.id in there and one.role is role)

    def _of_role(self, region: str, role: Role) -> tuple[Officer, ...]:
        return tuple(one for one in self._posted.get(region, ()) if one.role is role)


def _nearest(
    path: Sequence[str], there: Callable[[str], tuple[Officer, ...]]
) -> tuple[Officer, ...]:
    """Those of the first region on the way up that has any."""
    return next(filter(None, map(there, path)), ())
