"""Named positions in the journal: how far each follower has come."""

from sqlalchemy import Connection, bindparam, select

from ledger.schema import cursors
from ledger.sql import replacing

_POSITION = select(cursors.c.position).where(cursors.c.name == bindparam("of"))


def get(conn: Connection, name: str) -> int:
    """The position kept under `name`; 0 if none is."""
    return conn.scalar(_POSITION, {"of": name}) or 0


def set(conn: Connection, name: str, position: int) -> None:
    """Keep `position` under `name`."""
    kept = replacing(conn.dialect.name, cursors)
    conn.execute(kept, {"name": name, "position": position})
