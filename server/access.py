"""Who may see and do what: rights by role, and the part of the region tree an officer answers for.

Rights are a subtree: an officer sees and acts on its own region and below, never sideways; an
operator only on its own establishment. What lies outside is answered as if it did not exist.
"""

from enum import StrEnum

import msgspec

from ledger import regions, sites
from ledger.engine import Connection
from ledger.officers import Officer


class Right(StrEnum):
    """What a route asks for."""

    VIEW = "view"
    ACT = "act"
    """Move an alert through its life, judge it, silence, decide on proposals."""


RIGHTS: dict[str, frozenset[Right]] = {
    "admin": frozenset({Right.VIEW, Right.ACT}),
    "city": frozenset({Right.VIEW, Right.ACT}),
    "county": frozenset({Right.VIEW, Right.ACT}),
    "town": frozenset({Right.VIEW, Right.ACT}),
    "operator": frozenset({Right.VIEW}),
    "auditor": frozenset({Right.VIEW}),
}


class Scope(msgspec.Struct, frozen=True):
    """What an officer can see: regions, and for an operator one establishment with its sites."""

    regions: frozenset[str]
    establishment_id: str | None = None
    sites: frozenset[str] | None = None
    """None: every site of the regions."""

    @property
    def listed(self) -> list[str]:
        """The regions in a fixed order, for queries."""
        return sorted(self.regions)

    def covers(self, region: str, establishment_id: str | None) -> bool:
        """Whether something of this region and establishment can be seen."""
        if self.establishment_id is not None and establishment_id != self.establishment_id:
            return False
        return region in self.regions

    def covers_site(self, region: str, site: str) -> bool:
        """Whether something at this site can be seen."""
        return region in self.regions and (self.sites is None or site in self.sites)


def scope_of(conn: Connection, officer: Officer) -> Scope:
    """What this officer can see now."""
    below = frozenset(regions.subtree(conn, officer.region))
    if officer.role != "operator":
        return Scope(below)
    # An operator without an establishment sees nothing.
    own = officer.establishment_id or ""
    places = frozenset(site.id for site in sites.of_establishment(conn, own))
    return Scope(below, own, places)


def only_recipient(officer: Officer) -> str | None:
    """The one recipient whose notifications the officer may see; None: those of everybody."""
    return officer.id if officer.role == "operator" else None


def may(officer: Officer, right: Right) -> bool:
    """Whether the officer's role has the right; a role that is not listed has none."""
    return right in RIGHTS.get(str(officer.role), frozenset())
