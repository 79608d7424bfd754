"""Receivers of notifications for tests: HTTP(S), a tunnel for services of fixed names, SMTP."""

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from servers import free_port

from contracts.clock import utc_now
from contracts.words import AlertState, Severity
from gateway.accounts.certificates import Authority, make_authority
from gateway.notify.channels.channel import Message
from ledger.alert_types import AlertRow

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
HOSTS = ["qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn", "localhost", "127.0.0.1"]


class Request(msgspec.Struct, frozen=True):
    """What somebody posted."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Reply(msgspec.Struct, frozen=True):
    """What they are answered."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {}
    hold: threading.Event | None = None
    """Answered only when it is set."""


def certificates(folder: Path, hosts: Sequence[str] = HOSTS) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS for these names, and the file of the CA that vouches for it."""
    made = make_authority("test CA", utc_now(), None)
    server = Authority.read(made.pem, made.key_pem, None).server(list(hosts), utc_now(), 2)
    for name, content in (
        ("ca.crt", made.pem),
        ("server.crt", server.pem),
        ("server.key", server.key_pem),
    ):
        (folder / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context, folder / "ca.crt"


class Receiver:
    """An HTTP server that keeps what it gets, and answers from `replies`, the last one for ever."""

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.replies: list[Reply] = [Reply()]
        self.answer: Callable[[Request], Reply] | None = None
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): text for name, text in self.headers.items()}
                reply = receiver._take(Request(self.path, headers, self.rfile.read(size)))
                if reply.hold is not None:
                    reply.hold.wait(30)
                self.send_response(reply.status)
                for name, text in reply.headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that was killed, or did not trust us

        self.server = Server(("127.0.0.1", port), Handler)
        scheme = "http"
        if tls is not None:
            self.server.socket = tls.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.port: int = self.server.server_address[1]
        self.url = f"{scheme}://localhost:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def _take(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            if self.answer is not None:
                return self.answer(request)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


class Tunnel:
    """An HTTPS proxy that leads every CONNECT, whatever its name, to one local port."""

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self._target = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._pumps: list[threading.Thread] = []

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(4096)
            self.asked.append(request.split()[1].decode())
            server = socket.create_connection(("127.0.0.1", self._target))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            for one, other in ((client, server), (server, client)):
                pump = threading.Thread(target=_pump, args=(one, other))
                pump.start()
                self._pumps.append(pump)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for pump in self._pumps:
            pump.join(10)


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while content := one.recv(65536):
            other.sendall(content)
    for side in (one, other):
        with suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
    one.close()


class Mail(msgspec.Struct, frozen=True):
    """An e-mail that was taken."""

    sender: str
    recipients: list[str]
    content: bytes
    secure: bool


class MailServer:
    """A real SMTP server that refuses what `refusals` say, one by one, and keeps the rest."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None
    ) -> None:
        self.mails: list[Mail] = []
        self.refusals: list[str] = []
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=free_port(),
            tls_context=tls,
            require_starttls=tls is not None,
            auth_required=login is not None,
            authenticator=self._authenticate if login else None,
            timeout=20,
        )
        self._login = login

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if not isinstance(data, LoginPassword) or self._login is None:
            return AuthResult(success=False, handled=False)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self._login, handled=False)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes) and envelope.mail_from is not None
        secure = session.ssl is not None
        self.mails.append(Mail(envelope.mail_from, envelope.rcpt_tos, content, secure))
        return "250 OK"

    @property
    def port(self) -> int:
        port: int = self._controller.port
        return port

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


def alert(alert_id: str = "a1", **changes: Any) -> AlertRow:
    """An alert as it stands: a cold store that is too warm."""
    told: dict[str, Any] = {
        "number": 1,
        "alert_id": alert_id,
        "fingerprint": f"cold_store_warm|{alert_id}",
        "rule": "cold_store_warm",
        "rule_version": "1",
        "severity": Severity.DEADLINE,
        "state": AlertState.FIRING,
        "title_zh": "冷库温度超限",
        "title_en": "Cold store too warm",
        "summary_zh": "冷库 1 温度 12.0 Cel，限值 < 8 Cel。",
        "summary_en": "Cold store 1 is at 12.0 Cel, limit < 8 Cel.",
        "region": "440703",
        "site": "canteen1",
        "device": "cold1",
        "establishment_id": None,
        "raised_at": NOON,
        "changed_at": NOON,
        "count": 1,
        "last_event_at": NOON,
        "close_note": "",
        "facts": {"basis": "GB 31654-2021", "value": 12.0},
        "evidence": (),
    }
    empty = ("acknowledged_at", "acknowledged_by", "resolved_at", "closed_at", "closed_by")
    told |= dict.fromkeys((*empty, "result_id", "observation_id"))
    return AlertRow(**(told | changes))


def message(**changes: Any) -> Message:
    """A message about one alert."""
    told: dict[str, Any] = {
        "dedupe": "alert:a1:1",
        "kind": "alert",
        "severity": Severity.DEADLINE,
        "title": "冷库温度超限：冷库 1",
        "body": "冷库 1 温度 12.0 ℃，限值 < 8 ℃。",
        "at": NOON,
        "url": "https://console.example/alerts/a1",
        "group_key": "canteen1|cold_store_warm",
        "region": "440703",
        "site": "canteen1",
        "alerts": (alert(),),
    }
    return Message(**(told | changes))
