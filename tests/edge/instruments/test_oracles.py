"""Dialogues against independent implementations: pymodbus as the unit, astm (astm-2025, the living
fork of python-astm) as the sender; over TCP and over real pseudo-terminals."""

import asyncio
import contextlib
import logging
import os
import pty
import select
import shutil
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from astm import asynclib, codec
from astm.client import Client
from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from contracts.words import DeviceState, Verdict
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.protocols.e1381_sender import frames_of

Until = Callable[..., None]
PROFILES = Path(__file__).parents[3] / "firmware_configs" / "instruments"


class Wire:
    """Carries bytes both ways between two file descriptors until either ends."""

    def __init__(self, one: int, other: int) -> None:
        self._fds = {one: other, other: one}
        self._wake_read, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def _carry(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                ready, _, _ = select.select([*self._fds, self._wake_read], [], [])
                if self._wake_read in ready:
                    return
                for fd in ready:
                    content = os.read(fd, 4096)
                    if not content:
                        return
                    os.write(self._fds[fd], content)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._wake, b"x")
        self._thread.join(5)
        os.close(self._wake)
        os.close(self._wake_read)


@contextlib.contextmanager
def raw_pty() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: our file descriptor, and the path of its other end."""
    far, near = pty.openpty()
    tty.setraw(near)
    try:
        yield far, os.ttyname(near)
    finally:
        os.close(far)
        os.close(near)


class PymodbusUnit:
    """pymodbus' server in its own event loop."""

    def __init__(self, make: Callable[[SimDevice], Any]) -> None:
        bits = [SimData(0, count=8, datatype=DataType.BITS, values=False)]
        none = [SimData(9, values=[0], datatype=DataType.REGISTERS)]
        inputs = [SimData(1, values=[65536 - 185, 567], datatype=DataType.REGISTERS)]
        device = SimDevice(1, simdata=(bits, bits, none, inputs))
        self.server: Any = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(make, device),))

    async def _serve(self, make: Callable[[SimDevice], Any], device: SimDevice) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.server = make(device)
        await self.server.serve_forever(background=True)
        self._ready.set()
        await self._stop.wait()
        await self.server.shutdown()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


def climate(port: str, profile: str = "generic_xy_md02") -> InstrumentSettings:
    return InstrumentSettings("cold", profile, port, poll_every_s=0.1)


def check_climate(sink: Any, until: Until) -> None:
    until(lambda: len(sink.readings("cold")) >= 3)
    for batch in sink.readings("cold"):
        temperature, humidity = batch.readings
        assert (temperature.metric, temperature.value, temperature.unit) == (
            "temperature", -18.5, "Cel",
        )  # fmt: skip
        assert (humidity.value, humidity.unit) == (56.7, "%")
    assert sink.status("cold").state is DeviceState.ONLINE


