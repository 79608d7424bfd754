"""The audit trail as its page and its file show it: who did what to what, in an officer's sight."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from ledger import audit, officers, regions
from ledger.audit import AuditEntry, Filter
from ledger.engine import Connection, Engine, reading
from ledger.officers import Officer
from server.formats import SHANGHAI
from server.signing import Visit

LARGEST_FILE = 200_000
"""Entries in one file at most; a narrower period gives the rest."""
_PART = 1000
_HASH = re.compile(r"[0-9a-f]{64}")
COLUMNS = (
    "id", "at", "actor", "login", "action", "subject", "region", "detail", "previous_hash", "hash",
)  # fmt: skip
PAGES = {
    "alert": "/alerts/",
    "case": "/cases/",
    "establishment": "/establishments/",
    "officer": "/admin/people/",
    "proposal": "/worth/proposals/",
}
"""A subject's first word → the page that shows it."""


class AuditFilter(msgspec.Struct, frozen=True):
    """What somebody looks for; what is empty asks for nothing."""

    who: str = ""
    """A login, or an actor as it stands in the trail."""
    action: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None
    """The last day that counts."""

    def query(self, **more: object) -> str:
        """As an address's query, with a question mark where there is anything."""
        told: dict[str, object] = {
            "who": self.who,
            "action": self.action,
            "subject": self.subject,
            "from": self.since or "",
            "to": self.until or "",
        } | more
        told = {name: one for name, one in told.items() if one}
        return f"?{urlencode(told)}" if told else ""

    def told(self) -> dict[str, Any]:
        """As an audit entry says it."""
        return {name: one for name, one in msgspec.to_builtins(self).items() if one}


class AuditLine(msgspec.Struct, frozen=True):
    """An entry with what a reader knows things by."""

    entry: AuditEntry
    name: str
    """The actor's name; empty if it is no officer."""
    login: str
    region: tuple[str, str]
    """Names in Chinese and English."""
    details: list[tuple[str, str]]

    @property
    def page(self) -> str:
        """Where the subject is shown; empty if there is no such page."""
        kind, _, rest = self.entry.subject.partition("/")
        return PAGES[kind] + rest if kind in PAGES and rest and "/" not in rest else ""


def wanted_of(conn: Connection, visit: Visit, asked: AuditFilter) -> Filter:
    """What the ledger is asked for: never more than the officer's subtree."""
    known = officers.by_login(conn, asked.who) if asked.who else None
    return Filter(
        regions=visit.scope.listed,
        nowhere=visit.region.parent is None,
        actor=known.id if known else asked.who,
        action=asked.action,
        subject=asked.subject,
        since=_begins(asked.since) if asked.since else None,
        until=_begins(asked.until + timedelta(days=1)) if asked.until else None,
    )


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def find_lines(
    conn: Connection, visit: Visit, asked: AuditFilter, limit: int, before: int | None
) -> tuple[list[AuditLine], bool]:
    """A page of the trail, newest first, and whether more follows."""
    found = audit.entries(conn, limit + 1, before, wanted_of(conn, visit, asked))
    named = {one.code: (one.name_zh, one.name_en) for one in regions.all_regions(conn)}
    people = officers.those(conn, {one.actor for one in found})
    return [_line(one, people.get(one.actor), named) for one in found[:limit]], len(found) > limit


def _line(one: AuditEntry, who: Officer | None, named: dict[str, tuple[str, str]]) -> AuditLine:
    detail: dict[str, Any] = msgspec.json.decode(one.detail)
    return AuditLine(
        entry=one,
        name=who.name if who else "",
        login=who.login if who else "",
        region=named.get(one.region or "", ("", "")),
        details=[(key, _plain(value)) for key, value in detail.items() if value not in ("", None)],
    )


def _plain(value: object) -> str:
    told = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"{told[:12]}…" if _HASH.fullmatch(told) else told


def file_parts(engine: Engine, wanted: Filter) -> Iterator[bytes]:
    """The entries as CSV with a byte order mark, newest first, read in parts."""
    yield b"\xef\xbb\xbf" + _rows([COLUMNS])
    logins: dict[str, str] = {}
    before: int | None = None
    for _ in range(LARGEST_FILE // _PART):
        with reading(engine) as conn:
            found = audit.entries(conn, _PART, before, wanted)
            actors = {one.actor for one in found} - logins.keys()
            people = officers.those(conn, actors)
        logins |= {one: people[one].login if one in people else "" for one in actors}
        if not found:
            return
        yield _rows([_cells(one, logins[one.actor]) for one in found])
        before = found[-1].id


def _cells(one: AuditEntry, login: str) -> tuple[str, ...]:
    told = (
        str(one.id), one.at.isoformat(), one.actor, login, one.action, one.subject,
        one.region or "", one.detail, one.previous_hash, one.hash,
    )  # fmt: skip
    marks = ("=", "+", "-", "@", "\t")  # a spreadsheet takes such a cell for a formula
    return tuple(f"'{cell}" if cell.startswith(marks) else cell for cell in told)


def _rows(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
