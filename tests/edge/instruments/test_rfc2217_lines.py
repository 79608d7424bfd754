"""Lines behind an RFC 2217 adapter: pyserial's server side with a virtual instrument behind it."""

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
import serial
from serial import rfc2217

from contracts.words import DeviceState
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.simulation.serial_xy_md02 import VirtualXyMd02

Until = Callable[..., None]
pytestmark = pytest.mark.filterwarnings("ignore:set.*is deprecated:DeprecationWarning")  # pyserial


class PtySerial(serial.Serial):  # type: ignore[misc]
    """A pseudo-terminal has no modem lines to ask or set."""

    cts = dsr = ri = cd = False
    dtr = rts = True


class Rfc2217Adapter:
    """A serial port told over TCP, as an Ethernet adapter of the field does."""

    def __init__(self, path: str, *, mute: bool = False) -> None:
        self._path = path
        self._mute = mute
        self._server = socket.create_server(("127.0.0.1", 0))
        self._clients: list[socket.socket] = []
        self.port: int = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._clients.append(client)
                self._threads.append(threading.Thread(target=self._serve, args=(client,)))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        if self._mute:
            return
        with contextlib.suppress(OSError), client:
            client.settimeout(0.02)
            device = PtySerial(self._path, timeout=0)
            try:
                self._carry(client, device)
            finally:
                device.close()

    @staticmethod
    def _carry(client: socket.socket, device: Any) -> None:
        class Out:
            def write(self, content: bytes) -> None:
                client.sendall(content)

        manager = rfc2217.PortManager(device, Out())
        while True:
            with contextlib.suppress(TimeoutError):
                content = client.recv(1024)
                if not content:
                    return
                device.write(b"".join(manager.filter(content)))
            if content := device.read(1024):
                client.sendall(b"".join(manager.escape(content)))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            client.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def cold(port: int) -> InstrumentSettings:
    url = f"rfc2217://127.0.0.1:{port}"
    return InstrumentSettings("cold", "generic_xy_md02", url, poll_every_s=0.1)


def test_a_probe_behind_an_rfc2217_adapter(
    tmp_path: Path, sink: Any, run: Any, until: Until
) -> None:
    with VirtualXyMd02(tmp_path / "tty-probe") as virtual, Rfc2217Adapter(virtual.port) as adapter:
        running = run(cold(adapter.port))
        until(lambda: len(sink.readings("cold")) >= 2, 20.0)
        assert sink.status("cold").state is DeviceState.ONLINE
        adapter.close()
        until(lambda: sink.status("cold").state is DeviceState.OFFLINE, 20.0)
        running.stop()


def test_an_adapter_that_takes_the_call_and_says_nothing(sink: Any, run: Any, until: Until) -> None:
    with Rfc2217Adapter("/dev/null", mute=True) as adapter:
        running = run(cold(adapter.port))
        until(lambda: "cannot be opened" in (sink.status("cold") or Quiet).detail, 20.0)
        assert sink.status("cold").state is DeviceState.OFFLINE
        running.stop()


class Quiet:
    detail = ""
