"""What one step asks of the ledger again and again, asked once: people, places, what is hidden."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property

from ledger import duties, officers, regions, rule_modes, silences, sites
from ledger.alert_types import AlertRow
from ledger.duties import Responsible, Staff
from ledger.engine import Connection
from ledger.rule_modes import RuleMode
from ledger.silences import Silence


class Answers:
    """Answers of one transaction at one moment."""

    def __init__(self, conn: Connection, at: datetime) -> None:
        self._conn = conn
        self._at = at
        self._expected: tuple[AlertRow, ...] = ()
        self._above: dict[str, list[str]] = {}
        self._staff: dict[tuple[str, str | None], Staff] = {}
        self._responsible: dict[tuple[str, str | None, int], Responsible] = {}
        self._sites: dict[str, str] = {}

    def expect(self, alerts: Iterable[AlertRow]) -> None:
        """Of these it will be asked: whoever asks of the first asks of them all."""
        self._expected = tuple(alerts)

    @cached_property
    def silences(self) -> Sequence[Silence]:
        """Those that hide something now."""
        return silences.active(self._conn, self._at)

    @cached_property
    def modes(self) -> Sequence[RuleMode]:
        """Rules that are told otherwise for a place and a while."""
        return rule_modes.active(self._conn, self._at)

    def above(self, region: str) -> Sequence[str]:
        """The region and those above it."""
        if region not in self._above:
            asked = {region, *(one.region for one in self._expected)}
            self._above |= regions.paths(self._conn, asked)
        return self._above[region]

    def responsible(self, alert: AlertRow, level: int) -> Responsible:
        """Whom alerts of this place concern at that level."""
        key = (alert.region, alert.establishment_id, level)
        if key not in self._responsible:
            self._responsible[key] = self._staff_of(alert).responsible(alert, level, self._at)
        return self._responsible[key]

    def _staff_of(self, alert: AlertRow) -> Staff:
        place = (alert.region, alert.establishment_id)
        if place not in self._staff:
            places = {place, *((one.region, one.establishment_id) for one in self._expected)}
            paths = {region: self.above(region) for region, _ in places}
            establishments = {one for _, one in places if one is not None}
            found = duties.staff(self._conn, paths, establishments, self._at, self._at)
            self._staff |= dict.fromkeys(places, found)
        return self._staff[place]

    def site_name(self, site: str) -> str:
        """What people call the site."""
        if site not in self._sites:
            asked = {site, *(one.site for one in self._expected)}
            self._sites |= {one: one for one in asked} | sites.names(self._conn, asked)
        return self._sites[site]

    def logins(self, names: Sequence[str]) -> dict[str, str]:
        """Officer ids of those of `names` who may sign in."""
        found = (officers.by_login(self._conn, name) for name in names)
        return {one.login: one.id for one in found if one is not None and one.active}
