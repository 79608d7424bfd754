"""What became of an establishment: registered, changed, out of use and back, its code renewed.

Each is written in the transaction that does it and never changed; who did it, the audit chain says.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from ledger.schema import establishment_events

EventKind = Literal["registered", "changed", "retired", "brought_back", "code_renewed"]


class NewEvent(msgspec.Struct, frozen=True):
    """What is to be noted. `body` has the cells `before` and `after`, of what changed only."""

    establishment_id: str
    kind: EventKind
    body: dict[str, Any] = {}


def note(conn: Connection, events: Sequence[NewEvent], at: datetime) -> None:
    """Write events; those of changes that the file does not tell of are left out."""
    rows = [
        msgspec.structs.asdict(one) | {"at": at}
        for one in events
        if one.kind != "changed" or one.body.get("after")
    ]
    if rows:
        conn.execute(establishment_events.insert(), rows)
