"""The outbox after a power cut: what the disk may hold at any byte of a write, opened again.

The disk model: what was synced is there; of what was written since the last sync, any sectors may
be there and any not. The files of a real outbox are kept after every step, and mixed by the sector.
"""

import random
import sqlite3
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from facts import AGENT, FakeClock, readings, result
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.envelope import decode_envelope
from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.store import Outbox

SECTOR = 512
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""The disk is the test's own model; a real one would only slow it down."""


class Step(NamedTuple):
    """The outbox's files when a step had returned, and the numbers that wait by then."""

    database: bytes
    log: bytes
    waiting: frozenset[int]
    synced: bool
    """Puts are; removals need not be."""


def record(folder: Path, checkpoint_pages: int) -> list[Step]:
    """Puts of different sizes and removals, with the files after each."""
    path = folder / "o.sqlite"
    steps: list[Step] = []
    waiting: set[int] = set()
    given = 0
    with Outbox(path, AGENT, FakeClock(), reserve_bytes=0) as outbox:
        for connection in (outbox._writer, outbox._courier):
            connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")
        for number in range(45):
            removes = number % 4 == 3
            if removes:
                events = outbox.above(Lane.READING, 0, 3)
                outbox.remove([(event.key, event.key) for event in events])
                waiting -= {decode_envelope(event.payload).sequence for event in events}
            else:
                outbox.put([result(number), readings(1 + number * 13 % 90), readings()])
                waiting |= {given + 1, given + 2, given + 3}
                given += 3
            log = Path(f"{path}-wal").read_bytes()
            steps.append(Step(path.read_bytes(), log, frozenset(waiting), not removes))
    return steps


@pytest.fixture(scope="module")
def unmoved(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """Everything stays in the log."""
    return record(tmp_path_factory.mktemp("unmoved"), 0)


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """The log is moved into the database, and begun anew, every few steps."""
    return record(tmp_path_factory.mktemp("moved"), 12)


def reopened(database: bytes, log: bytes) -> set[int]:
    """What waits in an outbox with these files; it is sound, usable, and gives no number twice."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        path = Path(folder) / "o.sqlite"
        path.write_bytes(database)
        Path(f"{path}-wal").write_bytes(log)
        with Outbox(path, AGENT, FakeClock(), reserve_bytes=0) as outbox:
            assert not outbox.state().set_aside, "a power cut breaks no file"
            events = [*outbox.above(Lane.ALARM, 0, 1000), *outbox.above(Lane.READING, 0, 1000)]
            found = [decode_envelope(event.payload) for event in events]
            assert outbox.state().backlog == len(found)
            outbox.put([result(1000)])
            (fresh,) = outbox.below(Lane.ALARM, None, 1)
            epochs = {envelope.epoch for envelope in found}
            assert decode_envelope(fresh.payload).epoch not in epochs
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
    numbers = {envelope.sequence for envelope in found}
    assert len(numbers) == len(found)
    return numbers


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_log_cut_at_any_byte_keeps_every_put_that_had_returned(
    unmoved: list[Step], data: st.DataObject
) -> None:
    last = unmoved[-1]
    cut = data.draw(st.integers(0, len(last.log)), "cut")
    rest = data.draw(st.sampled_from([b"", bytes(SECTOR), b"\xff" * 5000]), "rest")
    whole = [step for step in unmoved if len(step.log) <= cut]
    expected = whole[-1].waiting if whole else frozenset()
    assert reopened(last.database, last.log[:cut] + rest) == expected


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_sectors_of_an_unfinished_write_lose_nothing_that_was_synced(
    moved: list[Step], data: st.DataObject
) -> None:
    at = data.draw(st.integers(1, len(moved) - 2), "step")
    before, last, after = moved[at - 1], moved[at], moved[at + 1]
    if last.synced or last.log[:32] != after.log[:32]:
        before = last  # the log was begun anew: all before it is safely in the database
    sectors = random.Random(data.draw(st.integers(0, 1 << 32), "sectors"))
    share = data.draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), "share")

    def mixed(old: bytes, new: bytes) -> bytes:
        size = max(len(old), len(new))
        old, new = old.ljust(size, b"\0"), new.ljust(size, b"\0")
        return b"".join(
            (new if sectors.random() < share else old)[place : place + SECTOR]
            for place in range(0, size, SECTOR)
        )

    if data.draw(st.booleans(), "while moving the log"):
        # The log is whole on the disk before its pages move.
        assert reopened(mixed(last.database, after.database), after.log) == after.waiting
    else:
        found = reopened(before.database, mixed(before.log, after.log))
        assert found in (before.waiting, last.waiting, after.waiting)
