"""The edge's own MQTT link, driven by one asyncio loop instead of a thread for each.

Everything that is said on the wire is `edge_agent.uplink.mqtt.Link`'s: client id, last will,
credentials, session, receipts subscription. Only who waits for the socket is another. Connecting
may block (a broker that hangs, TLS), so it is done in a small pool of threads.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from edge_agent.uplink.mqtt import Endpoint, Link, LinkEvent


class FleetLink(Link):
    """One agent's connection. All but `_open` runs in the loop's thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        dialers: Executor,
        endpoint: Endpoint,
        will: tuple[str, bytes] | None,
        subscription: str,
        emit: Callable[[LinkEvent], None],
    ) -> None:
        """Prepare. Raises OSError or ValueError for a CA file that cannot be used."""
        super().__init__(endpoint, will, subscription, emit)
        self._loop = loop
        self._dialers = dialers
        self._watched: Any = None
        """The socket that the loop looks after."""
        self._client.on_socket_close = self._on_socket_close
        self._client.on_socket_register_write = self._on_register_write
        self._client.on_socket_unregister_write = self._on_unregister_write

    def open(self) -> None:
        """Begin to connect in the background; `Up` or `Down` follows."""
        self._dialers.submit(self._open)

    def misc(self) -> None:
        """Keep-alive: call it about once a second."""
        if self._watched is not None:
            self._client.loop_misc()

    def _open(self) -> None:
        problem = "not wanted any more" if self._closed.is_set() else self._dial()
        if problem:
            self._loop.call_soon_threadsafe(self._end, problem)
        else:
            self._loop.call_soon_threadsafe(self._attach)

    def _attach(self) -> None:
        sock = self._client.socket()
        if sock is None:
            self._end("connection lost while it was made")
            return
        self._watched = sock
        self._loop.add_reader(sock, self._read)
        if self._client.want_write():
            self._loop.add_writer(sock, self._write)
        if self._closed.is_set():
            self._client.disconnect()

    def _read(self) -> None:
        self._client.loop_read()
        while self._watched is not None and getattr(self._watched, "pending", int)():
            self._client.loop_read()  # TLS has decrypted more than one packet

    def _write(self) -> None:
        self._client.loop_write()

    # Called by paho

    def _on_socket_close(self, _client: Any, _userdata: object, sock: Any) -> None:
        if self._watched is not None:
            self._watched = None
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _on_register_write(self, _client: Any, _userdata: object, sock: Any) -> None:
        if self._watched is not None:
            self._loop.add_writer(sock, self._write)

    def _on_unregister_write(self, _client: Any, _userdata: object, sock: Any) -> None:
        if self._watched is not None:
            with contextlib.suppress(OSError):
                self._loop.remove_writer(sock)
