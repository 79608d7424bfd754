"""Named positions in the journal: how far each follower has come."""

from sqlalchemy import Connection, select

from ledger.schema import cursors
from ledger.sql import insert_into


def get(conn: Connection, name: str) -> int:
    """The position kept under `name`; 0 if none is."""
    return conn.scalar(select(cursors.c.position).where(cursors.c.name == name)) or 0


def set(conn: Connection, name: str, position: int) -> None:
    """Keep `position` under `name`."""
    statement = insert_into(conn, cursors).values(name=name, position=position)
    statement = statement.on_conflict_do_update(
        index_elements=["name"], set_={"position": position}
    )
    conn.execute(statement)
