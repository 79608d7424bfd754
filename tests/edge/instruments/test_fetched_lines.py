"""Instruments whose memory is fetched piece by piece, on pseudo-terminals; also bad lines."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.words import DeviceState, Verdict
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.simulation.serial_dy3000dy import DRY, VirtualDy3000dy, VirtualDy3000dyOld
from edge_agent.simulation.serial_dy5000 import Hole, VirtualDy5000
from edge_agent.simulation.serial_faults import Faults
from edge_agent.simulation.serial_ttnjz24 import HOLES, Channel, VirtualTtnjz24

Until = Callable[..., None]


def device(profile: str, port: str) -> InstrumentSettings:
    return InstrumentSettings("reader", profile, port, poll_every_s=0.1)


def tenths(number: int) -> bytes:
    return number.to_bytes(4, "little")


def test_records_are_fetched_one_by_one(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    with VirtualDy3000dy(tmp_path / "tty") as virtual:
        virtual.add_wet([(0, 0x80, tenths(0)), (1, 0x80, tenths(123)), (2, 0xC0, tenths(501))])
        virtual.add_strip(17, 1)
        virtual.add_strip(18, 2, memory=DRY)
        run(device("dayuan_dy_3000dy", virtual.port))
        until(lambda: len(sink.tests()) == 4)
        assert [each.value.text for each in sink.tests()] == ["12.3", "50.1", "阳性", "阴性"]
        assert "status=doubtful" in sink.tests()[1].flags
        assert sink.tests()[2].value.qualitative == "positive"
        fetches = virtual.fetches
        virtual.add_wet([(3, 0x80, bytes.fromhex("FE7F0000"))])
        until(lambda: len(sink.tests()) == 5)
        assert sink.tests()[4].value.number is None
        assert sink.tests()[4].verdict is Verdict.INVALID
        assert virtual.fetches == fetches + 1, "what is known is not fetched again"
        until(lambda: sink.status("reader").state is DeviceState.ONLINE)


@pytest.mark.parametrize("kind", ["noise", "duplicate", "double-head", "split"])
def test_faults_cost_no_fetched_record(
    kind: str, tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    with VirtualDy3000dy(tmp_path / "tty", faults=Faults([kind], every=2)) as virtual:
        for number in range(6):
            virtual.add_wet([(number + 1, 0x80, tenths(number))])
        run(device("dayuan_dy_3000dy", virtual.port))
        until(lambda: len(sink.tests()) == 6, 20)
        assert [each.channel for each in sink.tests()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow  # each damaged answer costs a second
@pytest.mark.parametrize("kind", ["bad-check", "drop"])
def test_damaged_answers_are_asked_for_again(
    kind: str, tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    with VirtualDy3000dy(tmp_path / "tty", faults=Faults([kind], every=3)) as virtual:
        for number in range(4):
            virtual.add_wet([(number + 1, 0x80, tenths(number))])
        run(device("dayuan_dy_3000dy", virtual.port))
        until(lambda: {each.channel for each in sink.tests()} == {1, 2, 3, 4}, 40)
        assert len(sink.tests()) == 4


def test_older_firmware(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    with VirtualDy3000dyOld(tmp_path / "tty") as virtual:
        virtual.add_test("", 49.99)
        run(device("dayuan_dy_3000dy_old", virtual.port))
        until(lambda: len(sink.tests()) == 1)
        virtual.add_test("", 50.0)
        until(lambda: len(sink.tests()) == 2)
        assert [each.verdict for each in sink.tests()] == [Verdict.SUSPECT, Verdict.POSITIVE]


def test_plates(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    with VirtualDy5000(tmp_path / "tty") as virtual:
        virtual.add_plate("氯霉素", "ug/kg", [Hole(0, 1234, 250), Hole(95, 115, 101229)])
        virtual.add_plate("孔雀石绿", "ug/kg", [Hole(8, 900, 1)])
        run(device("dayuan_dy_5000", virtual.port))
        until(lambda: len(sink.tests()) == 3)
        assert [(each.sample.number, each.value.text) for each in sink.tests()] == [
            ("A1", "0.250"), ("H12", "101.229"), ("A2", "0.001"),
        ]  # fmt: skip
        assert {each.value.unit for each in sink.tests()} == {"ug/kg"}


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("faults", [[], ["noise"], ["split"]])
def test_blocks(
    waits: bool, faults: list[str], tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    with VirtualTtnjz24(tmp_path / "tty", waits=waits, faults=Faults(faults)) as virtual:
        virtual.add_block([Channel(HOLES[0], 1, "小白菜", 0.1234), Channel(HOLES[9], 2, "葱", 0.5)])
        virtual.add_block([Channel(HOLES[1], 3, "韭菜", 0.873, 2)])
        run(device("taiyang_ttnjz24", virtual.port))
        until(lambda: len(sink.tests()) == 3)
        pulls = virtual.pulls
        virtual.add_block([Channel(HOLES[2], 4, "菠菜", 0.02, 3)])
        until(lambda: len(sink.tests()) == 4 and virtual.pulls > pulls)
        assert [each.verdict for each in sink.tests()] == [
            Verdict.PASS, Verdict.POSITIVE, Verdict.POSITIVE, Verdict.INVALID,
        ]  # fmt: skip
        assert "instrument_verdict_differs" in sink.tests()[1].flags
        assert sink.tests()[0].operator == "快检员"
        assert len(sink.tests()[0].raw.content) == 501


@pytest.mark.parametrize(
    "name",
    ["dayuan_dy_3000dy", "dayuan_dy_3000dy_old", "taiyang_ttnjz24",
     pytest.param("dayuan_dy_5000", marks=pytest.mark.slow)],
)  # fmt: skip
def test_simulate_and_listen(name: str, tmp_path: Path) -> None:
    link = tmp_path / "port"
    command = [sys.executable, "-m", "foodsentry.cli", "--log-level", "error", "instrument"]
    simulator = subprocess.Popen(
        [*command, "simulate", name, "--port-link", str(link), "--json"], stdout=subprocess.PIPE
    )
    listener = None
    try:
        assert simulator.stdout is not None
        assert json.loads(simulator.stdout.readline())["port"] == str(link)
        first = json.loads(simulator.stdout.readline())
        listener = subprocess.Popen(
            [*command, "listen", "--profile", name, "--port", str(link)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert listener.stdout is not None
        heard = json.loads(listener.stdout.readline())
        assert float(heard["value"]) == float(first["value"])
        assert heard["profile"].startswith(name)
    finally:
        for process in (listener, simulator):
            if process is not None:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=10)
    assert simulator.returncode == 0
