"""Missing record numbers: asked for again, told when they stay missing, closed when they come."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.events import Observation
from contracts.words import Phase
from edge_agent.instruments import gaps
from edge_agent.instruments.gaps import Gap, RecordNumbers
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.simulation.serial_lz4000t import VirtualLz4000t

Until = Callable[..., None]
AT = datetime(2026, 11, 23, tzinfo=UTC)


def test_a_gap_lies_between_numbers_that_came() -> None:
    numbers = RecordNumbers()
    assert numbers.add([("d", 4), ("d", 5)], 0.0) == {"d"}
    assert numbers.add([("d", 5)], 0.0) == set()
    assert numbers.to_ask(0.0) == []
    numbers.add([("d", 8), ("e", 2)], 1.0)
    assert numbers.to_ask(1.0) == ["d"]
    assert numbers.to_ask(2.0) == []
    assert numbers.to_tell(2.0) == []
    assert numbers.to_tell(1.0 + gaps.WAIT_S) == [Gap("d", 6, 7)]


def test_what_comes_in_time_is_no_gap() -> None:
    numbers = RecordNumbers()
    numbers.add([("", 1), ("", 3)], 0.0)
    numbers.add([("", 2)], 5.0)
    assert numbers.to_tell(1000.0) == []


def test_a_told_gap_that_is_filled_in_part_is_two() -> None:
    numbers = RecordNumbers()
    numbers.add([("", 1), ("", 5)], 0.0)
    (gap,) = numbers.to_tell(100.0)
    numbers.told[gap] = AT
    assert numbers.missing == 3
    numbers.add([("", 3)], 101.0)
    assert numbers.filled() == [gap]
    del numbers.told[gap]
    assert numbers.to_tell(200.0) == [Gap("", 2, 2), Gap("", 4, 4)]


def test_a_count_set_anew_is_no_gap() -> None:
    numbers = RecordNumbers()
    numbers.add([("", 60000)], 0.0)
    numbers.add([("", 1), ("", 2)], 1.0)
    assert numbers.to_tell(1000.0) == []


def test_the_observation_says_which() -> None:
    seen = Gap("2026-11-23", 6, 7).observation(AT)
    assert (seen.kind, seen.phase) == ("record_gap", Phase.OPEN)
    assert "2026-11-23 6–7" in seen.reason
    closed = Gap("2026-11-23", 6, 7).observation(AT, closed_at=AT)
    assert closed.observation_id == seen.observation_id
    assert closed.phase is Phase.CLOSED


def observations(sink: Any) -> list[Observation]:
    return [fact.data for fact in list(sink.facts) if isinstance(fact.data, Observation)]


def lz(port: str) -> InstrumentSettings:
    return InstrumentSettings("reader", "dayuan_lz_4000t", port, poll_every_s=0.1)


def test_records_that_were_taken_away_are_told(
    tmp_path: Path, sink: Any, run: Any, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "WAIT_S", 0.5)
    monkeypatch.setattr(gaps, "ASK_EVERY_S", 0.1)
    with VirtualLz4000t(tmp_path / "tty-lz") as virtual:
        for number in range(1, 6):
            virtual.add_record(f"菜{number}", 10.0 + number)
        taken = virtual.take_away(3)
        running = run(lz(virtual.port))
        until(lambda: observations(sink))
        (seen,) = observations(sink)
        assert seen.kind == "record_gap"
        assert " 3 " in seen.reason
        pulls = virtual.pulls
        assert pulls >= 2, "the day was fetched again before the gap was told"
        until(lambda: "record numbers missing" in sink.status("reader").detail)
        assert sink.status("reader").figures["record_gaps"] == 1.0
        running.stop()

        # A restart neither forgets the gap nor tells it twice; and the record comes after all.
        running = run(lz(virtual.port))
        until(lambda: virtual.pulls > pulls)
        assert "record numbers missing" in sink.status("reader").detail
        virtual.put_back(taken)
        until(lambda: len(observations(sink)) == 2)
        assert observations(sink)[1].phase is Phase.CLOSED
        assert observations(sink)[1].observation_id == seen.observation_id
        assert sorted(each.record_number for each in sink.tests()) == [1, 2, 3, 4, 5]
        running.stop()
