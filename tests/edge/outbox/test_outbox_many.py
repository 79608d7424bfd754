"""The outbox after weeks without a network: as quick with a million rows as with a thousand."""

import sqlite3
import statistics
import time
from pathlib import Path

import pytest
from facts import AGENT, FakeClock, readings, result

from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.schema import key_of
from edge_agent.outbox.store import Outbox
from edge_agent.uplink.lanes import LaneCursor


def fill(path: Path, rows: int) -> None:
    """Put rows beside the outbox's back: the real way would take minutes of fsync."""
    with Outbox(path, AGENT, FakeClock()) as outbox:
        outbox.put([readings()])
        (event,) = outbox.above(Lane.READING, 0, 1)
    connection = sqlite3.connect(path)
    numbers = ((key_of(1, n), 0.0, event.topic, event.payload) for n in range(2, rows + 1))
    connection.executemany("INSERT INTO events VALUES (?, 2, 0, ?, ?, ?)", numbers)
    connection.commit()
    connection.close()


def milliseconds(outbox: Outbox) -> dict[str, float]:
    """The median time of each everyday operation."""
    took: dict[str, list[float]] = {}

    def timed(name: str, began: float) -> None:
        took.setdefault(name, []).append((time.perf_counter() - began) * 1000)

    cursor = LaneCursor(Lane.READING)
    for number in range(15):
        began = time.perf_counter()
        outbox.put([result(number)])
        timed("put", began)
        began = time.perf_counter()
        block = cursor.next_block(outbox, 64)
        outbox.below(Lane.ALARM, None, 64)
        timed("take", began)
        began = time.perf_counter()
        outbox.remove([(block[0].key, block[-1].key)])
        timed("remove", began)
        began = time.perf_counter()
        outbox.state()
        timed("state", began)
    return {name: statistics.median(times) for name, times in took.items()}


@pytest.mark.slow
def test_a_long_backlog_slows_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "small.sqlite", 2_000)
    fill(tmp_path / "large.sqlite", 400_000)
    with Outbox(tmp_path / "small.sqlite", AGENT, FakeClock()) as outbox:
        small = milliseconds(outbox)
    began = time.perf_counter()
    with Outbox(tmp_path / "large.sqlite", AGENT, FakeClock()) as outbox:
        assert time.perf_counter() - began < 3
        large = milliseconds(outbox)
    for name in small:
        assert large[name] < 5 * small[name] + 5, (name, small, large)


def test_no_everyday_query_scans_the_table(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    fill(path, 10)
    connection = sqlite3.connect(path)
    queries = [
        "SELECT key, lane, topic, payload FROM events "
        "WHERE lane = 2 AND key > 5 ORDER BY key LIMIT 9",
        "SELECT key, lane, topic, payload FROM events "
        "WHERE lane = 0 AND key < 5 ORDER BY key DESC LIMIT 9",
        "SELECT key, thin, topic FROM events INDEXED BY events_to_thin "
        "WHERE lane = 2 ORDER BY thin, key LIMIT 1000",
        "SELECT key FROM events WHERE key BETWEEN 1 AND 9 ORDER BY key LIMIT 2000",
    ]
    for query in queries:
        plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}"))
        assert "TEMP B-TREE" not in plan, plan
        assert "SEARCH" in plan or "USING INDEX events_to_thin" in plan, plan
    connection.close()
