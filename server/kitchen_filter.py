"""What the wall of kitchens shows, kept in the page's address."""

from urllib.parse import urlencode

import msgspec

from ledger import regions
from ledger.engine import Connection
from ledger.kitchens import TROUBLE, CameraState, Sought
from server.problems import not_found
from server.signing import Visit

SHOWN = ("", "trouble", *(state.value for state in CameraState))
"""What may be asked for: everything, what somebody has to see to, or one state."""
LOW_PERCENT = 80
"""Below this share of its meals' minutes a camera counts as seldom proven live."""


class KitchenFilter(msgspec.Struct, frozen=True):
    """What somebody looks for; what is empty asks for nothing."""

    region: str = ""
    show: str = ""
    words: str = ""
    low: bool = False
    """Only cameras that were seldom proven live this week."""

    def query(self, **changed: object) -> str:
        """As an address's query, with some parts changed; with a question mark if not empty."""
        told: dict[str, object] = {
            "region": self.region,
            "show": self.show,
            "q": self.words,
            "low": "1" if self.low else "",
        }
        kept = {name: value for name, value in (told | changed).items() if value}
        return f"?{urlencode(kept)}" if kept else ""

    @property
    def states(self) -> tuple[CameraState, ...]:
        """The states that are shown; empty: any."""
        if self.show == "trouble":
            return TROUBLE
        return tuple(one for one in CameraState if one.value == self.show)


def sought_of(conn: Connection, visit: Visit, wanted: KitchenFilter, *, plain: bool) -> Sought:
    """What the ledger is asked for; `plain`: everything of the region, whatever else is wanted.

    Raises Problem (404) for a region out of the officer's sight.
    """
    codes = visit.scope.regions
    if wanted.region:
        if wanted.region not in codes:
            raise not_found("region")
        codes = frozenset(regions.subtree(conn, wanted.region)) & codes
    own = visit.scope.sites
    within = Sought(tuple(sorted(codes)), None if own is None else tuple(sorted(own)))
    if plain:
        return within
    return msgspec.structs.replace(
        within,
        states=wanted.states,
        words=wanted.words,
        low_percent=LOW_PERCENT if wanted.low else 0,
    )
