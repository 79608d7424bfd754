"""Posts one message: to an address that was judged before, without redirects, bounded in all.

The name is resolved here, every address it has is judged (`contracts.hook_url`), and the connection
is made to one of these; the certificate is checked against the name.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence

import msgspec

from contracts.hook_url import Address, BadTarget, HookTarget, may_reach, parse_hook_url

ANSWER_MOST = 4096
"""Bytes of an answer that are read."""
HEADERS_MOST = 16_384

Resolve = Callable[[str, int], Sequence[str]]


class Posted(msgspec.Struct, frozen=True):
    """What came of it."""

    status: int | None
    """None: there was no answer."""
    said: str
    """Why there was none, or the beginning of the answer."""
    retry_after_s: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def receiver_down(self) -> bool:
        """Whether other messages would fare no better now."""
        return self.status is None or self.status in (408, 425, 429) or self.status >= 500


def resolve(host: str, port: int) -> list[str]:
    """Every address of the name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
    networks: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
    look_up: Resolve = resolve,
) -> Posted:
    """Post once, all of it within `timeout_s` from the connection on."""
    try:
        target = parse_hook_url(url, networks)
        addresses = _judged(target, networks, look_up)
    except BadTarget as error:
        return Posted(None, f"the URL {error}")
    except OSError as error:
        return Posted(None, f"the name cannot be resolved: {error.strerror or error}")
    said = ""
    for address in addresses[:2]:
        connection = _Judged(target, str(address), timeout_s, tls)
        guard = threading.Timer(timeout_s, connection.cut)
        guard.daemon = True
        guard.start()
        try:
            return _ask(connection, target, body, headers)
        except ssl.SSLError as error:
            return Posted(None, f"TLS: {error.reason or error}"[:200])
        except (OSError, http.client.HTTPException, AttributeError) as error:
            # The guard takes the socket away from under a receiver that never comes to an end.
            late = connection.was_cut or isinstance(error, TimeoutError)
            said = f"no answer within {timeout_s:g} s" if late else _reason(error)
            if connection.sent or late:
                return Posted(None, said)
        finally:
            guard.cancel()
            connection.close()
    return Posted(None, said)


def _ask(
    connection: "_Judged", target: HookTarget, body: bytes, headers: Mapping[str, str]
) -> Posted:
    connection.connect()
    connection.sent = True
    given = {"Host": target.authority, "Connection": "close", "Accept": "*/*", **headers}
    connection.request("POST", target.path, body=body, headers=given)
    answer = connection.getresponse()
    start = answer.read(ANSWER_MOST)
    if connection.was_cut:
        raise TimeoutError
    text = start.decode("utf-8", "replace").replace("\x00", "")
    asked = answer.getheader("Retry-After", "")
    wait_s = float(asked) if asked.isascii() and asked.isdigit() else None
    if 300 <= answer.status < 400:
        text = "redirects are not followed"
    return Posted(answer.status, " ".join(text.split())[:200], wait_s)


class _Judged(http.client.HTTPConnection):
    """A connection to an address that was judged; TLS is for the name."""

    def __init__(
        self, target: HookTarget, address: str, timeout_s: float, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(target.host, target.port, timeout=timeout_s)
        self._target = target
        self._address = address
        self._tls = tls
        self.sent = False
        self.was_cut = False

    def connect(self) -> None:
        made = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = made
        if self._target.scheme == "https":
            tls = self._tls or ssl.create_default_context()
            self.sock = tls.wrap_socket(made, server_hostname=self._target.host)

    def cut(self) -> None:
        """End it now, whatever it is doing."""
        self.was_cut = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def _judged(target: HookTarget, networks: Sequence[str], look_up: Resolve) -> list[Address]:
    own = target.address
    told = [str(own)] if own is not None else list(look_up(target.host, target.port))
    found = [ipaddress.ip_address(one.partition("%")[0]) for one in told]
    if not found:
        raise BadTarget("has a name without an address")
    # One bad address among good ones is an attack, or a mistake that is none of ours to guess.
    if not all(may_reach(one, networks) for one in found):
        raise BadTarget("leads to an address that is not public, and the settings do not allow it")
    return found


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:200]
