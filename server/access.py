"""Who may see and do what: rights by role, and the part of the region tree an officer answers for.

Rights are a subtree: an officer sees and acts on its own region and below, never sideways; an
operator only on its own establishment. What lies outside is answered as if it did not exist.
A route says in its signature which right it asks for (`needs`); docs/rights.md lists them all.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec

from ledger import regions, sites
from ledger.engine import Connection
from ledger.officers import Officer, Role


class Right(StrEnum):
    """What a route asks for."""

    VIEW = "view"
    """Look at what lies within one's region or establishment."""
    ANSWER = "answer"
    """Say on an alert that one has seen it, and what one knows of it."""
    ACKNOWLEDGE = "acknowledge"
    """Take an alert on for the authority."""
    ACT = "act"
    """Move an alert through its life, judge it, silence, decide on proposals."""
    MOVE = "move"
    """Make the steps of a case that casework's data give one's role: of it, the data decide."""
    LOOK = "look"
    """Ask a kitchen's camera for a look."""
    AUDIT = "audit"
    """Read who looked at what and who changed what."""
    PEOPLE = "people"
    """Keep officers: who they are, what they may do, how they come in."""
    CONNECT = "connect"
    """Give other systems tokens and webhooks."""
    ADMIN = "admin"
    """Keep establishments, sites, devices, rosters, contacts; see which rules and days hold."""
    SETUP = "setup"
    """Keep the region tree, and the accounts of sites at the broker."""


_SUPERVISOR = frozenset(
    {Right.VIEW, Right.ANSWER, Right.ACKNOWLEDGE, Right.ACT, Right.MOVE, Right.LOOK}
)
RIGHTS: Mapping[str, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right),
    Role.CITY: _SUPERVISOR | {Right.AUDIT, Right.CONNECT, Right.ADMIN},
    Role.COUNTY: _SUPERVISOR | {Right.ADMIN},
    Role.TOWN: _SUPERVISOR,
    Role.GRID: frozenset({Right.VIEW, Right.ANSWER, Right.ACKNOWLEDGE}),
    Role.OPERATOR: frozenset({Right.VIEW, Right.ANSWER, Right.MOVE, Right.LOOK}),
    Role.AUDITOR: frozenset({Right.VIEW, Right.AUDIT}),
}
"""The table of rights. The public has no role: what it may see asks for no right."""


class Roled(Protocol):
    """Whoever has a role."""

    @property
    def role(self) -> Role: ...


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
    if officer.role != Role.OPERATOR:
        return Scope(below)
    # An operator without an establishment sees nothing.
    own = officer.establishment_id or ""
    places = frozenset(site.id for site in sites.of_establishment(conn, own))
    return Scope(below, own, places)


def only_recipient(officer: Officer) -> str | None:
    """The one recipient whose notifications the officer may see; None: those of everybody."""
    return officer.id if officer.role == Role.OPERATOR else None


def may(officer: Roled, right: Right) -> bool:
    """Whether the officer's role has the right; a role that is not listed has none."""
    return right in RIGHTS.get(str(officer.role), frozenset())


def grants(own: Roled, role: Role) -> bool:
    """Whether somebody may give this role to others: never a right that they lack themselves."""
    return RIGHTS[role] <= RIGHTS.get(str(own.role), frozenset())
