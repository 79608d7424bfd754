"""What became of a stall: registered, changed, closed and opened again; its room is told.

Each is written in the transaction that does it and never changed; who did it, the audit chain says.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, select

from ledger import journal
from ledger.schema import sites, stall_events, stalls
from ledger.sql import among_these, typed

EventKind = Literal["registered", "changed", "retired", "brought_back"]
KINDS: tuple[EventKind, ...] = ("registered", "changed", "retired", "brought_back")


class NewEvent(msgspec.Struct, frozen=True):
    """What is to be noted. `body` has the cells `before` and `after`, of what changed only."""

    stall_id: str
    kind: EventKind
    body: dict[str, Any] = {}


class StallEvent(msgspec.Struct, frozen=True):
    """A step of a stall's history."""

    at: datetime
    kind: EventKind
    body: dict[str, Any]


def note(conn: Connection, events: Sequence[NewEvent], at: datetime) -> None:
    """Write events, and note in the journal at which sites stalls have changed."""
    if not events:
        return
    conn.execute(
        stall_events.insert(), [msgspec.structs.asdict(one) | {"at": at} for one in events]
    )
    ids = {one.stall_id for one in events}
    asked = (
        select(sites.c.id, sites.c.region)
        .join(stalls, stalls.c.site == sites.c.id)
        .where(among_these(stalls.c.id, ids))
        .distinct()
    )
    for row in conn.execute(asked):
        journal.append(
            conn, journal.STALL, at=at, region=row.region, site=row.id, ref=row.id, body={}
        )


def history(conn: Connection, stall_id: str, limit: int = 50) -> list[StallEvent]:
    """The newest steps of a stall, the newest first."""
    found = select(stall_events).where(stall_events.c.stall_id == stall_id)
    found = found.order_by(stall_events.c.id.desc()).limit(limit)
    return [typed(row, StallEvent) for row in conn.execute(found)]
