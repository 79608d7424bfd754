"""Which numbered events have been taken in: one set of ranges per agent and epoch.

`claim` is what makes redelivery harmless and lets several gateways share a subscription: it is
atomic with the transaction it runs in, and of two gateways that claim the same number exactly one
gets it.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from contracts.sequences import RangeSet
from contracts.topics import Identity
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
    asked = {key: RangeSet.of(numbers) for key, numbers in wanted.items()}
    for (agent, epoch), numbers in asked.items():
        ranges = numbers.ranges()
        if not 0 < len(epoch) <= EPOCH_LENGTH:
            raise ValueError(f"{agent.source}: epoch {epoch[:80]!r} is empty or too long")
        if ranges and not 0 < ranges[0][0] <= ranges[-1][1] <= LARGEST:
            raise ValueError(f"{agent.source} epoch {epoch}: sequence out of range")
    held = _lock(conn, sorted(key for key, numbers in asked.items() if numbers.ranges()))
    fresh: dict[Key, set[int]] = {}
    changed = []
    for key, numbers in asked.items():
        known = held.get(key)
        fresh[key] = {n for n in numbers if known is not None and known.add(n)}
        if fresh[key] and known is not None:
            changed.append(_named(key) | {"new_ranges": known.ranges()})
    if changed:
        conn.execute(_UPDATE, changed)
    return fresh


def claimed(conn: Connection, keys: Iterable[Key]) -> dict[Key, RangeSet]:
    """What was taken in of these agents' epochs; empty sets for what is not known."""
    wanted = {(agent.site, agent.device, epoch): (agent, epoch) for agent, epoch in keys}
    found = {key: RangeSet() for key in wanted.values()}
    rows = select(intake.c.site, intake.c.agent, intake.c.epoch, intake.c.ranges).where(
        among(conn, intake.c.site, (site for site, _, _ in wanted)),
        among(conn, intake.c.epoch, (epoch for _, _, epoch in wanted)),
    )
    for site, agent, epoch, ranges in conn.execute(rows):
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


_UPDATE = (
    update(intake)
    .where(
        intake.c.site == bindparam("key_site"),
        intake.c.agent == bindparam("key_agent"),
        intake.c.epoch == bindparam("key_epoch"),
    )
    .values(ranges=bindparam("new_ranges"))
)


def _named(key: Key) -> dict[str, object]:
    agent, epoch = key
    return {"key_site": agent.site, "key_agent": agent.device, "key_epoch": epoch}


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
    """The ranges held under `keys`; all agents and epochs of their sites are locked."""
    if not keys:
        return {}
    wanted = {(agent.site, agent.device, epoch): (agent, epoch) for agent, epoch in keys}
    found = (
        select(intake.c.site, intake.c.agent, intake.c.epoch, intake.c.ranges)
        .where(among(conn, intake.c.site, (agent.site for agent, _ in keys)))
        .order_by(intake.c.site, intake.c.agent, intake.c.epoch)
        .with_for_update()
    )
    return {
        key: RangeSet(map(tuple, ranges))
        for site, agent, epoch, ranges in conn.execute(found)
        if (key := wanted.get((site, agent, epoch)))
    }
