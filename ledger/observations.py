"""Observations 观察: episodes that cameras saw, open first and closed later."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, or_, select, tuple_

from contracts.events import Box, ModelRef, Observation
from contracts.topics import Identity
from contracts.words import Phase
from ledger import journal
from ledger.schema import observations, sites
from ledger.sql import insert_into, typed, typed_or_none


class ObservationRow(msgspec.Struct, frozen=True):
    """A stored observation, in its latest phase."""

    number: int
    region: str
    site: str
    device: str
    observation_id: str
    establishment_id: str | None
    kind: str
    phase: Phase
    started_at: datetime
    ended_at: datetime | None
    captured_at: datetime
    received_at: datetime
    reason: str
    zone: str
    zone_kind: str
    people: int
    peak_at: datetime | None
    tracks: int
    stretches: int
    retracted: bool
    confidence: float
    boxes: tuple[Box, ...]
    models: tuple[ModelRef, ...]
    evidence: tuple[str, ...]


def put(conn: Connection, who: Identity, seen: Observation, received_at: datetime) -> bool:
    """Store an observation or its next phase; True if the book changed.

    A closed one stays closed, whatever comes late. Raises LedgerRefused for a device
    that is not registered.
    """
    row = msgspec.structs.asdict(seen) | {
        "phase": seen.phase.value,
        "boxes": msgspec.to_builtins(seen.boxes),
        "models": msgspec.to_builtins(seen.models),
        "evidence": list(seen.evidence),
        "region": who.region,
        "site": who.site,
        "device": who.device,
        "received_at": received_at,
        "establishment_id": select(sites.c.establishment_id)
        .where(sites.c.id == who.site)
        .scalar_subquery(),
    }
    statement = insert_into(conn, observations).values(row)
    kept = {"region", "site", "device", "observation_id", "establishment_id", "started_at"}
    newer = or_(
        # Open twice is news only if it was captured later; closed beats open.
        (observations.c.phase == Phase.OPEN.value)
        & (statement.excluded.phase == Phase.CLOSED.value),
        (observations.c.phase == statement.excluded.phase)
        & (observations.c.captured_at < statement.excluded.captured_at),
    )
    changed = statement.on_conflict_do_update(
        index_elements=["site", "device", "observation_id"],
        set_={name: statement.excluded[name] for name in row if name not in kept},
        where=newer,
    ).returning(observations.c.establishment_id)
    stored = conn.execute(changed).one_or_none()
    if stored is None:
        return False
    journal.append(
        conn,
        journal.OBSERVATION,
        at=received_at,
        region=who.region,
        site=who.site,
        ref=seen.observation_id,
        body={
            "device": who.device,
            "kind": seen.kind,
            "phase": seen.phase.value,
            "started_at": seen.started_at,
            "establishment_id": stored.establishment_id,
            "evidence": list(seen.evidence),
        },
    )
    return True


def get(conn: Connection, who: Identity, observation_id: str) -> ObservationRow | None:
    """One device's observation of that id."""
    found = select(observations).where(
        observations.c.site == who.site,
        observations.c.device == who.device,
        observations.c.observation_id == observation_id,
    )
    return typed_or_none(conn.execute(found).one_or_none(), ObservationRow)


def for_establishment(
    conn: Connection, establishment_id: str, limit: int = 50, before: int | None = None
) -> list[ObservationRow]:
    """An establishment's observations, newest start first; `before`: the last `number` seen."""
    query = select(observations).where(observations.c.establishment_id == establishment_id)
    return _page(conn, query, limit, before)


def touching(
    conn: Connection, establishment_id: str, since: datetime, limit: int = 20_000
) -> list[ObservationRow]:
    """An establishment's observations that began at or lasted beyond `since`, newest first."""
    query = select(observations).where(
        observations.c.establishment_id == establishment_id,
        or_(
            observations.c.started_at >= since,
            observations.c.ended_at >= since,
            observations.c.phase == Phase.OPEN.value,
        ),
    )
    return _page(conn, query, limit, None)


def list_in(
    conn: Connection, regions: Sequence[str], limit: int = 50, before: int | None = None
) -> list[ObservationRow]:
    """Observations in `regions`, newest start first; `before`: the last `number` seen."""
    return _page(
        conn, select(observations).where(observations.c.region.in_(regions)), limit, before
    )


def _page(
    conn: Connection, query: Select[Any], limit: int, before: int | None
) -> list[ObservationRow]:
    place = (observations.c.started_at, observations.c.number)
    if before is not None:
        last = conn.execute(select(*place).where(observations.c.number == before)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*place) < tuple_(*last))
    query = query.order_by(*(column.desc() for column in place)).limit(limit)
    return [typed(row, ObservationRow) for row in conn.execute(query)]
