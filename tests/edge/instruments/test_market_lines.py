"""What happens to lines in a market: replayed histories, mixed speeds on a bus, wrong parity."""

import functools
import operator
import termios
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import utc_now
from contracts.words import DeviceState
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.simulation.serial_line import VirtualLine
from edge_agent.simulation.serial_lis2 import Lis2Result, VirtualLis2
from edge_agent.simulation.serial_xy_md02 import Climate, VirtualXyMd02

Until = Callable[..., None]


class Talker:
    """A far end that says what it is told to say, and keeps what it hears."""

    def __init__(self) -> None:
        self.heard = b""
        self._words = b""

    def say(self, words: bytes) -> None:
        self._words += words

    def receive(self, data: bytes, now: float) -> bytes:
        self.heard += data
        return b""

    def due(self) -> float:
        return 0.0 if self._words else float("inf")

    def wake(self, now: float) -> bytes:
        words, self._words = self._words, b""
        return words


def strip_line(number: int, ratio: str = "1.8") -> bytes:
    content = f"{number:04}|鱼|孔雀石绿|阴性|{ratio}|2026-11-23 10:{number:02}:00|张三|"
    sent = content.encode("gb18030")
    return b"\x02" + sent + b"%02X\x03" % functools.reduce(operator.xor, sent)


def test_a_listener_replays_its_whole_history(
    tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    with VirtualLine(talker := Talker(), tmp_path / "tty") as line:
        run(InstrumentSettings("strips", "generic_strip_reader_text", line.port))
        until(lambda: sink.status("strips"))
        day = b"".join(strip_line(number) for number in range(1, 21))
        talker.say(day)
        line.poke()
        until(lambda: len(sink.tests()) == 20 and talker.heard == b"\x06" * 20)
        line.unplug()  # its power fails; when it comes back it tells everything again, and more
        until(lambda: sink.status("strips").state is DeviceState.OFFLINE)
        line.plug()
        until(lambda: sink.status("strips").state is DeviceState.UNKNOWN)
        talker.say(day + strip_line(21) + strip_line(3, ratio="0.2"))
        line.poke()
        until(lambda: len(sink.tests()) == 22)
        assert [each.sample.number for each in sink.tests()[20:]] == ["0021", "0003"]
        until(lambda: sink.status("strips").figures.get("repeated_records") == 20)
        until(lambda: talker.heard == b"\x06" * 42)  # a known record is acknowledged again


def test_lis2_messages_replayed(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    measured = (utc_now() - timedelta(days=2)).replace(microsecond=0)

    def history(virtual: VirtualLis2, measured: datetime) -> None:
        for number in range(3):
            results = [Lis2Result("^^^a", f"{number}.0", "%"), Lis2Result("^^^b", "阴性")]
            virtual.send_results(f"S-{number}", results, measured)

    with VirtualLis2(tmp_path / "tty") as virtual:
        settings = InstrumentSettings("strips", "generic_lis2", virtual.port)
        first = run(settings)
        until(lambda: sink.status("strips"))
        history(virtual, measured)
        until(lambda: len(sink.tests()) == 6)
        first.stop()  # and the agent forgets nothing over a restart of its own
        sink.statuses.clear()
        run(settings)
        until(lambda: sink.status("strips"))
        history(virtual, measured)
        until(lambda: sink.status("strips").figures.get("repeated_records") == 6)
        assert (virtual.delivered, len(sink.tests())) == (6, 6)


class SpeedsOnABus(VirtualXyMd02):
    """Notes the speed that the line was set to when each unit was asked."""

    def __init__(self, link: Path, units: dict[int, Climate]) -> None:
        super().__init__(link, units=units)
        self.speeds: set[tuple[int, int]] = set()
        answer = self._bus.receive

        def receive(data: bytes, now: float) -> bytes:
            self.speeds.add((data[0], termios.tcgetattr(self._slave)[5]))
            return answer(data, now)

        self._bus.receive = receive  # type: ignore[method-assign]


def test_mixed_speeds_on_one_bus(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    units = {1: Climate(1.0), 2: Climate(2.0)}
    with SpeedsOnABus(tmp_path / "tty", units) as virtual:
        run(*(
            InstrumentSettings(
                name, "generic_xy_md02", virtual.port, address=address, baud=baud, poll_every_s=0.1
            )
            for name, address, baud in (("slow", 1, 4800), ("fast", 2, 9600))
        ))  # fmt: skip
        until(lambda: min(len(sink.readings("slow")), len(sink.readings("fast"))) >= 5)
        assert virtual.speeds == {(1, termios.B4800), (2, termios.B9600)}
        assert sink.readings("slow")[-1].readings[0].value == 1.0
        assert sink.readings("fast")[-1].readings[0].value == 2.0


def with_parity(content: bytes, odd: int = 0) -> bytes:
    """Seven bits and a parity bit, as a port set to eight bits without parity reads them."""
    return bytes(byte | ((byte.bit_count() + odd) % 2) << 7 for byte in content)


@pytest.mark.parametrize(("odd", "told"), [(0, "7E1"), (1, "7O1")])
def test_wrong_parity_is_told(
    odd: int, told: str, tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    with VirtualLine(talker := Talker(), tmp_path / "tty") as line:
        run(InstrumentSettings("balance", "mettler_mt_sics", line.port))
        until(lambda: sink.status("balance"))
        lines = b"".join(b"S S     %d.34 g\r\n" % number for number in range(10, 16))
        for byte in with_parity(lines, odd):  # as they come at 2400 baud
            talker.say(bytes((byte,)))
            line.poke()
            time.sleep(0.001)
        until(lambda: "serial settings mismatch" in sink.status("balance").detail)
        assert told in sink.status("balance").detail
        assert sink.status("balance").state is DeviceState.DEGRADED
        assert sink.tests() == []  # the high bits could be struck off; but no one said so
        kept = b"".join(content for _, content, _ in sink.quarantined)
        assert kept
        assert kept in with_parity(lines, odd)
        talker.say(b"S S      12.34 g\r\n" * 2)  # set right
        line.poke()
        until(lambda: sink.status("balance").state is DeviceState.ONLINE)
        assert [each.value.text for each in sink.tests()] == ["12.34"]
