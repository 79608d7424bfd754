"""Which numbered events have been taken in: one set of ranges per agent and epoch.

`claim` is what makes redelivery harmless and lets several gateways share a subscription: it is
atomic with the transaction it runs in, and of two gateways that claim the same number exactly one
gets it.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, select

from contracts.sequences import RangeSet
from contracts.topics import Identity
from ledger.bulk import to_json, write_rows
from ledger.schema import intake
from ledger.sql import among, insert_into

LARGEST = 2**53 - 1
"""The largest sequence number: what every JSON reader takes for an integer."""
EPOCH_LENGTH = 128

Key = tuple[Identity, str]
"""An agent and the epoch of its numbering."""


class Progress(msgspec.Struct, frozen=True):
    """How far one agent's epoch has been taken in."""

    agent: Identity
    epoch: str
    highest: int
    missing: int
    """How many numbers below `highest` have not come."""
    lowest_gap: int
    """The smallest number that has not come (``highest + 1`` without gaps)."""


def claim(conn: Connection, agent: Identity, epoch: str, sequences: Sequence[int]) -> set[int]:
    """Those of `sequences` that were not yet taken in; they count as taken in from now on.

    Raises ValueError for a number out of range and for an unusable name of an epoch.
    """
    return claim_all(conn, {(agent, epoch): sequences})[agent, epoch]


def claim_all(conn: Connection, wanted: Mapping[Key, Iterable[int]]) -> dict[Key, set[int]]:
    """`claim` for many agents at once. Do this first in a transaction, and once.

    Rows are locked in one order, so that two gateways with overlapping batches don't block each
    other for good.
    """
    asked = {key: sorted(set(numbers)) for key, numbers in wanted.items()}
    for (agent, epoch), numbers in asked.items():
        if not 0 < len(epoch) <= EPOCH_LENGTH:
            raise ValueError(f"{agent.source}: epoch {epoch[:80]!r} is empty or too long")
        if numbers and not 0 < numbers[0] <= numbers[-1] <= LARGEST:
            raise ValueError(f"{agent.source} epoch {epoch}: sequence out of range")
    held = _lock(conn, sorted(key for key, numbers in asked.items() if numbers))
    fresh: dict[Key, set[int]] = {}
    changed = []
    for key, numbers in asked.items():
        known = held.get(key)
        new = known.add_new(numbers) if known is not None else []
        fresh[key] = set(new)
        if new and known is not None:
            agent, epoch = key
            changed.append((to_json(known.ranges()), agent.site, agent.device, epoch))
    if changed:
        write_rows(conn, _UPDATE_SQLITE, _UPDATE_POSTGRESQL, changed)
    return fresh


_CLAIMED = select(intake.c.site, intake.c.agent, intake.c.epoch, intake.c.ranges).where(
    among(intake.c.site, "sites"), among(intake.c.epoch, "epochs")
)


def claimed(conn: Connection, keys: Iterable[Key]) -> dict[Key, RangeSet]:
    """What was taken in of these agents' epochs; empty sets for what is not known."""
    wanted = {(agent.site, agent.device, epoch): (agent, epoch) for agent, epoch in keys}
    found = {key: RangeSet() for key in wanted.values()}
    given = {
        "sites": [site for site, _, _ in wanted],
        "epochs": [epoch for _, _, epoch in wanted],
    }
    for site, agent, epoch, ranges in conn.execute(_CLAIMED, given):
        if (key := wanted.get((site, agent, epoch))) is not None:
            found[key] = RangeSet(map(tuple, ranges))
    return found


def progress(conn: Connection) -> list[Progress]:
    """How far every agent's epochs have come, by agent."""
    found = select(intake).order_by(intake.c.region, intake.c.site, intake.c.agent, intake.c.epoch)
    made = []
    for row in conn.execute(found):
        ranges = RangeSet(tuple(pair) for pair in row.ranges)
        gaps = ranges.gaps()
        highest = ranges.ranges()[-1][1] if row.ranges else 0
        made.append(
            Progress(
                agent=Identity(row.region, row.site, row.agent),
                epoch=row.epoch,
                highest=highest,
                missing=sum(last - first + 1 for first, last in gaps),
                lowest_gap=gaps[0][0] if gaps else highest + 1,
            )
        )
    return made


_UPDATE_SQLITE = "UPDATE intake SET ranges = ? WHERE site = ? AND agent = ? AND epoch = ?"
_UPDATE_POSTGRESQL = """
UPDATE intake SET ranges = new.ranges
FROM unnest(%s::jsonb[], %s::text[], %s::text[], %s::text[]) AS new (ranges, site, agent, epoch)
WHERE intake.site = new.site AND intake.agent = new.agent AND intake.epoch = new.epoch
"""
_LOCK_SQLITE = """
SELECT site, agent, epoch, ranges FROM intake WHERE (site, agent, epoch) IN (
  SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
  FROM json_each(?))
"""
_LOCK_POSTGRESQL = """
SELECT intake.site, intake.agent, intake.epoch, intake.ranges FROM intake
JOIN unnest(%s::text[], %s::text[], %s::text[]) AS wanted (site, agent, epoch)
ON intake.site = wanted.site AND intake.agent = wanted.agent AND intake.epoch = wanted.epoch
ORDER BY intake.site, intake.agent, intake.epoch FOR UPDATE OF intake
"""


def _lock(conn: Connection, keys: Sequence[Key]) -> dict[Key, RangeSet]:
    held = _read_locked(conn, keys)
    missing = [key for key in keys if key not in held]
    if missing:
        rows = [
            {"site": a.site, "agent": a.device, "epoch": e, "region": a.region, "ranges": []}
            for a, e in missing
        ]
        conn.execute(insert_into(conn, intake).on_conflict_do_nothing(), rows)
        held |= _read_locked(conn, missing)
    return held


def _read_locked(conn: Connection, keys: Sequence[Key]) -> dict[Key, RangeSet]:
    """The ranges held under `keys`, locked in one order."""
    if not keys:
        return {}
    wanted = {(agent.site, agent.device, epoch): (agent, epoch) for agent, epoch in keys}
    if conn.dialect.name == "postgresql":
        columns = tuple(list(column) for column in zip(*wanted, strict=True))
        rows = [tuple(row) for row in conn.exec_driver_sql(_LOCK_POSTGRESQL, columns)]
    else:
        found = conn.exec_driver_sql(_LOCK_SQLITE, (to_json(list(wanted)),))
        rows = [(*row[:3], msgspec.json.decode(row[3])) for row in found]
    return {
        wanted[site, agent, epoch]: RangeSet(map(tuple, ranges))
        for site, agent, epoch, ranges in rows
    }
