"""A disk that is full, a file that another holds: it is said plainly, and nothing typed is lost."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from fake_city import until
from room_parts import Opened, Place, ask

from edge_agent.outbox.encoding import Lane
from edge_agent.room.words import OUTBOX, SAID, Refusal


@contextmanager
def full(connection: sqlite3.Connection) -> Iterator[None]:
    """The disk takes no further page of this file."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


@contextmanager
def held(connection: sqlite3.Connection) -> Iterator[None]:
    """Another program holds the file, longer than anybody waits."""
    connection.execute("PRAGMA busy_timeout = 20")
    (_, _, path) = connection.execute("PRAGMA database_list").fetchone()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def fill(opened: Opened, prefix: str) -> dict[str, object]:
    """Register until it is refused; the last answer."""
    for count in range(400):
        body = {"submit_id": f"{prefix}-{count:04d}", "product": "菜心", "note": "x" * 1500}
        status, _, said = ask(opened.room.port(), "/api/samples", body)
        if status != 200:
            assert status == 503, "a page keeps what is answered by a 5xx, and asks again"
            return {**said, **body}
    raise AssertionError("it was never full")


@pytest.mark.parametrize("how", [full, held])
def test_a_room_that_cannot_be_written_says_so_until_it_can(place: Place, how: object) -> None:
    opened = place.open()
    port = opened.serve()
    with how(opened.room.store._db):  # type: ignore[operator]
        said = fill(opened, "abcdef")
        assert (said["zh"], said["en"]) == SAID[Refusal.DISK]
        told = ask(port, "/api/state")[2]
        assert told["trouble"]["zh"] == said["zh"] and "room.sqlite" in told["trouble"]["detail"]
        assert said["submit_id"] not in str(told), "nothing half done"
        assert "room.sqlite" in opened.room.trouble()
        known = len(opened.room.store.samples_since(0))
    body = {"submit_id": said["submit_id"], "product": "菜心", "note": said["note"]}
    assert ask(port, "/api/samples", body)[0] == 200, "the same again, once there is room"
    told = ask(port, "/api/state")[2]
    assert (told["trouble"], len(told["samples"])) == (None, known + 1)
    assert opened.room.trouble() == ""
    opened.close()


@pytest.mark.parametrize("how", [full, held])
def test_an_outbox_that_cannot_be_written_stops_no_registration(place: Place, how: object) -> None:
    opened = place.open()
    port = opened.serve()
    with how(opened.outbox._writer):  # type: ignore[operator]
        for count in range(30):
            body = {"submit_id": f"abcdef-{count:04d}", "product": "菜心", "note": "x" * 2000}
            assert ask(port, "/api/samples", body)[0] == 200
        until(opened.room.trouble)
        told = ask(port, f"/api/state?known={opened.desk.version}")[2]
        assert (told["trouble"]["zh"], told["trouble"]["en"]) == OUTBOX
        assert "outbox" in told["trouble"]["detail"] and "outbox" in opened.room.trouble()
    until(lambda: not opened.room.trouble())
    assert len(opened.outbox.above(Lane.ALARM, 0, 100)) == 30, "each once"
    assert ask(port, "/api/state")[2]["trouble"] is None
    opened.close()
