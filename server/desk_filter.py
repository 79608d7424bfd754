"""What the desk shows: the filter that stands in the page's address, read, written, said back."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from contracts.words import OPEN_STATES, AlertState, Severity
from ledger import regions
from ledger.alert_search import Sought
from ledger.alert_types import AlertRow
from ledger.engine import Connection
from ledger.responsibility import mine
from ledger.sites import SiteKind
from server.access import Scope
from server.formats import SHANGHAI
from server.signing import Visit

STATES: dict[str, tuple[AlertState, ...]] = {
    "open": OPEN_STATES,
    "firing": (AlertState.FIRING,),
    "acknowledged": (AlertState.ACKNOWLEDGED,),
    "disposing": (AlertState.DISPOSING,),
    "reviewed": (AlertState.REVIEWED,),
    "resolved": (AlertState.RESOLVED,),
    "closed": (AlertState.CLOSED,),
}
TEXT_LENGTH = 64
_WORD_LENGTH = 128


class DeskFilter(msgspec.Struct, frozen=True):
    """What the desk shows; kept in the page's address. Empty: whatever."""

    state: str = "open"
    severity: Severity | None = None
    region: str = ""
    """Code of a region: it and all below it."""
    rule: str = ""
    kind: str = ""
    """Kind of site."""
    site: str = ""
    device: str = ""
    """Site and device, ``site/device``."""
    overdue: bool = False
    mine: bool = False
    text: str = ""
    since: date | None = None
    until: date | None = None
    """Raised on these days of China's calendar, both included."""

    @property
    def plain(self) -> bool:
        """Whether an alert alone tells if it is shown: no more than state and class are asked."""
        return self == DeskFilter(self.state, self.severity)

    @property
    def grouped(self) -> bool:
        """Whether repeated alerts of one rule and site stand in one line."""
        return self.state != "closed" and not (self.site and self.rule) and not self.device

    def shows(self, alert: AlertRow) -> bool:
        """Whether an alert belongs on the list, as far as state and class go."""
        fits = self.severity is None or alert.severity is self.severity
        return fits and alert.state in STATES[self.state]

    @property
    def parts(self) -> dict[str, str]:
        """What stands in the address, in a fixed order; what is the default is left out."""
        told = {
            "state": "" if self.state == "open" else self.state,
            "class": str(int(self.severity)) if self.severity else "",
            "region": self.region,
            "rule": self.rule,
            "kind": self.kind,
            "site": self.site,
            "device": self.device,
            "overdue": "1" if self.overdue else "",
            "mine": "1" if self.mine else "",
            "q": self.text,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: value for name, value in told.items() if value}

    def query(self, **changed: str | None) -> str:
        """The address's query with some parts changed; None takes one out."""
        told = self.parts | changed
        kept = {name: value for name in (*NAMES, "before") if (value := told.get(name))}
        if kept.get("state") == "open":
            del kept["state"]
        return "?" + urlencode(kept) if kept else ""

    @property
    def narrowed(self) -> dict[str, str]:
        """The parts that stand as chips: all but state and class, which stand elsewhere."""
        return {name: one for name, one in self.parts.items() if name in NARROWING}


class Trouble(msgspec.Struct, frozen=True):
    """A part of the address that names nothing valid; it is left out, and said."""

    name: str
    value: str


class Asked(msgspec.Struct, frozen=True):
    """What an address asks for, and what of it cannot be."""

    wanted: DeskFilter
    troubles: tuple[Trouble, ...] = ()


def read_filter(told: Mapping[str, str], scope: Scope) -> Asked:
    """The filter that an address names. What is not valid is left out and becomes a Trouble."""
    made: dict[str, Any] = {}
    troubles = []
    for name, (field, read) in _READERS.items():
        value = told.get(name, "").strip()
        if not value:
            continue
        try:
            if not value.isprintable() or len(value) > _WORD_LENGTH:
                raise ValueError("not printable, or too long")
            made[field] = read(value, scope)
        except ValueError:
            troubles.append(Trouble(name, value[:40]))
    if made.get("since") and made.get("until") and made["since"] > made["until"]:
        troubles.append(Trouble("until", str(made.pop("until"))))
    return Asked(DeskFilter(**made), tuple(troubles))


def sought_of(conn: Connection, visit: Visit, wanted: DeskFilter, now: datetime) -> Sought:
    """The filter as the ledger looks for it, within what the officer may see."""
    scope = visit.scope
    codes = scope.regions
    if wanted.region:
        codes = codes & frozenset(regions.subtree(conn, wanted.region))
    site, _, device = wanted.device.partition("/")
    return Sought(
        regions=tuple(sorted(codes)),
        now=now,
        states=STATES[wanted.state],
        severity=wanted.severity,
        establishment_id=scope.establishment_id,
        rule=wanted.rule,
        site=site or wanted.site,
        site_kind=wanted.kind,
        device=device,
        overdue=wanted.overdue,
        mine=mine(conn, visit.officer, sorted(codes), now) if wanted.mine else None,
        text=wanted.text,
        since=_midnight(wanted.since) if wanted.since else None,
        until=_midnight(wanted.until) + timedelta(days=1) if wanted.until else None,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _one_of(*known: str) -> Any:
    def read(value: str, _scope: Scope) -> str:
        if value not in known:
            raise ValueError(value)
        return value

    return read


def _severity(value: str, _scope: Scope) -> Severity:
    return Severity(int(value))


def _region(value: str, scope: Scope) -> str:
    # One outside is not told apart from one that does not exist.
    if value not in scope.regions:
        raise ValueError(value)
    return value


def _word(value: str, _scope: Scope) -> str:
    return value


def _device(value: str, _scope: Scope) -> str:
    site, slash, device = value.partition("/")
    if not (site and slash and device):
        raise ValueError(value)
    return value


def _flag(value: str, _scope: Scope) -> bool:
    if value != "1":
        raise ValueError(value)
    return True


def _text(value: str, _scope: Scope) -> str:
    if len(value) > TEXT_LENGTH:
        raise ValueError(value)
    return value


def _day(value: str, _scope: Scope) -> date:
    found = date.fromisoformat(value)
    if not 2000 <= found.year <= 2999:
        raise ValueError(value)
    return found


_READERS: dict[str, tuple[str, Any]] = {
    "state": ("state", _one_of(*STATES)),
    "class": ("severity", _severity),
    "region": ("region", _region),
    "rule": ("rule", _word),
    "kind": ("kind", _one_of(*SiteKind)),
    "site": ("site", _word),
    "device": ("device", _device),
    "overdue": ("overdue", _flag),
    "mine": ("mine", _flag),
    "q": ("text", _text),
    "since": ("since", _day),
    "until": ("until", _day),
}
"""Name in the address → field, and how it is read."""
NAMES = tuple(_READERS)
"""What an address may name."""
NARROWING = tuple(name for name in NAMES if name not in ("state", "class"))
"""What stands as a chip."""
