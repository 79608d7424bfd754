"""A network line between an agent and its broker that is cut, or loses what goes one way."""

import socket
import threading
from contextlib import suppress
from typing import Self


class Wire:
    """Forwards 127.0.0.1:port to `target` until the `with` block ends.

    `loses` names a direction ("up", "down"): what goes there is swallowed, and both ends believe
    the line to be whole. `cut` ends all connections and lets none come; `mend` makes it whole.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.loses = ""
        self.lost = threading.Event()
        """Something was swallowed since the last `lose`."""
        self._whole = True
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name="wire")]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(5)
        self.cut()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()
        for line in self._open:
            line.close()

    def lose(self, direction: str) -> None:
        """Swallow what goes "up" or "down" from now on."""
        self.lost.clear()
        self.loses = direction

    def cut(self) -> None:
        """No network: nothing goes either way until it is mended."""
        with self._lock:
            self._whole = False
            for line in self._open:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """The network is back."""
        with self._lock:
            self.loses = ""
            self._whole = True

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if not self._whole:
                    client.close()
                    continue
                try:
                    server = socket.create_connection(("127.0.0.1", self.target), 2)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                self._open += [client, server]
            for ends in (("up", client, server), ("down", server, client)):
                thread = threading.Thread(target=self._forward, args=ends, name="wire")
                self._threads.append(thread)
                thread.start()

    def _forward(self, direction: str, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                if self.loses == direction:
                    self.lost.set()
                else:
                    target.sendall(content)
            target.shutdown(socket.SHUT_RDWR)
