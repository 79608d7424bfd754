"""What each testing room's agent works with: composed from stalls, products, suppliers, tasks.

A book has a new revision when its content is another; it is stored before it is published, so that
a gateway that dies in between leaves it to the next one. Where a room has left its topic (its site
moved, or it is a room no more), the book that is retained there is to be cleared: that is kept in
the same transaction, until the broker has done it.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, func, select, update

from contracts.names import name_key
from contracts.products import Products
from contracts.room import BookProduct, BookStall, BookTask, RoomBook
from contracts.topics import Identity
from ledger import tasks
from ledger.devices import DeviceKind
from ledger.schema import devices, room_books, samples, sites, stalls
from ledger.schema import room_books_gone as gone_table
from ledger.sites import ROOM_KINDS
from ledger.sql import among_these, insert_into, replacing, typed
from ledger.tasks import Task

LEARNT = timedelta(days=180)
"""Stalls and suppliers of samples that are not older are in the book."""
MOST_STALLS = 1000
MOST_SUPPLIERS = 300
MOST_TASKS = 100
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class KeptBook(msgspec.Struct, frozen=True):
    """A room's book as it is stored for one agent."""

    site: str
    agent: str
    region: str
    revision: int
    digest: str
    content: bytes
    """The book, as JSON."""
    made_at: datetime
    published: int = 0
    """The revision that the broker has acknowledged."""

    @property
    def who(self) -> Identity:
        """Whose it is."""
        return Identity(self.region, self.site, self.agent)

    @property
    def book(self) -> RoomBook:
        """The same, read."""
        return msgspec.json.decode(self.content, type=RoomBook)


def rooms(conn: Connection, only: Collection[str] | None = None) -> list[Any]:
    """Sites in use that test, with the agents that stand there: rows of site and agent."""
    found = (
        select(sites.c.id, sites.c.region, sites.c.name, devices.c.device)
        .join(devices, devices.c.site == sites.c.id)
        .where(
            devices.c.kind == DeviceKind.AGENT.value,
            devices.c.retired_at.is_(None),
            sites.c.retired_at.is_(None),
            sites.c.kind.in_(ROOM_KINDS),
        )
    )
    if only is not None:
        found = found.where(among_these(sites.c.id, sorted(only)))
    return list(conn.execute(found.order_by(sites.c.id, devices.c.device)))


def compose(
    conn: Connection,
    found: Sequence[Any],
    products: Products,
    given: Sequence[Task],
    now: datetime,
) -> list[KeptBook]:
    """The books of these rooms (rows of `rooms`) with the tasks that reach them; not stored yet."""
    ids = sorted({row.id for row in found})
    known = _stalls(conn, ids, now - LEARNT)
    suppliers = _suppliers(conn, ids, now - LEARNT)
    reach = tasks.reaches(conn, ids)
    goods = tuple(
        BookProduct(one.name, one.group, one.note_zh, one.note_en) for one in products.all
    )
    made = []
    for row in found:
        own = [one for one in given if reach[row.id].covered_by(one, row.id)][:MOST_TASKS]
        book = RoomBook(
            revision=1,
            made_at=_EPOCH,
            site_name_zh=row.name,
            site_name_en=row.name,
            stalls=tuple(known.get(row.id, ())),
            products=goods,
            suppliers=tuple(suppliers.get(row.id, ())),
            tasks=tuple(map(_task, own)),
        )
        content = msgspec.json.encode(book)
        digest = hashlib.sha256(content).hexdigest()
        made.append(KeptBook(row.id, row.device, row.region, 1, digest, content, now))
    return made


def news(conn: Connection, made: Iterable[KeptBook]) -> list[KeptBook]:
    """Those whose content is another than what is stored, with the next revision."""
    books = list(made)
    stood = {(one.site, one.agent): one for one in of_sites(conn, {one.site for one in books})}
    found = []
    for one in books:
        before = stood.get((one.site, one.agent))
        if before is not None and (before.digest, before.region) == (one.digest, one.region):
            continue
        revision = before.revision + 1 if before is not None else 1
        told = msgspec.structs.replace(one.book, revision=revision, made_at=one.made_at)
        kept = msgspec.structs.replace(one, revision=revision, content=msgspec.json.encode(told))
        found.append(kept)
    return found


def keep(conn: Connection, books: Iterable[KeptBook]) -> None:
    """Store these revisions, which nobody has published yet; what they had elsewhere is to go."""
    new = list(books)
    if not new:
        return
    stood = {(one.site, one.agent): one for one in of_sites(conn, {one.site for one in new})}
    for one in new:
        before = stood.get((one.site, one.agent))
        if before is not None and before.region != one.region:
            _to_clear(conn, before.who)
        conn.execute(gone_table.delete().where(*_named(one.who)))
    rows = [msgspec.structs.asdict(one) for one in new]
    conn.execute(replacing(conn.dialect.name, room_books), rows)


def left(conn: Connection, found: Sequence[Any]) -> list[KeptBook]:
    """Stored books of what is no room's agent any more; `found`: all rows of `rooms`."""
    known = {(row.id, row.device) for row in found}
    asked = select(room_books).where(room_books.c.digest != "")
    stored = [typed(row, KeptBook) for row in conn.execute(asked)]
    return [one for one in stored if (one.site, one.agent) not in known]


