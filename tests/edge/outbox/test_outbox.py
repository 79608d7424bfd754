"""The outbox as its users see it: what it stores, in which order it gives, when a row leaves."""

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from facts import AGENT, START, FakeClock, observation, picture, readings, result

from contracts.envelope import MAX_PAYLOAD_BYTES, decode
from contracts.topics import Identity
from contracts.words import Phase
from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.schema import epoch_and_sequence, key_of
from edge_agent.outbox.store import Outbox
from edge_agent.outbox.survey import survey
from edge_agent.ports import Fact, FactRefused, OutboxError


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite", AGENT, FakeClock()) as made:
        yield made


def everything(outbox: Outbox) -> list[tuple[Lane, int]]:
    events = [event for lane in Lane for event in outbox.above(lane, 0, 10_000)]
    return [(event.lane, epoch_and_sequence(event.key)[1]) for event in events]


def test_a_put_is_stored_in_order_with_the_whole_payload(outbox: Outbox) -> None:
    outbox.put([result(7), readings(3)])
    outbox.put([observation("o1", Phase.OPEN), picture()])
    events = [event for lane in Lane for event in outbox.above(lane, 0, 10)]
    read = {decode(event.payload).envelope.sequence: event for event in events}
    assert sorted(read) == [1, 2, 3, 4]
    first = decode(read[1].payload)
    assert first.envelope.id == f"{first.envelope.epoch}-1"
    assert (first.envelope.agent, first.envelope.source) == ("agent", "/440703/market-1/lz-1")
    assert first.envelope.time == START
    assert read[1].topic == "fs/v1/440703/market-1/lz-1/tests"
    assert [read[n].lane for n in (1, 2, 3, 4)] == [
        Lane.ALARM,
        Lane.READING,
        Lane.ALARM,
        Lane.PICTURE,
    ]
    assert len({decode(event.payload).envelope.epoch for event in events}) == 1


def test_the_bytes_of_a_resend_are_those_of_the_first_sending(tmp_path: Path) -> None:
    clock = FakeClock()
    with Outbox(tmp_path / "o.sqlite", AGENT, clock) as outbox:
        outbox.put([result(1)])
        (before,) = outbox.above(Lane.ALARM, 0, 10)
    clock.move(3600)
    with Outbox(tmp_path / "o.sqlite", AGENT, clock, clock_offset_ms=lambda: 5000) as outbox:
        (after,) = outbox.load([before.key])
    assert after == before


