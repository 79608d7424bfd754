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
        return self.gap.numbers("–")


def read_missing(conn: Connection, scope: Scope, now: datetime) -> list[MissingLine]:
    """Every gap of the scope's agents."""
    gaps = [
        gap
        for gap in missing.find(conn, now, scope.listed)
        if scope.covers_site(gap.agent.region, gap.agent.site)
    ]
    named = sites.names(conn, {gap.agent.site for gap in gaps})
    towns = regions.names(conn, {gap.agent.region for gap in gaps})
    lines = []
    for gap in gaps:
        who = gap.agent
        town = towns.get(who.region, (who.region, who.region))
        lines.append(MissingLine(gap, named.get(who.site, who.site), town))
    return lines
