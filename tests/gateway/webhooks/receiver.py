"""A real receiver of webhooks on loopback, that answers as it is told and keeps what it gets."""

import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


class Got(msgspec.Struct, frozen=True):
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = msgspec.json.decode(self.body)
        return told


Answer = Callable[[Got, BaseHTTPRequestHandler], None]


def status(code: int, **headers: str) -> Answer:
    """Answer with this status."""

    def answer(_: Got, to: BaseHTTPRequestHandler) -> None:
        to.send_response(code)
        for name, value in headers.items():
            to.send_header(name.replace("_", "-"), value)
        to.send_header("content-length", "2")
        to.end_headers()
        to.wfile.write(b"ok")

    return answer


def drip(_: Got, to: BaseHTTPRequestHandler) -> None:
    """A byte of a header at a time, for ever."""
    to.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        to.wfile.write(b"x")
        to.wfile.flush()
        time.sleep(0.02)


def endless(_: Got, to: BaseHTTPRequestHandler) -> None:
    """A body without an end."""
    to.send_response(200)
    to.end_headers()
    while True:
        to.wfile.write(b"y" * 65536)


class Receiver:
    """Answers each request with the next of `script`, then with `always`."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.script: list[Answer] = []
        self.always: Answer = status(200)
        self.arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["content-length"])
                named = {name.lower(): value for name, value in self.headers.items()}
                got = Got(self.path, named, self.rfile.read(size))
                with receiver.arrived:
                    receiver.got.append(got)
                    answer = receiver.script.pop(0) if receiver.script else receiver.always
                    receiver.arrived.notify_all()
                try:
                    answer(got, self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook?of=city"

    def wait(self, count: int) -> list[Got]:
        """Until so many have come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, 20), len(self.got)
            return list(self.got)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
