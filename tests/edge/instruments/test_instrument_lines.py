"""Instruments on real pseudo-terminals: simulator, pyserial, facts, and lines that fail."""

import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.words import DeviceState, Quality, Verdict
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.simulation.serial_faults import Faults
from edge_agent.simulation.serial_line import VirtualLine
from edge_agent.simulation.serial_lis2 import Lis2Result, VirtualLis2
from edge_agent.simulation.serial_lz4000t import VirtualLz4000t
from edge_agent.simulation.serial_xy_md02 import Climate, VirtualXyMd02

Until = Callable[..., None]


def lz(port: str, **others: Any) -> InstrumentSettings:
    others.setdefault("poll_every_s", 0.1)
    return InstrumentSettings("reader", "dayuan_lz_4000t", port, **others)


def probe(device: str, port: str, **others: Any) -> InstrumentSettings:
    others.setdefault("poll_every_s", 0.1)
    return InstrumentSettings(device, "generic_xy_md02", port, **others)


def test_pesticide_reader(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    with VirtualLz4000t(tmp_path / "tty-lz") as virtual:
        virtual.add_record("小白菜", 12.34)
        run(lz(virtual.port))
        until(lambda: len(sink.tests()) == 1)
        virtual.add_record("韭菜", 50.00)
        virtual.add_record("A青菜叶", 49.99)
        until(lambda: len(sink.tests()) == 3)
        first, second, third = sink.tests()
        assert (first.sample.name, first.sample.name_cut) == ("小白菜", True)
        assert (first.value.text, first.value.number, first.value.unit) == ("12.34", 12.34, "%")
        assert first.verdict is Verdict.PASS
        assert second.verdict is Verdict.POSITIVE
        assert not second.sample.name_cut
        assert third.verdict is Verdict.SUSPECT
        assert (third.sample.name, third.sample.name_cut) == ("A青菜", True)
        assert len(first.raw.content) == 26
        assert first.profile.id == "dayuan_lz_4000t"
        assert first.item_code == "pesticide_inhibition"
        assert first.measured_at is not None
        assert abs((first.measured_at - first.captured_at).total_seconds()) < 5
        until(lambda: sink.status("reader").state is DeviceState.ONLINE)


def test_records_are_taken_once_across_restarts(
    tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    with VirtualLz4000t(tmp_path / "tty-lz") as virtual:
        virtual.add_record("芹菜", 61.5)
        before = run(lz(virtual.port))
        until(lambda: len(sink.tests()) == 1)
        before.stop()
        virtual.add_record("葱", 3.0)
        pulls = virtual.pulls
        run(lz(virtual.port))
        until(lambda: virtual.pulls > pulls and len(sink.tests()) == 2)
        assert [each.record_number for each in sink.tests()] == [1, 2]
        assert not any("may_be_repeat" in each.flags for each in sink.tests())


@pytest.mark.parametrize(
    "kind", ["noise", "bad-check", "drop", "duplicate", "double-head", "split"]
)
@pytest.mark.slow
def test_faults_cost_no_record(
    kind: str, tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    with VirtualLz4000t(tmp_path / "tty-lz", faults=Faults([kind], every=2)) as virtual:
        for number in range(5):
            virtual.add_record(f"菜{number}", 10.0 + number)
        run(lz(virtual.port))
        until(lambda: len(sink.tests()) == 5, 20)
        assert sorted(each.value.text for each in sink.tests()) == [
            "10.00", "11.00", "12.00", "13.00", "14.00",
        ]  # fmt: skip


def test_unplugged_and_plugged_in_again(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    with VirtualLz4000t(tmp_path / "tty-lz") as virtual:
        virtual.add_record("白菜", 5.0)
        run(lz(virtual.port))
        until(lambda: len(sink.tests()) == 1)
        virtual.unplug()
        until(lambda: sink.status("reader").state is DeviceState.OFFLINE)
        assert sink.status("reader").detail.startswith("unplugged")
        virtual.add_record("菠菜", 55.0)
        virtual.plug()
        until(lambda: len(sink.tests()) == 2)
        until(lambda: sink.status("reader").state is DeviceState.ONLINE)


@pytest.mark.slow
def test_wrong_speed_is_told(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    with VirtualLz4000t(tmp_path / "tty-lz", faults=Faults(["garble"])) as virtual:
        run(lz(virtual.port))
        until(lambda: "serial settings mismatch" in (sink.status("reader") or _NONE).detail)
        assert sink.status("reader").discarded_bytes > 0
        assert sink.tests() == []
        assert sink.quarantined


def test_probe_warms_up(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    with VirtualXyMd02(tmp_path / "tty-probe", units={1: Climate(-2.5, 80.5)}) as virtual:
        run(probe("cold", virtual.port))
        until(lambda: sink.readings("cold"))
        first = sink.readings("cold")[0].readings
        assert [(each.metric, each.value, each.unit) for each in first] == [
            ("temperature", -2.5, "Cel"),
            ("humidity", 80.5, "%"),
        ]
        virtual.warm_up(9.0, per_s=50.0)
        until(lambda: sink.readings("cold")[-1].readings[0].value == 9.0)


def test_readings_in_batches_and_impossible_values(
    tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    with VirtualXyMd02(tmp_path / "tty-probe", units={1: Climate(120.0)}) as virtual:
        run(probe("cold", virtual.port, batch_s=0.5))
        until(lambda: sink.readings("cold"))
        batch = sink.readings("cold")[0].readings
        assert len(batch) > 4
        assert batch[0].quality is Quality.BAD
        assert batch[1].quality is Quality.GOOD


@pytest.mark.slow
@pytest.mark.parametrize("echo", [False, True])
def test_dead_unit_costs_the_others_one_time_out(
    echo: bool, tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    climates = {1: Climate(1.0), 2: Climate(2.0)}
    with VirtualXyMd02(tmp_path / "tty-bus", units=climates, echo=echo) as virtual:
        virtual.set_dead(2)
        run(probe("one", virtual.port, address=1), probe("two", virtual.port, address=2))
        until(lambda: len(sink.readings("one")) >= 15)
        times = [batch.readings[0].measured_at for batch in sink.readings("one")]
        gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(times)]
        # Period and one reply time-out, not two; the median, because a machine may stand still.
        assert statistics.median(gaps) < 0.1 + 0.4 + 0.3
        until(lambda: (sink.status("two") or _NONE).state is DeviceState.OFFLINE)
        assert sink.status("two").detail.startswith("no answer")
        assert sink.status("one").discarded_bytes == 0
        virtual.set_dead(2, False)
        until(lambda: sink.readings("two"))


@pytest.mark.parametrize("kind", ["", "bad-check", "drop", "noise", "split"])
def test_lis2_reader(kind: str, tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    faults = Faults([kind] if kind else [], every=4)
    with VirtualLis2(tmp_path / "tty-lis2", faults=faults) as virtual:
        run(InstrumentSettings("strips", "generic_lis2", virtual.port))
        until(lambda: sink.status("strips"))
        virtual.send_results(
            "S-0001",
            [Lis2Result("^^^克伦特罗", "阳性"), Lis2Result("^^^抑制率", "<5.0", "%")],
            operator="张三",
        )
        virtual.send_results("S-0002", [Lis2Result("^^^抑制率", "50.00", "%")])
        until(lambda: virtual.delivered == 2 and len(sink.tests()) == 3, 40)
        strip, censored, positive = sink.tests()
        assert (strip.item, strip.value.qualitative) == ("^^^克伦特罗", "positive")
        assert strip.verdict is Verdict.POSITIVE
        assert strip.sample.number == "S-0001"
        assert strip.operator == "张三"
        value = censored.value
        assert (value.text, value.number, value.comparator, value.bound) == ("<5.0", None, "<", 5.0)
        assert censored.verdict is Verdict.PASS
        assert positive.verdict is Verdict.POSITIVE


def test_broken_profile_stops_no_one_else(
    tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    with VirtualXyMd02(tmp_path / "tty-probe") as virtual:
        run(
            InstrumentSettings("ghost", "no_such_profile", str(tmp_path / "nowhere")),
            probe("far", str(tmp_path / "not-there")),
            probe("cold", virtual.port),
        )
        until(lambda: sink.readings("cold"))
        until(lambda: sink.status("far"))
        assert sink.status("ghost").state is DeviceState.OFFLINE
        assert "no profile 'no_such_profile'" in sink.status("ghost").detail
        assert "not-there" in sink.status("far").detail


def test_port_is_taken_for_ourselves(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    with VirtualXyMd02(tmp_path / "tty-probe") as virtual:
        run(probe("cold", virtual.port))
        until(lambda: sink.readings("cold"))
        other = tmp_path / "other-state"
        second = run(probe("thief", virtual.port), state_dir=other)
        until(lambda: (sink.status("thief") or _NONE).state is DeviceState.OFFLINE)
        second.stop()
        count = len(sink.readings("cold"))
        until(lambda: len(sink.readings("cold")) > count)


def test_stops_soon(tmp_path: Path, run: Any) -> None:
    running = run(probe("cold", str(tmp_path / "nowhere")))
    began = time.monotonic()
    running.stop()
    assert time.monotonic() - began < 2.0


class _None:
    state = DeviceState.UNKNOWN
    detail = ""


_NONE = _None()


class Talker:
    """A far end that says what it is told to say."""

    def __init__(self) -> None:
        self.words = b""

    def receive(self, data: bytes, now: float) -> bytes:
        return b""

    def due(self) -> float:
        return 0.0 if self.words else float("inf")

    def wake(self, now: float) -> bytes:
        words, self.words = self.words, b""
        return words


def test_continuous_scale_gives_changes_only(
    tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    talker = Talker()
    with VirtualLine(talker, tmp_path / "tty-scale") as line:
        run(InstrumentSettings("scale", "generic_st_gs_scale", line.port))
        until(lambda: sink.status("scale"))
        same = b"ST,GS,+ 1.234kg\r\n" * 20
        talker.words = same + b"US,GS,+ 0.500kg\r\n" + same + b"ST,GS,+ 0.000kg\r\n"
        line.poke()
        until(lambda: len(sink.tests()) == 2)
        assert [each.value.text for each in sink.tests()] == ["+ 1.234", "+ 0.000"]


def test_line_with_parity_on_a_pseudo_terminal(
    tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    talker = Talker()
    with VirtualLine(talker, tmp_path / "tty-balance") as line:
        run(InstrumentSettings("balance", "sartorius_sbi", line.port))
        until(lambda: sink.status("balance"))
        talker.words = b"+   123.45 g  \r\n"
        line.poke()
        until(lambda: len(sink.tests()) == 1)
