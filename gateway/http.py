"""Answers /healthz and /metrics over HTTP, in threads of its own."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from contracts.settings import SettingsError
from gateway.health import Health
from gateway.metrics import CONTENT_TYPE, Metrics


class HttpServer:
    """Serves from `start` to `stop`."""

    def __init__(self, host: str, port: int, health: Health, metrics: Metrics) -> None:
        class Handler(_Handler):
            pass

        Handler.health, Handler.metrics = health, metrics
        self._handler = Handler
        self._host, self._port = host, port
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1]) if self._server else self._port

    def start(self) -> None:
        """Listen and begin to answer. Raises SettingsError if the address cannot be had."""
        try:
            server = ThreadingHTTPServer((self._host, self._port), self._handler)
        except (OSError, OverflowError) as error:
            place = f"{self._host}:{self._port}"
            raise SettingsError(f"http: cannot listen on {place}: {error}") from None
        server.daemon_threads = True
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, args=(0.1,), name="http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End answering and let go of the port."""
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    health: Health
    metrics: Metrics
    timeout = 10

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            report = self.health.report()
            status = 200 if report.status == "ok" else 503
            self._answer(status, "application/json", msgspec.json.encode(report))
        elif path == "/metrics":
            self._answer(200, CONTENT_TYPE, self.metrics.text())
        else:
            self._answer(404, "text/plain; charset=utf-8", b"see /healthz and /metrics\n")

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""