def close(conn: Connection, books: Iterable[KeptBook]) -> None:
    """Take these out of use: they are to be cleared. Their revisions go on if they come back."""
    for one in books:
        of = (room_books.c.site == one.site, room_books.c.agent == one.agent)
        conn.execute(update(room_books).where(*of).values(digest=""))
        _to_clear(conn, one.who)


def gone(conn: Connection, limit: int) -> list[Identity]:
    """Whose retained book is to be cleared."""
    columns = (gone_table.c.region, gone_table.c.site, gone_table.c.agent)
    return [
        Identity(*row) for row in conn.execute(select(*columns).order_by(*columns).limit(limit))
    ]


def note_cleared(conn: Connection, cleared: Iterable[Identity]) -> None:
    """The broker has cleared these."""
    for who in cleared:
        conn.execute(gone_table.delete().where(*_named(who)))


def _to_clear(conn: Connection, who: Identity) -> None:
    row = {"region": who.region, "site": who.site, "agent": who.device}
    conn.execute(insert_into(conn, gone_table).values(row).on_conflict_do_nothing())


def _named(who: Identity) -> tuple[ColumnElement[bool], ...]:
    table = gone_table.c
    return table.region == who.region, table.site == who.site, table.agent == who.device


def of_sites(conn: Connection, site_ids: Collection[str]) -> list[KeptBook]:
    """What is stored for these sites."""
    found = select(room_books).where(among_these(room_books.c.site, sorted(site_ids)))
    return [typed(row, KeptBook) for row in conn.execute(found)]


def unpublished(conn: Connection, limit: int) -> list[KeptBook]:
    """Books whose newest revision no broker has acknowledged yet."""
    found = select(room_books).where(
        room_books.c.published < room_books.c.revision, room_books.c.digest != ""
    )
    found = found.order_by(room_books.c.site, room_books.c.agent).limit(limit)
    return [typed(row, KeptBook) for row in conn.execute(found)]


def note_published(conn: Connection, books: Iterable[KeptBook]) -> None:
    """The broker has these."""
    for one in books:
        of = update(room_books).where(
            room_books.c.site == one.site,
            room_books.c.agent == one.agent,
            room_books.c.published < one.revision,
        )
        conn.execute(of.values(published=one.revision))


def forget_published(conn: Connection) -> None:
    """A broker has lost its memory: all is to be published again."""
    conn.execute(update(room_books).values(published=0))


def _task(one: Task) -> BookTask:
    return BookTask(
        task_id=one.id,
        title=one.title,
        product_group=one.food_group,
        items=one.items,
        wanted=one.wanted,
        done=one.done,
        due_at=one.due_at,
        note=one.note[:2048],
    )


def _stalls(
    conn: Connection, site_ids: Sequence[str], since: datetime
) -> dict[str, list[BookStall]]:
    """Registered stalls that are not closed, and those that samples name, as far as there is room.

    Each comes with the supplier told last, else the one that it is registered with.
    """
    told = (
        select(samples.c.site, samples.c.stall, samples.c.supplier)
        .where(
            among_these(samples.c.site, site_ids),
            samples.c.registered_at >= since,
            samples.c.stall != "",
            samples.c.voided.is_(False),
        )
        .order_by(samples.c.registered_at, samples.c.id)
    )
    found: dict[str, dict[str, BookStall]] = {site: {} for site in site_ids}
    closed: set[tuple[str, str]] = set()
    registered = select(stalls).where(among_these(stalls.c.site, site_ids))
    for row in conn.execute(registered.order_by(stalls.c.label)):
        key, own = name_key(row.label), found[row.site]
        if row.retired_at is not None:
            closed.add((row.site, key))
        elif len(own) < MOST_STALLS:
            own[key] = BookStall(row.label[:128], row.name[:512], row.supplier[:512])
    for row in conn.execute(told):
        key, own = name_key(row.stall), found[row.site]
        known = own.get(key)
        if known is None:
            if (row.site, key) in closed or len(own) >= MOST_STALLS:
                continue
            known = BookStall(row.stall[:128])
        if row.supplier:
            known = msgspec.structs.replace(known, supplier=row.supplier)
        own[key] = known
    return {site: sorted(own.values(), key=lambda one: one.code) for site, own in found.items()}


def _suppliers(conn: Connection, site_ids: Sequence[str], since: datetime) -> dict[str, list[str]]:
    """Suppliers that samples name, the most usual first."""
    count = func.count()
    asked = (
        select(samples.c.site, samples.c.supplier)
        .where(
            among_these(samples.c.site, site_ids),
            samples.c.registered_at >= since,
            samples.c.supplier != "",
            samples.c.voided.is_(False),
        )
        .group_by(samples.c.site, samples.c.supplier)
        .order_by(samples.c.site, count.desc(), samples.c.supplier)
    )
    found: dict[str, list[str]] = {}
    for row in conn.execute(asked):
        own = found.setdefault(row.site, [])
        if len(own) < MOST_SUPPLIERS:
            own.append(row.supplier)
    return found