def test_the_clock_offset_at_the_time_of_the_put_travels(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.sqlite", AGENT, FakeClock(), clock_offset_ms=lambda: -1234) as outbox:
        outbox.put([result()])
        (event,) = outbox.above(Lane.ALARM, 0, 1)
    assert decode(event.payload).envelope.clockoffsetms == -1234


def test_each_opening_begins_its_own_numbering_and_keeps_the_old_rows(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with Outbox(path, AGENT, FakeClock()) as outbox:
        outbox.put([readings(), readings()])
        old = outbox.state().epoch
    with Outbox(path, AGENT, FakeClock()) as outbox:
        assert outbox.state().epoch == old  # of the oldest that waits
        outbox.put([readings()])
        events = outbox.above(Lane.READING, 0, 10)
        named = [(e.epoch, e.sequence) for e in (decode(x.payload).envelope for x in events)]
        assert named[:2] == [(old, 1), (old, 2)]
        assert named[2][0] != old
        assert named[2][1] == 1
        new_id = outbox.epoch_id(named[2][0])
        assert new_id == outbox.own_epoch_id
        outbox.remove([(events[0].key, events[1].key)])
        assert outbox.state().epoch == named[2][0]
        assert outbox.state().lowest_unreceipted == 1


def test_a_restored_copy_never_gives_a_number_twice(tmp_path: Path) -> None:
    path, copy = tmp_path / "o.sqlite", tmp_path / "copy.sqlite"
    with Outbox(path, AGENT, FakeClock()) as outbox:
        outbox.put([readings()])
    copy.write_bytes(path.read_bytes())
    seen = set()
    for file in (path, copy):
        with Outbox(file, AGENT, FakeClock()) as outbox:
            outbox.put([result(5)])
            seen.update(decode(e.payload).envelope.id for e in outbox.above(Lane.ALARM, 0, 9))
    assert len(seen) == 2


def test_an_opening_without_facts_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    for _ in range(3):
        with Outbox(path, AGENT, FakeClock()) as outbox:
            assert outbox.state().lowest_unreceipted is None
    with Outbox(path, AGENT, FakeClock()) as outbox:
        outbox.put([readings()])
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT COUNT(*) FROM epochs").fetchone() == (1,)
    connection.close()


def test_rows_leave_by_ranges_and_the_state_says_what_is_left(outbox: Outbox) -> None:
    outbox.put([readings() for _ in range(5000)])
    epoch = outbox.own_epoch_id
    removed = outbox.remove(
        [(key_of(epoch, 1), key_of(epoch, 4500)), (key_of(epoch, 4502), key_of(epoch, 4502))]
    )
    assert removed == 4501
    state = outbox.state()
    assert (state.backlog, state.lowest_unreceipted) == (499, 4501)
    assert state.oldest_put_at == START.timestamp()
    # a range far beyond what exists is cheap and harms nothing
    assert outbox.remove([(key_of(epoch, 1), key_of(epoch, 1 << 39))]) == 499
    assert outbox.state().lowest_unreceipted == 5001
    assert outbox.state().oldest_put_at is None


def test_blocks_are_given_oldest_first_from_either_end(outbox: Outbox) -> None:
    outbox.put([result(n) for n in range(1, 7)])
    newest = outbox.below(Lane.ALARM, None, 2)
    assert [epoch_and_sequence(e.key)[1] for e in newest] == [5, 6]
    before = outbox.below(Lane.ALARM, newest[0].key, 3)
    assert [epoch_and_sequence(e.key)[1] for e in before] == [2, 3, 4]
    assert outbox.above(Lane.ALARM, newest[-1].key, 5) == []


def refusals() -> dict[str, Fact]:
    other = Identity("440703", "market-2", "lz-1")
    nan = msgspec.structs.replace(readings().data.readings[0], value=math.nan)  # type: ignore[attr-defined]
    long_item = msgspec.structs.replace(result().data, item="x" * 129)
    surrogate = msgspec.structs.replace(result().data, item="\ud800")
    return {
        "not of this agent's site": msgspec.structs.replace(result(), who=other),
        "none of readings": msgspec.structs.replace(result(), kind="status"),
        "none of": msgspec.structs.replace(result(), kind="nonsense"),
        "exceeds 1000000": picture(800_000),
        "no time zone": msgspec.structs.replace(result(), captured_at=START.replace(tzinfo=None)),
        "readings": msgspec.structs.replace(
            readings(), data=msgspec.structs.replace(readings().data, readings=[nan])
        ),
        "item": msgspec.structs.replace(result(), data=long_item),
        "wire contract": msgspec.structs.replace(result(), data=surrogate),
    }


@pytest.mark.parametrize("said", refusals())
def test_what_the_city_could_not_read_is_refused_at_the_put(outbox: Outbox, said: str) -> None:
    with pytest.raises(FactRefused, match=said):
        outbox.put([result(1), refusals()[said]])
    assert everything(outbox) == []  # all or none
    outbox.put([result(2)])
    assert everything(outbox) == [(Lane.ALARM, 1)]  # and no number is spent
    assert outbox.state().failing == ""


def test_the_largest_picture_that_may_travel_is_taken(outbox: Outbox) -> None:
    outbox.put([picture(749_000)])
    (event,) = outbox.above(Lane.PICTURE, 0, 1)
    assert len(event.payload) <= MAX_PAYLOAD_BYTES


def test_one_agent_per_outbox(outbox: Outbox) -> None:
    with pytest.raises(OutboxError, match="in use by another agent"):
        Outbox(outbox.path, AGENT, FakeClock())


def test_a_closed_outbox_says_so(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite", AGENT, FakeClock())
    outbox.close()
    outbox.close()
    with pytest.raises(OutboxError, match="closed"):
        outbox.put([result()])
    with pytest.raises(OutboxError, match="closed"):
        outbox.state()


def test_the_quarantine_keeps_bytes_and_lets_the_oldest_make_room(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    who = AGENT.sibling("lz-1")
    with Outbox(path, AGENT, FakeClock(), quarantine_bytes=10_000) as outbox:
        for place in range(20):
            outbox.quarantine(who, bytes([place]) * 1000, f"sum {place:02X} is wrong", START)
        assert outbox.state().quarantined == 7
        found = survey(path).quarantine
    assert [entry.reason for entry in found[:2]] == ["sum 13 is wrong", "sum 12 is wrong"]
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT content FROM quarantine ORDER BY id DESC").fetchone() == (
        bytes([19]) * 1000,
    )
    counters = dict(connection.execute("SELECT name, value FROM counters"))
    connection.close()
    assert counters == {"quarantine_bytes": 7 * 1256, "quarantine_dropped": 13}


def test_a_survey_reads_beside_a_running_agent(outbox: Outbox) -> None:
    outbox.put([result(), readings(), readings()])
    outbox.note("uplink", b"{}")
    found = survey(outbox.path)
    assert [(lane.lane, lane.count) for lane in found.waiting] == [("alarm", 1), ("reading", 2)]
    assert found.state.backlog == 3
    assert found.state.lowest_unreceipted == 1
    assert found.notes == {"uplink": b"{}"}


def test_a_survey_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutboxError, match="does not exist yet"):
        survey(tmp_path / "none.sqlite")


def test_the_numbers_that_each_epoch_gave_are_remembered_after_its_events_have_left(
    tmp_path: Path,
) -> None:
    clock, path = FakeClock(), tmp_path / "o.sqlite"
    told: list[list[tuple[int, int]]] = []
    for count in (3, 5):
        with Outbox(path, AGENT, clock) as outbox:
            outbox.put([readings() for _ in range(count)])
            keys = [event.key for event in outbox.above(Lane.READING, 0, 100)]
            outbox.remove([(keys[0], keys[-1])])
            told.append([(one.given, one.thinned) for one in outbox.state().numbering])
    assert told == [[(3, 0)], [(5, 0), (3, 0)]], "newest first"
    with Outbox(path, AGENT, clock) as outbox:
        state = outbox.state()
        assert [one.given for one in state.numbering] == [5, 3]
        assert (state.epoch, state.lowest_unreceipted, state.backlog) == ("", None, 0)


def test_of_very_many_epochs_the_latest_are_told_and_none_with_events_is_forgotten(
    tmp_path: Path,
) -> None:
    path = tmp_path / "o.sqlite"
    for number in range(25):
        with Outbox(path, AGENT, FakeClock(), reserve_bytes=0) as outbox:
            outbox.put([result(number)])
            if number != 1:
                (event,) = outbox.below(Lane.ALARM, None, 1)
                outbox.remove([(event.key, event.key)])
            state = outbox.state()
    assert len(state.numbering) == 20
    assert state.epoch not in {one.epoch for one in state.numbering}, "far older, but still told"
    assert (state.lowest_unreceipted, state.backlog) == (1, 1)


def test_an_outbox_of_the_first_format_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    with Outbox(path, AGENT, FakeClock()) as outbox:
        outbox.put([result(1), readings()])
    connection = sqlite3.connect(path)
    for column in ("given", "thinned"):
        connection.execute(f"ALTER TABLE epochs DROP COLUMN {column}")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert survey(path).state.backlog == 2, "the doctor reads it before the agent has"
    with Outbox(path, AGENT, FakeClock()) as outbox:
        outbox.put([result(2)])
        assert [one.given for one in outbox.state().numbering] == [1, 2]
