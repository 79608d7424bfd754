"""A socket that reads ahead: thousands of small reads become a few system calls.

paho reads a packet in four pieces. Each system call lets go of the interpreter lock and must wait
to get it back from whoever computes, so that reading in pieces from the kernel starves the network
thread just when there is most to do. Publications, of which there are thousands in a second, are
taken out of what was read ahead in bulk, before paho sees it.
"""

import ssl
from typing import Protocol

from gateway.packets import Publication, packet_length, read_publications

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

    def publications(self) -> list[Publication]:
        """The publications that come next, as many as can be had without waiting.

        To be called between packets, when there is something to read. Reads from the kernel once
        if what was read ahead holds no whole packet. Raises what the socket's `recv` raises,
        EOFError at the end of the connection, and Malformed.
        """
        taken: list[Publication] = []
        if not self.whole_packet():
            more = self._inner.recv(READ_AHEAD)
            self._buffer = self._buffer[self._at :] + more
            self._at = 0
            if not more:
                raise EOFError
        self._at = read_publications(self._buffer, self._at, taken)
        return taken

    def whole_packet(self) -> bool:
        """Whether a whole packet waits in what was read ahead. Raises Malformed."""
        length = packet_length(self._buffer, self._at)
        return length is not None and self._at + length <= len(self._buffer)

    def pending(self) -> int:
        """Bytes that can be had without asking the kernel; 0 if they are no whole packet yet."""
        ahead = len(self._buffer) - self._at if self.whole_packet() else 0
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
