"""What the administration warns of: places nobody answers for, days that nobody has told."""

from typing import Literal

import msgspec

from ledger.engine import Connection
from ledger.sheets.lists import count_rows
from server.admin_sheets import bounds_of
from server.formats import local
from server.signing import Visit
from server.state import State

Kind = Literal["orphans", "calendar", "calendar_soon"]


class Warning(msgspec.Struct, frozen=True):
    """Something that somebody should see to."""

    kind: Kind
    link: str
    n: int
    """How many, or which year."""


def warnings_of(state: State, conn: Connection, visit: Visit) -> list[Warning]:
    """What is wrong, the gravest first."""
    found = []
    today = local(state.clock()).date()
    known = state.packs.calendar.years
    if today.year not in known:
        found.append(Warning("calendar", "/admin/calendars", today.year))
    elif today.month >= 11 and today.year + 1 not in known:
        found.append(Warning("calendar_soon", "/admin/calendars", today.year + 1))
    orphans = count_rows(conn, "establishments", bounds_of(visit), "orphans")
    if orphans:
        found.append(Warning("orphans", "/admin/establishments?show=orphans", orphans))
    return found
