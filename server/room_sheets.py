"""The day sheet 日报表 and the public notice 检测结果公示 of a testing room, for page and paper."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from contracts.words import Verdict
from ledger import establishments, room_days, sites
from ledger.engine import Connection
from ledger.room_days import RoomDay
from ledger.sites import Site, SiteKind
from server.access import Scope
from server.formats import clock_time, exact, local, unit
from server.languages import Words
from server.pdf import Document, Heading, Part, Table, Text
from server.problems import Problem, not_found
from server.signing import Visit

EARLIEST = date(2000, 1, 1)


class RoomFile(msgspec.Struct, frozen=True):
    """A room's day with its names."""

    site: Site
    market: str
    """The establishment's name, or the site's."""
    day: RoomDay


class RoomLine(msgspec.Struct, frozen=True):
    """A room on the list, with today's numbers."""

    file: RoomFile
    region: str

    @property
    def raised(self) -> int:
        """Results above a limit or in doubt."""
        return self.file.day.count(Verdict.POSITIVE) + self.file.day.count(Verdict.SUSPECT)


def rooms_in(conn: Connection, scope: Scope) -> list[Site]:
    """The testing rooms and vans that somebody sees."""
    return [
        one
        for one in sites.list_in(conn, scope.listed)
        if one.kind is not SiteKind.CANTEEN and scope.covers_site(one.region, one.id)
    ]


def visible_room(conn: Connection, visit: Visit, site_id: str) -> Site:
    """The site, if this officer can see it. Raises Problem (404)."""
    found = sites.get(conn, site_id)
    if found is None or not visit.scope.covers_site(found.region, found.id):
        raise not_found("site")
    return found


def day_of(text: str, now: datetime) -> date:
    """A day of an address; empty: today in China. Raises Problem (422)."""
    if not text:
        return local(now).date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not EARLIEST <= day <= date(2199, 12, 31):
        raise Problem(422, "invalid-request", "day: write it as 2026-03-02")
    return day


def read_room(conn: Connection, site: Site, day: date) -> RoomFile:
    """A room's day."""
    (file,) = read_rooms(conn, [site], day)
    return file


def read_rooms(conn: Connection, found: Sequence[Site], day: date) -> list[RoomFile]:
    """Rooms' days, in their order: as many statements as for one."""
    owners = establishments.names(conn, {one.establishment_id or "" for one in found} - {""})
    days = room_days.read_all(conn, {one.id: one.region for one in found}, day)
    return [
        RoomFile(one, owners.get(one.establishment_id or "", one.name), days[one.id])
        for one in found
    ]


def day_sheet(file: RoomFile, words: Words, now: datetime) -> Document:
    """The day sheet for paper."""
    t, day = words, file.day
    rows = [
        (
            clock_time(line.test.at)[:5] if line.test else "–",
            line.number,
            line.stall,
            line.product,
            " ".join(filter(None, (line.supplier, line.lot))),
            line.test.item if line.test else "",
            value_of(line.test.value_text, line.test.unit) if line.test else "",
            said(t, line.voided, line.test.verdict if line.test else None),
            line.operator,
        )
        for line in day.lines
    ]
    marked = {
        row
        for row, line in enumerate(day.lines)
        if line.test is not None and line.test.verdict in room_days.RAISED and not line.voided
    }
    columns = {
        t("room.at"): 0.7, t("sample.number"): 1.3, t("sample.stall"): 0.8,
        t("sample.name"): 1.2, t("room.source"): 1.8, t("sample.item"): 1.4,
        t("tests.value"): 0.9, t("tests.verdict"): 1.2, t("sample.operator"): 0.9,
    }  # fmt: skip
    about = [f"{day.day.isoformat()} · {file.site.name}", *figures_of(day, t)]
    title = t("room.day.title", name=file.market)
    parts: list[Part] = [
        Heading(title, 1),
        *(Text(line, quiet=True) for line in about),
        Table(list(columns), rows, list(columns.values()), frozenset(marked)),
        Text(t("room.screen")),
        Text(t("room.signed")),
    ]
    return Document(title, parts, t("room.made", at=exact(now)), wide=True)


def notice_sheet(file: RoomFile, words: Words, now: datetime) -> Document:
    """The public notice for paper: no person, no supplier."""
    t, told = words, file.day.notices
    rows = [
        (
            one.stall or "–",
            one.product or "–",
            one.item,
            value_of(one.value, one.unit),
            t("room.notice.raised" if one.raised else "room.notice.passed"),
            clock_time(one.at)[:5],
        )
        for one in told
    ]
    columns = {
        t("sample.stall"): 0.9, t("sample.name"): 1.4, t("sample.item"): 1.6,
        t("tests.value"): 1, t("room.notice.result"): 1.4, t("room.at"): 0.8,
    }  # fmt: skip
    notes = [t("room.notice.say"), t("room.notice.ask")]
    if file.site.self_test:
        notes.insert(1, t("room.notice.self"))
    marked = frozenset(row for row, one in enumerate(told) if one.raised)
    parts: list[Part] = [
        Heading(t("room.notice.title"), 1),
        Text(f"{file.market} · {file.day.day.isoformat()}", quiet=True),
        Text(notice_sum(file.day, t), quiet=True),
        Table(list(columns), rows, list(columns.values()), marked)
        if told
        else Text(t("room.notice.none")),
        *map(Text, notes),
    ]
    return Document(t("room.notice.title"), parts, t("room.made", at=exact(now)))


def figures_of(day: RoomDay, t: Words) -> list[str]:
    """The day's numbers in words; the parts add up to the whole."""
    told, taken = day.figures, day.samples
    return [
        t("room.sum.samples", n=taken["all"], tested=taken["tested"], untested=taken["untested"],
          voided=taken["voided"]),
        t("room.sum.results", n=told["results"], passed=told["pass"], positive=told["positive"],
          suspect=told["suspect"], invalid=told["invalid"], none=told["none"],
          voided=told["voided"]),
    ]  # fmt: skip


def notice_sum(day: RoomDay, t: Words) -> str:
    """How many of the public lines passed, how many wait to be confirmed."""
    raised = sum(one.raised for one in day.notices)
    total = len(day.notices)
    return t("room.notice.sum", n=total, passed=total - raised, raised=raised)


def said(t: Words, voided: bool, verdict: Verdict | None) -> str:
    """What a line of the day sheet says of its result."""
    if verdict is None:
        return t("room.voided" if voided else "room.untested")
    word = t("room.verdict." + verdict.value)
    return f"{word} ({t('room.voided')})" if voided else word


def value_of(text: str, code: str) -> str:
    """A value with its unit, once."""
    sign = unit(code)
    return f"{text} {sign}" if sign and sign not in text else text
