"""The kitchen's day in plain words: which meals cameras proved to see, what people confirmed.

A camera tells at each meal's end how many of its minutes were proven live; one that did not tell
proved nothing. A lead that nobody has looked at is not told to the public, not even its number.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from contracts.workdays import day_began
from ledger import place_findings
from ledger.devices import Device
from ledger.engine import Connection

WHOLE = 0.95
"""Of a meal's minutes; the rest is a camera's own restart."""


class Meal(msgspec.Struct, frozen=True):
    """A meal that is over."""

    ended_at: datetime
    minutes: int
    proven: int
    """Minutes proven live, on average of all cameras; one that told nothing has none."""

    @property
    def state(self) -> str:
        """``seen``, ``partly`` or ``unseen``."""
        if not self.proven:
            return "unseen"
        return "seen" if self.proven >= WHOLE * self.minutes else "partly"


class Day(msgspec.Struct, frozen=True):
    """Today, so far."""

    meals: list[Meal]
    """By time."""
    confirmed: int
    """Matters of hygiene that an officer has looked at and confirmed."""


def read_day(
    conn: Connection, establishment_id: str, cameras: Sequence[Device], now: datetime
) -> Day:
    """Gather it for a kitchen with these cameras."""
    begin = day_began(now)
    told = place_findings.meals(conn, {one.site for one in cameras}, begin, now)
    meals = [
        Meal(at, round(due), round(live / max(len(cameras), count)))
        for at, live, due, count in told
    ]
    return Day(meals, place_findings.confirmed(conn, establishment_id, begin))
