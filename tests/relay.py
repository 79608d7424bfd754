"""A TCP line on loopback between two real programs: forwarded, and ended when a test says so."""

import socket
import threading
from contextlib import suppress
from typing import Literal, Self

Direction = Literal["up", "down"]


class Relay:
    """Forwards 127.0.0.1:port to `target` until the `with` block ends.

    What a bad network does besides is for subclasses: `admits` and `forward`.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.connections = 0
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name="relay")]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(5)
        self.hang_up()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()
        for line in self._open:
            line.close()

    def hang_up(self) -> None:
        """End all connections."""
        with self._lock:
            for line in self._open:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)

    def admits(self) -> bool:
        """Whether a connection may come now."""
        return True

    def forward(self, direction: Direction, source: socket.socket, target: socket.socket) -> None:
        """Pass on what comes from `source` until it ends. Raises OSError."""
        while content := source.recv(65536):
            target.sendall(content)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                server = self._connected() if self.admits() else None
                if server is None:
                    client.close()
                    continue
                self.connections += 1
                self._open += [client, server]
            for ends in (("up", client, server), ("down", server, client)):
                thread = threading.Thread(target=self._run, args=ends, name="relay")
                self._threads.append(thread)
                thread.start()

    def _connected(self) -> socket.socket | None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 2)
        except OSError:
            return None
        server.settimeout(None)
        return server

    def _run(self, direction: Direction, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            self.forward(direction, source, target)
            target.shutdown(socket.SHUT_RDWR)
