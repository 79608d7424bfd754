"""What both our MQTT clients add to paho's: TLS files read anew, and why a connection failed.

A mixin, so that nothing here needs paho.
"""

import socket
import ssl
from typing import Any

from contracts.tls import TlsFiles, handshake, tls_problem


class TlsClient:
    """To be put before paho's `Client` among the bases; renewing a certificate needs no restart."""

    tls: TlsFiles | None = None
    trouble = ""
    """Why the last reading failed, which paho only logs; empty if TLS has nothing to do with it."""
    _host: str
    _connect_timeout: float

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        if self.tls is None:
            raise ValueError("TLS without its files")
        return handshake(self.tls.context(), tcp_sock, self._host, self._connect_timeout)

    def _sock_recv(self, bufsize: int) -> bytes:
        try:
            inner: Any = super()
            received: bytes = inner._sock_recv(bufsize)
        except BlockingIOError:
            raise
        except OSError as error:
            self._note(error)
            raise
        return received

    def _note(self, error: OSError) -> None:
        # Not the error itself: its trace would hold the dead connection.
        self.trouble = tls_problem(error, self._host)
