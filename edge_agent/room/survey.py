"""A look at the room's file beside a running agent, for `foodsentry edge doctor`."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from contracts.room import RoomBook
from edge_agent.room.schema import open_reader


class RoomSurvey(msgspec.Struct, frozen=True):
    """What waits in a room."""

    asked: int
    """Results that somebody must say the sample of."""
    asked_since: datetime | None
    book_at: datetime | None
    """When the city made the book that the room works with; None: there is none."""


def survey_room(file: Path) -> RoomSurvey:
    """Raises sqlite3.Error or msgspec.MsgspecError for a file that cannot be read."""
    connection = open_reader(file)
    try:
        count, first = connection.execute(
            "SELECT COUNT(*), MIN(captured_at) FROM results WHERE state = 'open'"
        ).fetchone()
        row = connection.execute("SELECT value FROM notes WHERE name = 'book'").fetchone()
    finally:
        connection.close()
    since = None if first is None else datetime.fromtimestamp(first, UTC)
    book = None if row is None else msgspec.json.decode(row[0], type=RoomBook)
    return RoomSurvey(int(count), since, book.made_at if book else None)


UNREADABLE = (sqlite3.Error, msgspec.MsgspecError, OSError)
"""What `survey_room` raises."""
