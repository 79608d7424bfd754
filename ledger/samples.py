"""Samples 样品: as a testing room tells them, or as they are registered here; each found again.

Of what a room tells of a sample the highest revision holds, whatever comes first and however often
(of two with one number, which no room makes, the one with the greater digest). Which results are
whose: `ledger.sample_links`.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, or_, select

from contracts.names import name_key
from contracts.room import SampleRecord
from contracts.topics import Identity
from ledger import journal, sample_links
from ledger.engine import LedgerRefused
from ledger.ids import new_id
from ledger.schema import samples
from ledger.sql import among_these, insert_into, plain, typed, typed_or_none


class RegisteredSample(msgspec.Struct, frozen=True):
    """What was taken where, as it is known now."""

    site: str
    number: str
    product: str
    registered_at: datetime
    id: str = msgspec.field(default_factory=new_id)
    stall: str = ""
    lot: str = ""
    supplier: str = ""
    origin: str = ""
    registered_by: str | None = None
    """Officer id of who registered it here."""
    agent: str = ""
    """The agent whose room told it; empty: it was registered here."""
    revision: int = 0
    certificate: str = ""
    task_id: str = ""
    operator: str = ""
    """Name of who registered it in the room."""
    note: str = ""
    voided: bool = False
    void_reason: str = ""
    received_at: datetime | None = None


class ToldSample(msgspec.Struct, frozen=True):
    """A room's word on a sample, as it was taken in."""

    who: Identity
    agent: str
    record: SampleRecord
    received_at: datetime


def add(conn: Connection, new: RegisteredSample) -> None:
    """Register one here."""
    conn.execute(samples.insert(), plain(new) | keys_of(new.product, new.lot, new.supplier))


def keys_of(product: str, lot: str, supplier: str) -> dict[str, str]:
    """The columns that names are compared by (`contracts.names`)."""
    return {
        "product_key": name_key(product),
        "lot_key": name_key(lot),
        "supplier_key": name_key(supplier),
    }


def take_in(conn: Connection, told: Sequence[ToldSample]) -> list[str]:
    """Store what is news of these samples, with their results; returns the ids that changed.

    Each change is noted in the journal. Raises LedgerRefused for a sample of another site.
    """
    newest: dict[str, tuple[ToldSample, dict[str, Any]]] = {}
    for one in told:
        row = _row(one)
        held = newest.get(row["id"])
        if held is None or _rank(held[1]) < _rank(row):
            newest[row["id"]] = (one, row)
    if not newest:
        return []
    stood = _standing(conn, sorted(newest))
    for sample_id, (one, _) in newest.items():
        if sample_id in stood and stood[sample_id].site != one.who.site:
            raise LedgerRefused(f"sample {sample_id} is of another site than {one.who.site}")
    changed = _write(conn, [row for _, row in newest.values()])
    if not changed:
        return []
    news = [newest[one][0] for one in changed]
    touched = {(one.who.site, one.record.number) for one in news}
    touched |= {(stood[one].site, stood[one].number) for one in changed if one in stood}
    loose = sample_links.replace(conn, [(one.who.site, one.record) for one in news])
    sample_links.settle(conn, results=loose, numbers=touched)
    for one in news:
        record = one.record
        tasks = {record.task_id}
        if record.sample_id in stood:
            tasks.add(stood[record.sample_id].task_id)
        journal.append(
            conn, journal.SAMPLE,
            at=one.received_at, region=one.who.region, site=one.who.site, ref=record.sample_id,
            body={"number": record.number, "tasks": sorted(tasks - {""})},
        )  # fmt: skip
    return changed


def get(conn: Connection, sample_id: str) -> RegisteredSample | None:
    """The sample of that id."""
    row = conn.execute(select(samples).where(samples.c.id == sample_id)).one_or_none()
    return typed_or_none(row, RegisteredSample)


def of_ids(conn: Connection, sample_ids: Iterable[str]) -> dict[str, RegisteredSample]:
    """The samples of these ids."""
    wanted = sorted(set(sample_ids))
    if not wanted:
        return {}
    found = select(samples).where(among_these(samples.c.id, wanted))
    return {row.id: typed(row, RegisteredSample) for row in conn.execute(found)}


def list_at(conn: Connection, site: str, limit: int = 100) -> list[RegisteredSample]:
    """A site's samples, newest first."""
    found = (
        select(samples)
        .where(samples.c.site == site)
        .order_by(samples.c.registered_at.desc(), samples.c.number.desc())
        .limit(limit)
    )
    return [typed(row, RegisteredSample) for row in conn.execute(found)]


def registered_in(
    conn: Connection, site_ids: Collection[str], since: datetime, until: datetime
) -> list[RegisteredSample]:
    """These sites' samples registered from `since` until before `until`, in that order."""
    found = (
        select(samples)
        .where(
            among_these(samples.c.site, site_ids),
            samples.c.registered_at >= since,
            samples.c.registered_at < until,
        )
        .order_by(samples.c.registered_at, samples.c.number, samples.c.id)
    )
    return [typed(row, RegisteredSample) for row in conn.execute(found)]


def _row(one: ToldSample) -> dict[str, Any]:
    record = one.record
    # Whose word it is counts among what was said: else of two agents the first one would stay.
    said = msgspec.json.encode([one.who.site, one.agent, record], order="sorted")
    return {
        "id": record.sample_id,
        "site": one.who.site,
        "number": record.number,
        "product": record.product,
        "stall": record.stall,
        "lot": record.lot,
        "supplier": record.supplier,
        "origin": record.origin,
        "registered_at": record.registered_at,
        "registered_by": None,
        "agent": one.agent,
        "revision": record.revision,
        "digest": hashlib.sha256(said).hexdigest(),
        "certificate": record.certificate,
        "task_id": record.task_id,
        "operator": record.operator,
        "note": record.note,
        "voided": record.voided,
        "void_reason": record.void_reason,
        "received_at": one.received_at,
        **keys_of(record.product, record.lot, record.supplier),
    }


def _rank(row: dict[str, Any]) -> tuple[int, str]:
    return row["revision"], row["digest"]


def _standing(conn: Connection, sample_ids: Sequence[str]) -> dict[str, Any]:
    found = select(
        samples.c.id, samples.c.site, samples.c.number, samples.c.task_id
    ).where(among_these(samples.c.id, sample_ids))  # fmt: skip
    return {row.id: row for row in conn.execute(found)}


def _write(conn: Connection, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Write those that are news; the database itself compares, whoever else writes meanwhile."""
    statement = insert_into(conn, samples)
    given = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    new, old = statement.excluded, samples.c
    newer = statement.on_conflict_do_update(
        index_elements=["id"],
        set_=given,
        where=and_(
            old.site == new.site,
            or_(
                old.revision < new.revision,
                and_(old.revision == new.revision, old.digest < new.digest),
            ),
        ),
    ).returning(samples.c.id)
    ordered = sorted(rows, key=lambda row: str(row["id"]))  # gateways lock in one order
    return sorted(conn.scalars(newer, ordered))
