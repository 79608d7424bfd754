"""A socket that reads ahead: thousands of small reads become a few system calls.

paho reads a packet in four pieces. Each system call lets go of the interpreter lock and must wait
to get it back from whoever computes, so that reading in pieces from the kernel starves the network
thread just when there is most to do.
"""

import ssl
from typing import Protocol

READ_AHEAD = 262_144


class Socket(Protocol):
    """What is asked of the socket below."""

    def recv(self, size: int, /) -> bytes: ...
    def send(self, data: bytes, /) -> int: ...
    def fileno(self) -> int: ...
    def setblocking(self, flag: bool, /) -> None: ...
    def close(self) -> None: ...


class BufferedSocket:
    """What paho asks of a socket, over a plain or a TLS one. For one reading thread."""

    def __init__(self, inner: Socket) -> None:
        self._inner = inner
        self._buffer = b""
        self._at = 0

    def recv(self, size: int) -> bytes:
        """At most `size` bytes, from what was read ahead if there is any."""
        at = self._at
        if at >= len(self._buffer):
            if size >= READ_AHEAD:
                return self._inner.recv(size)
            self._buffer = self._inner.recv(READ_AHEAD)
            at = 0
        self._at = at + size
        return self._buffer[at : at + size]

    def pending(self) -> int:
        """Bytes that can be had without asking the kernel."""
        ahead = max(0, len(self._buffer) - self._at)
        return ahead + (self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0)

    def send(self, data: bytes) -> int:
        """Send what the kernel takes now; returns how much that was."""
        return self._inner.send(data)

    def fileno(self) -> int:
        """For select."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        """Whether calls wait."""
        self._inner.setblocking(flag)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()
