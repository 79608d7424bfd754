"""Serial lines behind a network adapter: `socket://`, with an adapter that goes and comes back."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from contracts.words import DeviceState
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.simulation.serial_xy_md02 import Climate, ModbusFarEnd

Until = Callable[..., None]


class Adapter:
    """A TCP server with a Modbus unit behind it."""

    def __init__(self, port: int = 0) -> None:
        self._bus = ModbusFarEnd({1: Climate(4.5).register})
        self._server = socket.create_server(("127.0.0.1", port))
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
        with contextlib.suppress(OSError), client:
            while data := client.recv(256):
                client.sendall(self._bus.receive(data, time.monotonic()))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def settings(port: int) -> InstrumentSettings:
    url = f"socket://127.0.0.1:{port}"
    return InstrumentSettings("cold", "generic_xy_md02", url, poll_every_s=0.1)


def test_adapter_goes_and_comes_back(sink: Any, run: Any, until: Until) -> None:
    with Adapter() as adapter:
        port = adapter.port
        run(settings(port))
        until(lambda: sink.readings("cold"))
        assert sink.readings("cold")[0].readings[0].value == 4.5
    until(lambda: sink.status("cold").state is DeviceState.OFFLINE)
    count = len(sink.readings("cold"))
    with Adapter(port):
        until(lambda: len(sink.readings("cold")) > count)


def test_no_adapter_there(sink: Any, run: Any, until: Until) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    running = run(settings(port))
    until(lambda: sink.status("cold"))
    assert "cannot be reached" in sink.status("cold").detail
    began = time.monotonic()
    running.stop()
    assert time.monotonic() - began < 2.0
