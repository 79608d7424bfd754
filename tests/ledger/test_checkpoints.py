"""The ledger's log is moved beside its transactions, as far as readers allow."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.checkpoint import checkpoint_until
from ledger import cursors, migrate
from ledger.checkpoints import Checkpoints
from ledger.engine import Engine, LedgerDown, open_engine, writing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def engine(file: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{file}")
    migrate.upgrade(engine)
    yield engine
    engine.dispose()


def write(engine: Engine, upto: int) -> None:
    for position in range(upto):
        with writing(engine) as conn:
            cursors.set(conn, "one", position + 1)


def position_in(copied: Path) -> int:
    """Of the database file alone, its log left behind."""
    conn = sqlite3.connect(copied)
    try:
        return int(conn.execute("SELECT position FROM cursors WHERE name = 'one'").fetchone()[0])
    finally:
        conn.close()


def test_what_was_moved_stands_in_the_database_file(
    engine: Engine, file: Path, tmp_path: Path
) -> None:
    checkpoints = Checkpoints(engine)
    write(engine, 5)
    moved = checkpoints.look_once()
    assert moved is not None
    assert moved.moved == moved.pages > 0
    assert not moved.begun_anew
    alone = tmp_path / "alone.sqlite"
    alone.write_bytes(file.read_bytes())
    assert position_in(alone) == 5
    checkpoints.close()


def test_who_reads_an_old_state_keeps_the_log_and_is_not_disturbed(
    engine: Engine, file: Path
) -> None:
    checkpoints = Checkpoints(engine, begin_anew_bytes=0)
    write(engine, 1)
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    seen = "SELECT position FROM cursors WHERE name = 'one'"
    assert reader.execute(seen).fetchone() == (1,)
    write(engine, 9)
    held = checkpoints.look_once()
    assert held is not None
    assert held.moved < held.pages
    assert not held.begun_anew
    assert reader.execute(seen).fetchone() == (1,)
    reader.execute("COMMIT")
    free = checkpoints.look_once()
    assert free is not None
    assert free.moved == free.pages
    assert free.begun_anew
    reader.close()
    checkpoints.close()


def test_a_long_log_is_begun_anew(engine: Engine, file: Path) -> None:
    checkpoints = Checkpoints(engine, begin_anew_bytes=100_000)
    log = Path(f"{file}-wal")
    checkpoints.look_once()  # what making the tables wrote
    longest = 0
    for _ in range(20):
        write(engine, 20)
        longest = max(longest, log.stat().st_size)
        checkpoints.look_once()
    assert longest < 400_000
    assert log.stat().st_size < 400_000
    checkpoints.close()


def test_the_thread_moves_until_it_is_stopped(
    engine: Engine, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.checkpoint.EVERY_S", 0.01)
    looked = threading.Event()
    whole = Checkpoints.look_once

    def look_once(self: Checkpoints) -> object:
        found = whole(self)
        looked.set()
        return found

    monkeypatch.setattr(Checkpoints, "look_once", look_once)
    stop = threading.Event()
    thread = threading.Thread(target=checkpoint_until, args=(engine, stop))
    thread.start()
    try:
        write(engine, 3)
        for _ in range(2):  # the second look began after the last write
            looked.clear()
            assert looked.wait(20)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    alone = tmp_path / "alone.sqlite"
    alone.write_bytes(file.read_bytes())
    assert position_in(alone) == 3


def test_a_file_that_is_no_database_is_trouble_not_an_end(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(b"no database at all" * 300)
    checkpoints = Checkpoints(open_engine(f"sqlite:///{file}"))
    with pytest.raises(LedgerDown, match=r"ledger\.sqlite"):
        checkpoints.look_once()
    file.unlink()
    assert checkpoints.look_once() is None


def test_postgresql_moves_its_own(tmp_path: Path) -> None:
    engine = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert Checkpoints(engine).look_once() is None
    stop = threading.Event()
    stop.set()
    checkpoint_until(engine, stop)
