"""How many people live in a region on a day: what was entered, else what the definitions say.

Nobody adds up towns to a county, or divides a county among its towns: who has no number has none.
"""

from datetime import date

import msgspec
from sqlalchemy import Connection, select

from contracts.effect import in_effect
from contracts.indicators import Indicators, Mark
from ledger.schema import populations


class Residents(msgspec.Struct, frozen=True):
    """A region's residents 常住人口."""

    people: int
    source: str
    mark: Mark
    """V read in a primary text, S in a secondary one, U unverified."""
    since: date | None
    """First day of effect."""


def residents(conn: Connection, indicators: Indicators, day: date) -> dict[str, Residents]:
    """By region, of what is in effect on a day: the newest that was entered, else the file's."""
    told = {
        one.region: Residents(one.people, one.source, one.mark, one.effective_from)
        for one in indicators.populations
        if in_effect(one, day)
    }
    table = populations
    found = select(table).where(table.c.effective_from <= day).order_by(table.c.effective_from)
    for row in conn.execute(found):
        told[row.region] = Residents(row.people, row.source, row.mark, row.effective_from)
    return told
