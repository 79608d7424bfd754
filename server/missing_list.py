"""What is missing in the officer's sight: each gap with its place, gravest first."""

from datetime import datetime

import msgspec

from ledger import missing, sites
from ledger.engine import Connection
from ledger.missing import Missing
from server.access import Scope
from server.desk import Names


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
    named = {site.id: site.name for site in sites.list_in(conn, scope.listed)}
    names = Names(conn)
    lines = []
    for gap in missing.find(conn, now, scope.listed):
        who = gap.agent
        if not scope.covers_site(who.region, who.site):
            continue
        lines.append(MissingLine(gap, named.get(who.site, who.site), names.region(who.region)))
    return lines