@pytest.mark.parametrize("transport", ["rtu", "ascii"])
def test_pymodbus_over_tcp(
    transport: str, tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    shutil.copytree(PROFILES / "generic_xy_md02", tmp_path / "profiles" / "unit")
    file = tmp_path / "profiles" / "unit" / "profile.toml"
    text = file.read_text("utf-8").replace(
        'kind = "modbus"', f'kind = "modbus"\ntransport = "{transport}"'
    )
    file.write_text(text, "utf-8")

    def make(device: SimDevice) -> Any:
        framer = FramerType.RTU if transport == "rtu" else FramerType.ASCII
        return ModbusTcpServer(device, framer=framer, address=("127.0.0.1", 0))

    with PymodbusUnit(make) as unit:
        port = unit.server.transport.sockets[0].getsockname()[1]
        url = f"socket://127.0.0.1:{port}"
        running = run(climate(url, "unit"), profiles_dir=tmp_path / "profiles")
        check_climate(sink, until)
        running.stop()


def test_pymodbus_over_a_pseudo_terminal(sink: Any, run: Any, until: Until) -> None:
    with raw_pty() as (far, path), raw_pty() as (other, unit_path), Wire(far, other):
        make = lambda device: ModbusSerialServer(device, port=unit_path, baudrate=9600)  # noqa: E731
        with PymodbusUnit(make):
            running = run(climate(path))
            check_climate(sink, until)
            assert sink.quarantined == []
            running.stop()


def test_pymodbus_exception_is_told(tmp_path: Path, sink: Any, run: Any, until: Until) -> None:
    shutil.copytree(PROFILES / "generic_xy_md02", tmp_path / "profiles" / "unit")
    file = tmp_path / "profiles" / "unit" / "profile.toml"
    file.write_text(file.read_text("utf-8").replace("start = 1", "start = 400"), "utf-8")

    def make(device: SimDevice) -> Any:
        return ModbusTcpServer(device, framer=FramerType.RTU, address=("127.0.0.1", 0))

    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    with PymodbusUnit(make) as unit:
        port = unit.server.transport.sockets[0].getsockname()[1]
        running = run(
            climate(f"socket://127.0.0.1:{port}", "unit"), profiles_dir=tmp_path / "profiles"
        )
        until(lambda: "exception 2" in (sink.status("cold").detail if sink.statuses else ""))
        assert sink.status("cold").state is DeviceState.DEGRADED
        running.stop()


def records() -> Iterator[list[Any]]:
    yield ["H", "\\^&", None, None, "Reader^1.0"]
    for sample in range(3):
        yield ["P", str(sample + 1)]
        yield ["O", "1", f"S-{sample}", None, "^^^ALL"]
        yield ["R", "1", "农药残留抑制率", f"{49.99 + sample / 100:.2f}", "%", None, "N", None, "F",
               None, "张三", None, "20261123100000"]  # fmt: skip
        yield ["C", "1", "I", "备注" * 30]
    yield ["L", "1", "N"]


@pytest.mark.parametrize(
    "options", [{}, {"chunk_size": 40}, {"bulk_mode": True}], ids=["records", "chunks", "bulk"]
)
def test_astm_library_as_the_sender(
    options: dict[str, Any], sink: Any, run: Any, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its socket layer still calls Python 2's `buffer`; everything above that is as released.
    monkeypatch.setattr(asynclib, "buffer", lambda data, at, size: data[at : at + size], False)
    with (
        raw_pty() as (far, path),
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        running = run(InstrumentSettings("reader", "generic_lis2", path))
        until(lambda: sink.status("reader"))
        client = Client(
            records, "127.0.0.1", server.getsockname()[1], encoding="gb18030", timeout=None,
            **options,
        )  # fmt: skip
        accepted, _ = server.accept()
        with accepted, Wire(far, accepted.fileno()):
            thread = threading.Thread(target=asynclib.loop, kwargs={"timeout": 0.05})
            thread.start()
            until(lambda: len(sink.tests()) == 3)
            thread.join(5)
            assert not thread.is_alive(), "the sender did not finish its transfer"
        client.close()
        running.stop()
    assert [result.value.text for result in sink.tests()] == ["49.99", "50.00", "50.01"]
    assert [result.sample.number for result in sink.tests()] == ["S-0", "S-1", "S-2"]
    assert {result.item for result in sink.tests()} == {"农药残留抑制率"}
    assert {result.operator for result in sink.tests()} == {"张三"}
    assert sink.tests()[1].verdict is Verdict.POSITIVE


def test_our_frames_are_what_the_astm_library_reads() -> None:
    sent = [b"H|\\^&", "R|1|^^^抑制率|<5.0|%".encode("gb18030"), b"L|1|N"]
    for number, (frame, record) in enumerate(zip(frames_of(sent), sent, strict=True), 1):
        sequence, (decoded,), check = codec.decode_message(frame, "gb18030")
        assert sequence == number
        assert decoded[0] == record[:1].decode()
        assert check == codec.make_checksum(frame[1:-4]).decode()
