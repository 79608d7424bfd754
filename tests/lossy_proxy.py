"""A TCP proxy for RTSP that loses RTP packets, falls silent or hangs up, as bad networks do."""

import socket
import threading
from collections.abc import Callable

from relay import Direction, Relay


class LossyProxy(Relay):
    """`lose` is asked about every interleaved RTP packet (RFC 2326, 10.12) with its number, counted
    from 0 over all connections; what it says yes to is not passed on. `silent` stops what comes
    from the server."""

    def __init__(self, target: int, lose: Callable[[int], bool] = lambda _: False) -> None:
        super().__init__(target)
        self.lose = lose
        self.silent = threading.Event()
        self.packets = self.lost = 0

    def forward(self, direction: Direction, source: socket.socket, target: socket.socket) -> None:
        if direction == "up":
            super().forward(direction, source, target)
            return
        waiting = b""
        while content := source.recv(65536):
            if self.silent.is_set():
                continue
            passed, waiting = self._through(waiting + content)
            target.sendall(passed)

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
