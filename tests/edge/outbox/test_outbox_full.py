"""The outbox on bad ground: bounds and thinning, full, read-only and broken disks."""

import sqlite3
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from facts import AGENT, START, FakeClock, picture, readings, result

from contracts.envelope import decode
from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.store import Outbox
from edge_agent.outbox.survey import survey
from edge_agent.ports import OutboxError

pytestmark = pytest.mark.slow

MIB = 1 << 20


def test_old_readings_thin_out_by_device_and_nothing_else_does(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.sqlite", AGENT, FakeClock(), max_bytes=4 * MIB) as outbox:
        outbox.put([result(n) for n in range(100)])
        outbox.put([picture(5000)])
        put = 0
        while outbox.state().thinned < 3000:
            batch = [readings(5, device=f"probe-{n % 2}") for n in range(100)]
            outbox.put(batch)
            put += len(batch)
            assert outbox.state().used_bytes <= 4 * MIB * 0.9 + 65536
        state = outbox.state()
        left = outbox.above(Lane.READING, 0, 100_000)
        assert len(outbox.above(Lane.ALARM, 0, 1000)) == 100
        assert len(outbox.above(Lane.PICTURE, 0, 1000)) == 1
        assert len(left) == put - state.thinned
        assert state.backlog == len(left) + 101
        assert [(one.given, one.thinned) for one in state.numbering] == [(put + 101, state.thinned)]
        # oldest first: the tail is whole, the head is one in eight of each probe
        sequences = [decode(event.payload).envelope.sequence for event in left]
        head = [event for event in left if decode(event.payload).envelope.sequence < 101 + 3000]
        assert 3000 / 8 * 0.9 <= len(head) <= 3000 / 8 * 1.3
        by_probe = Counter(decode(event.payload).envelope.source for event in head)
        assert max(by_probe.values()) - min(by_probe.values()) <= 5
        assert sequences[-1000:] == list(range(sequences[-1] - 999, sequences[-1] + 1))


def test_when_all_is_thin_the_oldest_go_and_new_readings_are_still_taken(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.sqlite", AGENT, FakeClock(), max_bytes=MIB) as outbox:
        for _ in range(200):
            outbox.put([readings(5) for _ in range(100)])
        state = outbox.state()
        assert state.thinned + state.backlog == 20_000
        assert state.used_bytes <= MIB * 0.9 + 65536
        assert outbox.state().failing == ""
    with Outbox(tmp_path / "o.sqlite", AGENT, FakeClock(), max_bytes=MIB) as outbox:
        assert outbox.state().thinned == state.thinned  # counted for good


def test_at_the_bound_test_results_have_the_last_tenth_and_then_an_error(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.sqlite", AGENT, FakeClock(), max_bytes=MIB) as outbox:
        put = 0
        with pytest.raises(OutboxError, match=r"bound of 1 MiB \(outbox\.max_mb\)"):
            while True:
                outbox.put([result(put)])
                put += 1
        assert "bound" in outbox.state().failing
        with pytest.raises(OutboxError, match="bound for readings"):
            outbox.put([readings()])
        events = outbox.above(Lane.ALARM, 0, 100_000)
        assert len(events) == put
        outbox.remove([(events[0].key, events[99].key)])  # receipts make room
        outbox.put([result(put)])
        assert outbox.state().failing == ""
        assert outbox.state().backlog == put - 99


def test_a_full_disk_refuses_loses_nothing_and_recovers(small_disk: Path) -> None:
    path = small_disk / "o.sqlite"
    with Outbox(path, AGENT, FakeClock()) as outbox:
        put = 0
        with pytest.raises(OutboxError, match="disk is full"):
            while True:
                outbox.put([picture(100_000)])
                put += 1
        assert put > 50
        for _ in range(3):
            with pytest.raises(OutboxError, match="disk is full"):
                outbox.put([picture(100_000)])
        events = outbox.above(Lane.PICTURE, 0, 1000)
        assert [decode(e.payload).envelope.sequence for e in events] == list(range(1, put + 1))
        # Receipts still get in, thanks to the reserve, until there is room for a put again.
        for event in events[: put // 2]:
            assert outbox.remove([(event.key, event.key)]) == 1
        outbox.put([picture(100_000)])  # its number follows without a gap
        (last,) = outbox.below(Lane.PICTURE, None, 1)
        assert decode(last.payload).envelope.sequence == put + 1
        assert outbox.state().failing == ""
        assert outbox.state().backlog == put + 1 - put // 2


def test_on_a_disk_that_others_fill_receipts_still_get_in(small_disk: Path) -> None:
    path = small_disk / "o.sqlite"
    with Outbox(path, AGENT, FakeClock()) as outbox:
        for _ in range(40):
            outbox.put([picture(100_000)])
        with (small_disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError):
            while True:
                ballast.write(bytes(65536))
        with pytest.raises(OutboxError, match="disk is full"):
            for _ in range(100):
                outbox.put([picture(100_000)])
        events = outbox.above(Lane.PICTURE, 0, 1000)
        assert outbox.remove([(events[0].key, events[-1].key)]) == len(events)
        assert outbox.state().backlog == 0
        (small_disk / "ballast").unlink()
        outbox.put([result(1)])
        assert outbox.state().failing == ""


def test_a_full_disk_at_the_first_start_is_said(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(24 * MIB - 8192))
    with pytest.raises(OutboxError, match=r"disk is full|cannot be opened|disk fails"):
        Outbox(small_disk / "o.sqlite", AGENT, FakeClock())


def test_a_disk_that_turns_read_only_refuses_and_the_doctor_still_reads(small_disk: Path) -> None:
    path = small_disk / "o.sqlite"
    with Outbox(path, AGENT, FakeClock()) as outbox:
        outbox.put([result(1)])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(OutboxError, match="cannot be opened: Read-only file system"):
        Outbox(path, AGENT, FakeClock())
    assert survey(path).state.backlog == 1
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    with Outbox(path, AGENT, FakeClock()) as outbox:
        outbox.put([result(2)])
        assert outbox.state().backlog == 2


def test_a_file_that_may_not_be_written_refuses_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with Outbox(path, AGENT, FakeClock()) as outbox:
        outbox.put([result(1)])
        outbox._writer.execute("PRAGMA query_only = ON")  # what a read-only database answers
        with pytest.raises(OutboxError, match="is read-only"):
            outbox.put([result(2)])
        assert "read-only" in outbox.state().failing
        outbox._writer.execute("PRAGMA query_only = OFF")
        outbox.put([result(2)])
        assert outbox.state().backlog == 2


@pytest.mark.parametrize("broken", ["garbage", "torn"])
def test_a_broken_file_is_set_aside_and_never_thrown_away(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "o.sqlite"
    with Outbox(path, AGENT, FakeClock()) as outbox:
        outbox.put([result(n) for n in range(200)])
    content = path.read_bytes()
    path.write_bytes(bytes(len(content)) if broken == "garbage" else content[:4096] + bytes(60_000))
    if broken == "garbage":
        path.write_bytes(b"not a database at all" * 1000)
    with Outbox(path, AGENT, FakeClock(START)) as outbox:
        state = outbox.state()
        assert state.set_aside.endswith("o.sqlite.broken-20260302T010000")
        assert Path(state.set_aside).exists()
        outbox.put([result(1)])
        assert outbox.state().backlog == 1


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OutboxError, match="format 99 is not known"):
        Outbox(path, AGENT, FakeClock())
    with pytest.raises(OutboxError, match="format 99"):  # and the lock was given back
        Outbox(path, AGENT, FakeClock())
