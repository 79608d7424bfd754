"""The alert desk's content: which alerts a filter shows, the line of each, and the counts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from contracts.topics import Identity
from contracts.words import OPEN_STATES, AlertState, Severity
from ledger import alerts, devices, establishments, evidence, officers, regions, sites
from ledger.alerts import AlertRow
from ledger.engine import Connection
from server.access import Scope

PAGE = 25
_CHUNK = 200
PICTURE_LATE_S = 90.0
"""A picture travels beside its observation; after this long, pages stop looking for it."""
STATES: dict[str, tuple[AlertState, ...]] = {
    "open": OPEN_STATES,
    "firing": (AlertState.FIRING,),
    "acknowledged": (AlertState.ACKNOWLEDGED,),
    "resolved": (AlertState.RESOLVED,),
    "closed": (AlertState.CLOSED,),
}


class DeskFilter(msgspec.Struct, frozen=True):
    """What the desk shows; kept in the page's address."""

    state: str = "open"
    severity: Severity | None = None

    def shows(self, alert: AlertRow) -> bool:
        """Whether an alert belongs on the list."""
        fits = self.severity is None or alert.severity is self.severity
        return fits and alert.state in STATES[self.state]

    def query(self, **changed: str | None) -> str:
        """The address's query with some parts changed; what is the default is left out."""
        parts = {
            "state": self.state,
            "class": str(int(self.severity)) if self.severity else None,
        } | changed
        kept = [f"{name}={value}" for name, value in parts.items() if value and value != "open"]
        return "?" + "&".join(kept) if kept else ""


class AlertLine(msgspec.Struct, frozen=True):
    """An alert with the names that its line shows."""

    alert: AlertRow
    place: str
    """The establishment's name, or the site's if it belongs to none."""
    region_zh: str
    region_en: str
    device: str
    officer: str
    """Who acknowledged or closed it."""
    picture: str | None
    """Id of the best picture that has arrived."""
    pictures_due: bool
    """Pictures are announced, but none has arrived yet."""

    def waits(self, now: datetime) -> bool:
        """Whether its picture can still be expected any moment, so that a page looks again."""
        return self.pictures_due and (now - self.alert.changed_at).total_seconds() < PICTURE_LATE_S

    @property
    def figure(self) -> tuple[str, str] | None:
        """Value and unit that the rule saw, for a line without a picture."""
        value, unit = self.alert.facts.get("value"), self.alert.facts.get("unit", "")
        if value is None or value == "":
            return None
        return (f"{value:g}" if isinstance(value, float) else str(value)[:8], str(unit))


class Names:
    """Names by id, each looked up once."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._known: dict[tuple[str, Any], Any] = {}

    def _get(self, kind: str, key: Any, find: Any) -> Any:
        if (kind, key) not in self._known:
            self._known[kind, key] = find(self._conn, key)
        return self._known[kind, key]

    def region(self, code: str) -> tuple[str, str]:
        """A region's Chinese and English name."""
        found = self._get("region", code, regions.get)
        return (found.name_zh, found.name_en) if found else (code, code)

    def place(self, establishment_id: str | None, site: str) -> str:
        """An establishment's name, or the site's."""
        if establishment_id is not None:
            found = self._get("establishment", establishment_id, establishments.get)
            if found:
                return str(found.name)
        return self.site(site)

    def site(self, site: str) -> str:
        """A site's name."""
        found = self._get("site", site, sites.get)
        return str(found.name) if found else site

    def device(self, who: Identity) -> str:
        """A device's name."""
        found = self._get("device", who, devices.get)
        return str(found.name) if found and found.name else who.device

    def officer(self, officer_id: str | None) -> str:
        """An officer's name."""
        found = self._get("officer", officer_id, officers.get) if officer_id else None
        return str(found.name) if found else ""


def alert_lines(conn: Connection, rows: Iterable[AlertRow]) -> list[AlertLine]:
    """The lines of these alerts."""
    names = Names(conn)
    return [_line(conn, names, row) for row in rows]


def _line(conn: Connection, names: Names, row: AlertRow) -> AlertLine:
    zh, en = names.region(row.region)
    pictures = (
        evidence.for_observation(conn, row.observation_id, row.site) if row.observation_id else []
    )
    best = evidence.best_of(pictures)
    return AlertLine(
        alert=row,
        place=names.place(row.establishment_id, row.site),
        region_zh=zh,
        region_en=en,
        device=names.device(Identity(row.region, row.site, row.device)),
        officer=names.officer(row.closed_by or row.acknowledged_by),
        picture=best.evidence_id if best else None,
        pictures_due=bool(row.evidence) and not pictures,
    )


def find_alerts(
    conn: Connection, scope: Scope, wanted: DeskFilter, before: str | None = None, limit: int = PAGE
) -> tuple[list[AlertRow], bool]:
    """Alerts that the filter shows, newest first, and whether there are more after them."""
    found: list[AlertRow] = []
    while True:
        rows = alerts.list_in(
            conn,
            scope.listed,
            STATES[wanted.state],
            _CHUNK if wanted.severity else limit + 1,
            before,
            establishment_id=scope.establishment_id,
        )
        found.extend(row for row in rows if wanted.shows(row))
        if len(found) > limit:
            return found[:limit], True
        if len(rows) < (_CHUNK if wanted.severity else limit + 1):
            return found, False
        before = rows[-1].alert_id


class Tally(msgspec.Struct, frozen=True):
    """How many alerts: by state within the chosen class, by class among the open ones."""

    open: int
    firing: int
    acknowledged: int
    resolved: int
    closed: int
    class1: int
    class2: int
    class3: int
    all: int
    """Open ones of every class."""
    waiting: int
    """Firing ones of every class: what nobody has taken on."""


Counted = Sequence[tuple[Severity, AlertState, int]]


def count_alerts(conn: Connection, scope: Scope) -> Counted:
    """Alerts in the scope by class and state."""
    if scope.establishment_id is None:
        return [(one.severity, one.state, one.count) for one in alerts.counts(conn, scope.listed)]
    rows = alerts.list_in(conn, scope.listed, None, 1000, establishment_id=scope.establishment_id)
    return [(row.severity, row.state, 1) for row in rows]


def tally(counted: Counted, severity: Severity | None = None) -> Tally:
    """The numbers that the desk shows."""

    def total(states: Sequence[AlertState], of: Severity | None) -> int:
        return sum(
            count for one, state, count in counted if state in states and (of is None or one is of)
        )

    return Tally(
        open=total(OPEN_STATES, severity),
        firing=total([AlertState.FIRING], severity),
        acknowledged=total([AlertState.ACKNOWLEDGED], severity),
        resolved=total([AlertState.RESOLVED], severity),
        closed=total([AlertState.CLOSED], severity),
        class1=total(OPEN_STATES, Severity.AT_ONCE),
        class2=total(OPEN_STATES, Severity.DEADLINE),
        class3=total(OPEN_STATES, Severity.GUIDANCE),
        all=total(OPEN_STATES, None),
        waiting=total([AlertState.FIRING], None),
    )
