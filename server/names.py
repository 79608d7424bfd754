"""Names by id as pages show them: of a whole list at once, or one by one."""

from collections.abc import Iterable
from typing import Any, Self

from contracts.topics import Identity
from ledger import devices, establishments, officers, regions, sites
from ledger.engine import Connection

Ids = Iterable[str | None]
_READ: dict[str, Any] = {
    "region": regions.names,
    "site": sites.names,
    "establishment": establishments.names,
    "officer": officers.names,
}


class Names:
    """Names by id, each looked up once."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._known: dict[tuple[str, Any], Any] = {}

    def look_up(
        self, *, regions: Ids = (), sites: Ids = (), establishments: Ids = (), officers: Ids = ()
    ) -> Self:
        """Read the names that will be asked for, each kind in one statement."""
        self._read("region", regions)
        self._read("site", sites)
        self._read("establishment", establishments)
        self._read("officer", officers)
        return self

    def region(self, code: str) -> tuple[str, str]:
        """A region's Chinese and English name."""
        found: tuple[str, str] | None = self._one("region", code)
        return found or (code, code)

    def place(self, establishment_id: str | None, site: str) -> str:
        """An establishment's name, or the site's."""
        found = self._one("establishment", establishment_id) if establishment_id else None
        return str(found) if found is not None else self.site(site)

    def site(self, site: str) -> str:
        """A site's name."""
        found = self._one("site", site)
        return site if found is None else str(found)

    def device(self, who: Identity) -> str:
        """A device's name."""
        found = self._get("device", who, devices.get)
        return str(found.name) if found and found.name else who.device

    def officer(self, officer_id: str | None) -> str:
        """An officer's name."""
        found = self._one("officer", officer_id) if officer_id else None
        return "" if found is None else str(found)

    def _one(self, kind: str, key: str) -> Any:
        if (kind, key) not in self._known:
            self._read(kind, [key])
        return self._known.get((kind, key))  # an empty id is nobody's

    def _read(self, kind: str, keys: Ids) -> None:
        wanted = {key for key in keys if key and (kind, key) not in self._known}
        found = _READ[kind](self._conn, wanted) if wanted else {}
        for key in wanted:
            self._known[kind, key] = found.get(key)

    def _get(self, kind: str, key: Any, find: Any) -> Any:
        if (kind, key) not in self._known:
            self._known[kind, key] = find(self._conn, key)
        return self._known[kind, key]
