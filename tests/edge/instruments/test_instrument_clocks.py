"""Clocks of instruments: the offset is measured, both times are kept, implausible ones flagged."""

import functools
import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import utc_now
from contracts.limits import load_limits
from edge_agent.instruments.captures import CAPTURED_AT
from edge_agent.instruments.decoder import decode_frame
from edge_agent.instruments.fields import Cell, wall_time
from edge_agent.instruments.profiles import load_profile
from edge_agent.instruments.results import Reader
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.simulation.serial_line import VirtualLine
from edge_agent.simulation.serial_lis2 import CHINA, Lis2Result, VirtualLis2
from edge_agent.simulation.serial_lz4000t import Record, record_frame

CONFIGS = Path(__file__).parents[3] / "firmware_configs"
Until = Callable[..., None]
LIS2_TIMES = ("%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d")


class Talker:
    """A far end that says what it is told to say."""

    def __init__(self) -> None:
        self._words = b""

    def say(self, words: bytes) -> None:
        self._words += words

    def receive(self, data: bytes, now: float) -> bytes:
        return b""

    def due(self) -> float:
        return 0.0 if self._words else float("inf")

    def wake(self, now: float) -> bytes:
        words, self._words = self._words, b""
        return words


def test_the_header_of_a_message_gives_the_clock(
    tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    """Two results measured hours ago, sent just now by a clock that is 90 seconds slow."""
    slow = timedelta(seconds=-90)
    measured = (utc_now() - timedelta(hours=5)).replace(microsecond=0)
    with VirtualLis2(tmp_path / "tty", clock=lambda: utc_now() + slow) as virtual:
        run(InstrumentSettings("strips", "generic_lis2", virtual.port))
        until(lambda: sink.status("strips"))
        results = [Lis2Result("^^^a", "1.0", "%"), Lis2Result("^^^b", "2.0", "%")]
        virtual.send_results("S-1", results, measured)
        until(lambda: len(sink.tests()) == 2)
        for each in sink.tests():
            assert each.measured_at == measured
            assert each.captured_at > measured + timedelta(hours=4.9)
            assert each.clock_offset_s == pytest.approx(-90, abs=3)
        until(lambda: sink.status("strips").clock_offset_s == sink.tests()[0].clock_offset_s)


def test_a_result_that_comes_at_once_is_fresh(
    tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    """No time in the header: then the one result's own time is all there is."""

    class Headless(VirtualLis2):
        """Sends a header without H-14."""

        def send(self, measured: datetime) -> None:
            when = measured.astimezone().strftime("%Y%m%d%H%M%S").encode()
            records = [b"H|\\^&", b"O|1|S-2", b"R|1|^^^a|1.0|%||N||F||||" + when, b"L|1|N"]
            with self.lock:
                self._reader.send(records, 0.0)
            self.poke()

    with Headless(tmp_path / "tty") as virtual:
        offset_h = datetime.now().astimezone().utcoffset() or timedelta()
        hours = offset_h.total_seconds() / 3600
        run(InstrumentSettings("strips", "generic_lis2", virtual.port, utc_offset_h=hours))
        until(lambda: sink.status("strips"))
        virtual.send(utc_now() + timedelta(seconds=40))
        until(lambda: len(sink.tests()) == 1)
        assert sink.tests()[0].clock_offset_s == pytest.approx(40, abs=3)


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("20261123140509", datetime(2026, 11, 23, 14, 5, 9)),
        ("202611231405", datetime(2026, 11, 23, 14, 5)),
        ("20261123", datetime(2026, 11, 23)),
        ("2026112314", None),
        ("26112314", None),
    ],
)
def test_digits_in_a_row_are_read_by_their_number(text: str, wall: datetime | None) -> None:
    assert wall_time(Cell(text, b""), LIS2_TIMES) == wall


@pytest.mark.parametrize(
    ("year", "implausible"),
    [(2026, False), (2000, True), (2099, True)],  # 26; 00: its battery is empty; 99: gone mad
)
def test_two_digit_years(year: int, implausible: bool) -> None:
    profile = load_profile(CONFIGS / "instruments", "dayuan_lz_4000t")
    reader = Reader(profile.ref, load_limits(CONFIGS / "limits"))
    frame = record_frame(Record(1, "白菜", 12.34, datetime(year, 11, 23, 9, 30)), 1)
    (row,) = decode_frame(profile, frame)
    assert row.record.result is not None
    made = reader.result(row.record.result, row.cells, row.raw, CAPTURED_AT).result
    assert made.measured_at == datetime(year, 11, 23, 1, 30, tzinfo=UTC)
    assert ("time_implausible" in made.flags) is implausible


def test_two_digit_years_on_a_line(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    now = utc_now().astimezone(CHINA)
    with VirtualLine(talker := Talker(), tmp_path / "tty") as line:
        run(InstrumentSettings("strips", "generic_strip_reader_text", line.port))
        until(lambda: sink.status("strips"))
        for number, when in ((1, now.strftime("%y-%m-%d %H:%M")), (2, "07-01-01 00:00")):
            content = f"{number:04}|鱼|孔雀石绿|阴性|1.0|{when}|张三|".encode("gb18030")
            talker.say(b"\x02" + content + b"%02X\x03" % functools.reduce(operator.xor, content))
            line.poke()
            until(lambda count=number: len(sink.tests()) == count)
        first, second = sink.tests()
        assert first.measured_at == now.replace(second=0, microsecond=0)
        assert "time_implausible" not in first.flags
        assert second.measured_at == datetime(2007, 1, 1, tzinfo=CHINA)
        assert (second.measured_text, "time_implausible" in second.flags) == (
            "07-01-01 00:00", True,
        )  # fmt: skip
