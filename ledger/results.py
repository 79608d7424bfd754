"""Results of quick tests 快检结果, each with the bytes it was read from."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select, tuple_

from contracts.events import TestResult
from contracts.names import name_key
from contracts.topics import Identity
from contracts.words import Verdict
from ledger import journal, sample_links
from ledger.ids import fact_id
from ledger.schema import results
from ledger.sql import insert_into, typed, typed_or_none


class NewResult(msgspec.Struct, frozen=True):
    """A test result as it was taken in."""

    who: Identity
    agent: str
    """Device id of the agent that numbered the event."""
    epoch: str
    sequence: int
    event_id: str
    result: TestResult
    received_at: datetime

    @property
    def result_id(self) -> str:
        """The row's id: follows from who, epoch and sequence."""
        return fact_id(self.who, self.epoch, self.sequence)


class ResultRow(msgspec.Struct, frozen=True):
    """A stored result. `raw` is left empty in lists; `get` fills it."""

    number: int
    result_id: str
    region: str
    site: str
    device: str
    agent: str
    epoch: str
    sequence: int
    event_id: str
    establishment_id: str | None
    sample_id: str | None
    received_at: datetime
    captured_at: datetime
    measured_at: datetime | None
    measured_text: str
    clock_offset_s: float | None
    sample_number: str
    sample_name: str
    sample_name_cut: bool
    stall: str
    lot: str
    supplier: str
    origin: str
    item: str
    item_code: str
    value_text: str
    value_number: float | None
    comparator: str
    unit: str
    qualitative: str
    verdict: Verdict
    limit_text: str
    rule: str
    instrument_verdict: str
    operator: str
    flags: tuple[str, ...]
    record_number: int | None
    channel: int | None
    profile_id: str
    profile_version: str
    raw_sha256: str
    raw: bytes = b""


def add(conn: Connection, rows: Sequence[NewResult]) -> None:
    """Store results and note each in the journal; one that is already stored is left alone.

    Raises LedgerRefused for a device that is not registered.
    """
    if not rows:
        return
    before = sample_links.before(
        conn, {row.who.site for row in rows}, [row.result_id for row in rows]
    )  # fmt: skip
    numbered = [(row.who.site, row.result.sample.number) for row in rows]
    known = sample_links.by_number(conn, [pair for pair in numbered if pair[1]])
    made = []
    for new, pair in zip(rows, numbered, strict=True):
        site = new.who.site
        sample_id = before.named.get((site, new.result_id))
        sample_id = sample_id or sample_links.meant(known.get(pair), new.agent)
        made.append(_row(new, before.owners.get(site), sample_id))
    statement = insert_into(conn, results).on_conflict_do_nothing()
    stored = set(conn.scalars(statement.returning(results.c.result_id), made))
    for row in made:
        if row["result_id"] in stored:
            stored.discard(row["result_id"])
            journal.append(
                conn,
                journal.RESULT,
                at=row["received_at"],
                region=row["region"],
                site=row["site"],
                ref=row["result_id"],
                body={name: row[name] for name in _JOURNALED},
            )


def get(conn: Connection, result_id: str) -> ResultRow | None:
    """The result of that id, with its raw bytes."""
    row = conn.execute(select(results).where(results.c.result_id == result_id)).one_or_none()
    return typed_or_none(row, ResultRow)


def for_establishment(
    conn: Connection, establishment_id: str, limit: int = 50, before: str | None = None
) -> list[ResultRow]:
    """An establishment's results, newest capture first; `before`: the last result_id seen."""
    query = _listed().where(results.c.establishment_id == establishment_id)
    return _page(conn, query, limit, before)


def list_in(
    conn: Connection, regions: Sequence[str], limit: int = 50, before: str | None = None
) -> list[ResultRow]:
    """Results in `regions`, newest capture first; `before`: the last result_id seen."""
    return _page(conn, _listed().where(results.c.region.in_(regions)), limit, before)


def sites_with(
    conn: Connection, regions: Sequence[str], since: datetime, until: datetime
) -> set[str]:
    """Sites of `regions` with a result captured from `since` up to `until`."""
    found = select(results.c.site).where(
        results.c.region.in_(regions),
        results.c.captured_at >= since,
        results.c.captured_at <= until,
    )
    return set(conn.scalars(found.distinct()))


_JOURNALED = (
    "device",
    "establishment_id",
    "item",
    "item_code",
    "sample_name",
    "value_text",
    "unit",
    "verdict",
    "captured_at",
)


def _listed() -> Select[Any]:
    return select(*(column for column in results.c if column.name != "raw"))


def _page(conn: Connection, query: Select[Any], limit: int, before: str | None) -> list[ResultRow]:
    place = (results.c.captured_at, results.c.number)
    if before is not None:
        last = conn.execute(select(*place).where(results.c.result_id == before)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*place) < tuple_(*last))
    query = query.order_by(*(column.desc() for column in place)).limit(limit)
    return [typed(row, ResultRow) for row in conn.execute(query)]


def _row(new: NewResult, establishment_id: str | None, sample_id: str | None) -> dict[str, Any]:
    result = new.result
    sample, value = result.sample, result.value
    return {
        "result_id": new.result_id,
        "region": new.who.region,
        "site": new.who.site,
        "device": new.who.device,
        "agent": new.agent,
        "epoch": new.epoch,
        "sequence": new.sequence,
        "event_id": new.event_id,
        "establishment_id": establishment_id,
        "sample_id": sample_id,
        "received_at": new.received_at,
        "captured_at": result.captured_at,
        "measured_at": result.measured_at,
        "measured_text": result.measured_text,
        "clock_offset_s": result.clock_offset_s,
        "sample_number": sample.number,
        "sample_name": sample.name,
        "sample_name_cut": sample.name_cut,
        "stall": sample.stall,
        "lot": sample.lot,
        "supplier": sample.supplier,
        "origin": sample.origin,
        "item": result.item,
        "item_code": result.item_code,
        "value_text": value.text,
        "value_number": value.number,
        "comparator": value.comparator,
        "unit": value.unit,
        "qualitative": value.qualitative,
        "verdict": result.verdict.value,
        "limit_text": result.limit_text,
        "rule": result.rule,
        "instrument_verdict": result.instrument_verdict,
        "operator": result.operator,
        "flags": list(result.flags),
        "record_number": result.record_number,
        "channel": result.channel,
        "profile_id": result.profile.id,
        "profile_version": result.profile.version,
        "raw": result.raw.content,
        "raw_sha256": result.raw.sha256,
        "product_key": name_key(sample.name),
        "lot_key": name_key(sample.lot),
        "supplier_key": name_key(sample.supplier),
    }
