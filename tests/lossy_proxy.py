"""A TCP proxy for RTSP that loses RTP packets, falls silent or hangs up, as bad networks do."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self


class LossyProxy:
    """Forwards 127.0.0.1:port to `target` until the `with` block ends.

    `lose` is asked about every interleaved RTP packet (RFC 2326, 10.12) with its number, counted
    from 0 over all connections; what it says yes to is not passed on. `silent` stops what comes
    from the server, `hang_up` ends all connections.
    """

    def __init__(self, target: int, lose: Callable[[int], bool] = lambda _: False) -> None:
        self.target, self.lose = target, lose
        self.silent = threading.Event()
        self.packets = self.lost = self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

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
        for line in self._open:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", self.target))
            self._open += [client, server]
            for run, ends in ((self._up, (client, server)), (self._down, (server, client))):
                thread = threading.Thread(target=run, args=ends)
                self._threads.append(thread)
                thread.start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while content := client.recv(65536):
                server.sendall(content)
            server.shutdown(socket.SHUT_RDWR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        waiting = b""
        with suppress(OSError):
            while content := server.recv(65536):
                if self.silent.is_set():
                    continue
                passed, waiting = self._through(waiting + content)
                client.sendall(passed)
            client.shutdown(socket.SHUT_RDWR)

    def _through(self, content: bytes) -> tuple[bytes, bytes]:
        """What goes on, and what waits for its end."""
        out = b""
        while content:
            if content[:1] != b"$":  # an answer of the RTSP dialogue
                end = content.find(b"$")
                end = len(content) if end < 0 else end
                out, content = out + content[:end], content[end:]
                continue
            size = 4 + int.from_bytes(content[2:4], "big")
            if len(content) < max(4, size):
                break
            is_media = content[1] == 0
            if is_media and self.lose(self.packets):
                self.lost += 1
            else:
                out += content[:size]
            self.packets += is_media
            content = content[size:]
        return out, content
