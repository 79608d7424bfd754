"""Which results are whose: what a room says of its samples, and what a number says by itself.

A result's sample follows from what is stored, and not from what came first:

* a sample that names the result has it; of several (an operator moved it, and of two samples one is
  still to come) the one that took it last;
* else the one sample of its site with the result's number, that is not voided, if it was told by
  another agent than the result, or registered here. What an agent told of its own samples and its
  own results is its word: where it names none, it means none.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    literal_column,
    null,
    or_,
    select,
    type_coerce,
    union_all,
    update,
)

from contracts.room import SampleRecord
from ledger.columns import UtcTime
from ledger.schema import results, sample_results, samples, sites
from ledger.sql import among, among_these, chunks, insert_into

Number = tuple[str, str]
"""A site and a sample's number."""
_PART = 2000


class Before(msgspec.Struct, frozen=True):
    """What stands before results are written."""

    owners: dict[str, str | None]
    """Establishments by site."""
    named: dict[tuple[str, str], str]
    """Samples that name results, by site and result: of several, who took it last."""


_BEFORE = union_all(
    select(
        sites.c.id.label("key"),
        sites.c.establishment_id.label("value"),
        type_coerce(null(), UtcTime()).label("at"),
        literal_column("''").label("site"),
    ).where(among(sites.c.id, "sites")),
    select(
        sample_results.c.result_id,
        sample_results.c.sample_id,
        sample_results.c.at,
        sample_results.c.site,
    ).where(among(sample_results.c.result_id, "results")),
)


def before(conn: Connection, site_ids: Collection[str], result_ids: Collection[str]) -> Before:
    """The sites' establishments, and the samples that came before their results: one question."""
    owners: dict[str, str | None] = {}
    told = []
    for row in conn.execute(_BEFORE, {"sites": site_ids, "results": result_ids}):
        if row.at is None:
            owners[row.key] = row.value
        else:
            told.append((row.at, row.value, row.site, row.key))
    return Before(owners, {(site, key): value for _, value, site, key in sorted(told)})


def by_number(conn: Connection, wanted: Iterable[Number]) -> dict[Number, tuple[str, str]]:
    """Sample and its agent for those numbers that one sample in use has, and only one."""
    numbers = sorted(set(wanted))
    found: dict[Number, list[tuple[str, str]]] = {}
    for part in chunks(numbers, 1000):
        asked = set(part)
        query = select(samples.c.site, samples.c.number, samples.c.id, samples.c.agent).where(
            among_these(samples.c.site, sorted({site for site, _ in part})),
            among_these(samples.c.number, sorted({number for _, number in part})),
            samples.c.voided.is_(False),
        )
        for row in conn.execute(query):
            if (row.site, row.number) in asked:
                found.setdefault((row.site, row.number), []).append((row.id, row.agent))
    return {number: told[0] for number, told in found.items() if len(told) == 1}


def replace(conn: Connection, told: Sequence[tuple[str, SampleRecord]]) -> set[str]:
    """Store which results these samples have now; returns all that they have, or had before."""
    ids = sorted(record.sample_id for _, record in told)
    held = select(sample_results.c.result_id).where(among_these(sample_results.c.sample_id, ids))
    touched = set(conn.scalars(held))
    conn.execute(delete(sample_results).where(among_these(sample_results.c.sample_id, ids)))
    rows = {
        (record.sample_id, one.result_id): {
            "sample_id": record.sample_id,
            "result_id": one.result_id,
            "site": site,
            "device": one.device,
            "how": one.how.value,
            "at": one.at,
            "by": one.by,
        }
        for site, record in told
        for one in record.attached
    }
    if rows:
        # One that is named twice in a record counts as it stands last in it.
        conn.execute(insert_into(conn, sample_results), list(rows.values()))
    return touched | {result_id for _, result_id in rows}


def settle(
    conn: Connection, *, results: Collection[str] = (), numbers: Collection[Number] = ()
) -> int:
    """Give these results, and those with these numbers, the sample that they have now.

    Returns how many had another. Those that are not here yet find theirs when they come.
    """
    found: dict[str, Any] = {}
    for part in chunks(sorted(results), _PART):
        found |= _rows(conn, among_these(_R.c.result_id, part))
    for few in chunks(sorted(set(numbers)), _PART):
        asked = set(few)
        sites = sorted({site for site, _ in few})
        same = _R.c.sample_number
        told = among_these(same, sorted({number for _, number in few if number}))
        rows = _rows(conn, among_these(_R.c.site, sites), told)
        found |= {key: row for key, row in rows.items() if (row.site, row.sample_number) in asked}
    named = _named(conn, found)
    known = by_number(conn, {(row.site, row.sample_number) for row in found.values()} - {("", "")})
    moved = []
    for result_id, row in sorted(found.items()):
        sample_id = named.get((row.site, result_id))
        if sample_id is None and row.sample_number:
            sample_id = meant(known.get((row.site, row.sample_number)), row.agent)
        if sample_id != row.sample_id:
            moved.append({"of": result_id, "to": sample_id})
    if moved:
        of = _R.c.result_id == bindparam("of")
        conn.execute(update(_R).where(of).values(sample_id=bindparam("to")), moved)
    return len(moved)


def meant(sample: tuple[str, str] | None, agent: str) -> str | None:
    """The sample that a number means to a result that came by `agent`."""
    return None if sample is None or sample[1] == agent else sample[0]


def unsettled(conn: Connection, since: datetime) -> tuple[set[str], set[Number]]:
    """Results, and numbers, of samples that came since then, whose results may want settling.

    For two gateways of which one took in the sample while the other took in its result: neither
    saw what the other had not committed.
    """
    told = (
        select(_R.c.result_id)
        .join(sample_results, sample_results.c.result_id == _R.c.result_id)
        .join(samples, samples.c.id == sample_results.c.sample_id)
        .where(
            samples.c.received_at >= since,
            sample_results.c.site == _R.c.site,
            or_(_R.c.sample_id.is_(None), _R.c.sample_id != samples.c.id),
        )
    )
    loose = set(conn.scalars(told))
    numbered = (
        select(samples.c.site, samples.c.number)
        .join(_R, (_R.c.site == samples.c.site) & (_R.c.sample_number == samples.c.number))
        .where(samples.c.received_at >= since, _R.c.sample_id.is_(None))
        .where(_R.c.sample_number != "", _R.c.agent != samples.c.agent)
    )
    return loose, {(row.site, row.number) for row in conn.execute(numbered.distinct())}


_R = results


def _rows(conn: Connection, *conditions: Any) -> dict[str, Any]:
    asked = select(
        _R.c.result_id, _R.c.site, _R.c.agent, _R.c.sample_number, _R.c.sample_id
    ).where(*conditions)  # fmt: skip
    return {row.result_id: row for row in conn.execute(asked)}


def _named(conn: Connection, result_ids: Collection[str]) -> dict[tuple[str, str], str]:
    """The samples that name these results, by site and result: of several, who took it last."""
    named: dict[tuple[str, str], str] = {}
    told = sample_results
    for part in chunks(sorted(result_ids), _PART):
        asked = (
            select(told.c.site, told.c.result_id, told.c.sample_id)
            .where(among_these(told.c.result_id, part))
            .order_by(told.c.at, told.c.sample_id)
        )
        named |= {(row.site, row.result_id): row.sample_id for row in conn.execute(asked)}
    return named
