"""What one step asks of the ledger again and again, asked once: people, places, what is hidden."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from ledger import duties, officers, regions, rule_modes, silences, sites
from ledger.alert_types import AlertRow
from ledger.duties import Responsible
from ledger.engine import Connection
from ledger.rule_modes import RuleMode
from ledger.silences import Silence


class Answers:
    """Answers of one transaction at one moment."""

    def __init__(self, conn: Connection, at: datetime) -> None:
        self._conn = conn
        self._at = at
        self._above: dict[str, tuple[str, ...]] = {}
        self._responsible: dict[tuple[str, str | None, int], Responsible] = {}
        self._sites: dict[str, str] = {}

    @cached_property
    def silences(self) -> Sequence[Silence]:
        """Those that hide something now."""
        return silences.active(self._conn, self._at)

    @cached_property
    def modes(self) -> Sequence[RuleMode]:
        """Rules that are told otherwise for a place and a while."""
        return rule_modes.active(self._conn, self._at)

    def above(self, region: str) -> tuple[str, ...]:
        """The region and those above it."""
        if region not in self._above:
            self._above[region] = tuple(regions.ancestors(self._conn, region))
        return self._above[region]

    def responsible(self, alert: AlertRow, level: int) -> Responsible:
        """Whom alerts of this place concern at that level."""
        key = (alert.region, alert.establishment_id, level)
        if key not in self._responsible:
            self._responsible[key] = duties.responsible(self._conn, alert, level, self._at)
        return self._responsible[key]

    def site_name(self, site: str) -> str:
        """What people call the site."""
        if site not in self._sites:
            found = sites.get(self._conn, site)
            self._sites[site] = found.name if found else site
        return self._sites[site]

    def logins(self, names: Sequence[str]) -> dict[str, str]:
        """Officer ids of those of `names` who may sign in."""
        found = (officers.by_login(self._conn, name) for name in names)
        return {one.login: one.id for one in found if one is not None and one.active}
