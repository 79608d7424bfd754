"""What is missing in the officer's sight: each gap with its place, gravest first."""

from datetime import datetime

import msgspec

from ledger import missing, regions, sites
from ledger.engine import Connection
from ledger.missing import Missing
from server.access import Scope


class MissingLine(msgspec.Struct, frozen=True):
    """A gap with the names that its line shows."""

    gap: Missing
    site: str
    region: tuple[str, str]

    @property
    def numbers(self) -> str:
        """The first of the missing numbers, as people write ranges."""
        named = [
            f"{first}–{last}" if first < last else str(first) for first, last in self.gap.ranges
        ]
        return ", ".join(named[:3]) + (" …" if len(named) > 3 else "")


def read_missing(conn: Connection, scope: Scope, now: datetime) -> list[MissingLine]:
    """Every gap of the scope's agents."""
    named = {site.id: site.name for site in sites.list_in(conn, scope.listed)}
    places: dict[str, tuple[str, str]] = {}
    lines = []
    for gap in missing.find(conn, now, scope.listed):
        who = gap.agent
        if not scope.covers_site(who.region, who.site):
            continue
        if who.region not in places:
            region = regions.get(conn, who.region)
            names = (region.name_zh, region.name_en) if region else (who.region, who.region)
            places[who.region] = names
        lines.append(MissingLine(gap, named.get(who.site, who.site), places[who.region]))
    return lines
