"""A page of the agent over HTTP: its server and threads, and what every answer carries."""

import ipaddress
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import msgspec

from contracts.settings import SettingsError

_log = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
LARGEST_BODY = 64_000
SOCKETS = 16
"""Requests at a time; a browser that reads slowly holds one of them, and nothing else."""


def host_allowed(host: str, names: Sequence[str]) -> bool:
    """True for an address, localhost or one of `names`: a foreign page's name is none of them."""
    bare = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    bare = bare.strip("[]").lower()
    if bare == "localhost" or bare in {name.lower() for name in names}:
        return True
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return False
    return True


class PageServer(ThreadingHTTPServer):
    """Answers each request in a thread; beyond SOCKETS at a time, hangs up."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], handler: type["PageHandler"]) -> None:
        self._sockets = threading.BoundedSemaphore(SOCKETS)
        super().__init__(place, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; beyond SOCKETS at a time, hang up."""
        if self._sockets.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._sockets.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up in the middle is nothing to report."""
        _log.debug("page: %s went away", client_address, exc_info=True)


class PageHandler(BaseHTTPRequestHandler):
    """What the handlers of all pages share."""

    sys_version = ""
    timeout = 10
    names: Sequence[str] = ()
    """Host names under which the page may be asked for, besides addresses."""

    def host_is_ours(self) -> bool:
        """False, with an answer, for a name that is not ours: another's page rebound to us."""
        if host_allowed(self.headers.get("Host", ""), self.host_names()):
            return True
        self.say(HTTPStatus.MISDIRECTED_REQUEST, "asked for under a name that is not ours")
        return False

    def host_names(self) -> Sequence[str]:
        """The names of this page."""
        return self.names

    def origin_is_ours(self) -> bool:
        """False, with an answer, for what another page sends."""
        origin = self.headers.get("Origin")
        if origin is None or urlsplit(origin).netloc == self.headers.get("Host"):
            return True
        self.say(HTTPStatus.FORBIDDEN, "from another page")
        return False

    def cookie(self, name: str) -> str:
        """A cookie's value, empty if there is none."""
        try:
            found = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        except CookieError:
            return ""
        return found.value if found else ""

    def body(self) -> bytes | None:
        """The request's body; None, with an answer, if it is too large."""
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            length = -1
        if not 0 <= length <= LARGEST_BODY:
            self.say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large")
            return None
        return self.rfile.read(length)

    def json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Answer with JSON."""
        self.answer(status, "application/json", msgspec.json.encode(value))

    def say(self, status: HTTPStatus, text: str) -> None:
        """Answer with an error."""
        self.json({"error": text}, status)

    def answer(
        self, status: HTTPStatus, kind: str, body: bytes, more: Mapping[str, str] | None = None
    ) -> None:
        """Answer, under the page's headers."""
        self.send_response(status)
        for name, value in {**HEADERS, **(more or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""


class Serving:
    """One page's server from `start` to `stop`."""

    def __init__(self, name: str, host: str, port: int, make: Callable[[], type[PageHandler]]):
        self._name, self._host, self._make = name, host, make
        self.port = port
        """The port it listens on; known for certain once it is started."""
        self._server: PageServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen. Raises SettingsError if the address cannot be had."""
        try:
            self._server = PageServer((self._host, self.port), self._make())
        except (OSError, OverflowError) as error:
            raise SettingsError(
                f"{self._name}: cannot listen on {self._host}:{self.port}: {error}"
            ) from None
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name=f"{self._name}-http"
        )
        self._thread.start()
        _log.info("%s page on http://%s:%d/", self._name, self._host, self.port)

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None
