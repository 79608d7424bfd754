"""The preview page over HTTP, a worker of the agent. Cameras never wait for it."""

import logging
import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from contracts.clock import Clock
from contracts.settings import SettingsError
from edge_agent.cameras.frames import Ticks
from edge_agent.cameras.tools.scene_edit import save_polygons
from edge_agent.preview import views
from edge_agent.preview.board import Board
from edge_agent.preview.guard import Guard, host_allowed
from edge_agent.preview.settings import PreviewSettings

_log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/signin": ("signin.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/words.js": ("words.js", "text/javascript; charset=utf-8"),
    "/editor.js": ("editor.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_FREE = {"/signin", "/page.css", "/icon.svg"}
"""What may be had without signing in."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_CAMERA = re.compile(r"^/api/cameras/([A-Za-z0-9_-]{1,64})(/picture\.jpg|/areas|)$")
LARGEST_BODY = 64_000
SOCKETS = 16
"""Requests at a time; a browser that reads slowly holds one of them, and no camera."""


@dataclass(slots=True)
class Desk:
    """What the threads of the server share."""

    settings: PreviewSettings
    board: Board
    guard: Guard
    scenes: Mapping[str, Path]
    """Device id to its scene file."""
    clock: Clock
    _pictures: dict[str, tuple[tuple[int, bool], bytes]] = field(default_factory=dict, init=False)
    _making: threading.Lock = field(default_factory=threading.Lock, init=False)

    def picture(self, device: str, *, faces: bool) -> bytes | None:
        """The camera's picture, made once for all who ask for it."""
        shown = self.board.shown(device)
        if shown is None:
            return None
        key = (views.picture_number(shown), faces)
        with self._making:
            known = self._pictures.get(device)
            if known is not None and known[0] == key and not faces:
                return known[1]
            made = views.picture(shown, faces=faces)
            if made is not None and not faces:
                self._pictures[device] = (key, made)
            return made


class Preview:
    """The worker that serves the page until it is told to stop."""

    name = "preview"

    def __init__(
        self,
        settings: PreviewSettings,
        password: str | None,
        board: Board,
        scenes: Mapping[str, Path],
        clock: Clock,
        ticks: Ticks = time.monotonic,
    ) -> None:
        guard = Guard(password, settings.most_viewers, ticks)
        self._desk = Desk(settings, board, guard, scenes, clock)
        self.port = settings.port
        """The port it listens on; known for certain once `ready` is set."""
        self.ready = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set. Raises SettingsError if the address cannot be had."""
        place = (self._desk.settings.host, self.port)
        try:
            server = _Server(place, self._desk)
        except (OSError, OverflowError) as error:
            raise SettingsError(
                f"preview: cannot listen on {place[0]}:{place[1]}: {error}"
            ) from None
        self.port = int(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="preview-http")
        thread.start()
        _log.info("preview page on http://%s:%d/", place[0], self.port)
        self.ready.set()
        try:
            stop.wait()
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            self.ready.clear()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], desk: Desk) -> None:
        self.desk = desk
        self._sockets = threading.BoundedSemaphore(SOCKETS)
        super().__init__(place, _Handler)

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
        _log.debug("preview: %s went away", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "preview"
    sys_version = ""
    timeout = 10

    @property
    def _desk(self) -> Desk:
        return self.server.desk

    def do_GET(self) -> None:
        """Pages, values, pictures."""
        path = urlsplit(self.path).path
        if not self._host_is_ours():
            return
        if path not in _FREE and not self._may(path):
            return
        if path in _FILES:
            self._file(path)
        elif path == "/api/cameras":
            self._cameras()
        elif (found := _CAMERA.match(path)) and found[2] != "/areas":
            self._camera(found[1], wants_picture=bool(found[2]))
        else:
            self._say(HTTPStatus.NOT_FOUND, "no such page")

    def do_POST(self) -> None:
        """Signing in and out; saving polygons."""
        path = urlsplit(self.path).path
        if not self._host_is_ours():
            return
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != self.headers.get("Host"):
            self._say(HTTPStatus.FORBIDDEN, "from another page")
            return
        body = self._body()
        if body is None:
            return
        if path == "/signin":
            self._sign_in(body)
        elif not self._may(path):
            return
        elif self.headers.get("X-Preview-Token") != self._desk.guard.token:
            self._say(HTTPStatus.FORBIDDEN, "without the page's token")
        elif path == "/signout":
            self._desk.guard.sign_out(self._cookie("session"))
            self._answer(HTTPStatus.NO_CONTENT, "text/plain", b"")
        elif (found := _CAMERA.match(path)) and found[2] == "/areas":
            self._save(found[1], body)
        else:
            self._say(HTTPStatus.NOT_FOUND, "no such page")

    def _host_is_ours(self) -> bool:
        if host_allowed(self.headers.get("Host", ""), self._desk.settings.names):
            return True
        self._say(HTTPStatus.MISDIRECTED_REQUEST, "asked for under a name that is not ours")
        return False

    def _may(self, path: str) -> bool:
        guard = self._desk.guard
        if guard.is_open or guard.signed_in(self._cookie("session")):
            return True
        if path == "/":
            self._answer(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": "/signin"})
        else:
            self._say(HTTPStatus.UNAUTHORIZED, "sign in first")
        return False

    def _cookie(self, name: str) -> str:
        try:
            found = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        except CookieError:
            return ""
        return found.value if found else ""

    def _body(self) -> bytes | None:
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            length = -1
        if not 0 <= length <= LARGEST_BODY:
            self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large")
            return None
        return self.rfile.read(length)

    def _file(self, path: str) -> None:
        name, kind = _FILES[path]
        more = {}
        if path == "/" and not self._cookie("viewer"):
            more["Set-Cookie"] = (
                f"viewer={secrets.token_urlsafe(12)}; HttpOnly; SameSite=Strict; Path=/"
            )
        self._answer(HTTPStatus.OK, kind, (STATIC / name).read_bytes(), more)

    def _admitted(self) -> bool:
        viewer = self._cookie("viewer") or str(self.client_address[0])
        if self._desk.guard.admits(viewer):
            return True
        self._say(HTTPStatus.SERVICE_UNAVAILABLE, "too many viewers")
        return False

    def _cameras(self) -> None:
        if not self._admitted():
            return
        desk, listed = self._desk, []
        for device in desk.board.devices():
            shown = desk.board.shown(device)
            if shown is not None:
                listed.append(views.summary(device, shown))
        told = {
            "cameras": listed,
            "token": desk.guard.token,
            "signed_in": not desk.guard.is_open,
            "faces": desk.settings.faces and not desk.guard.is_open,
        }
        self._json(told)

    def _camera(self, device: str, *, wants_picture: bool) -> None:
        if not self._admitted():
            return
        shown = self._desk.board.shown(device)
        if shown is None:
            self._say(HTTPStatus.NOT_FOUND, "no such camera")
        elif wants_picture:
            asked = parse_qs(urlsplit(self.path).query).get("faces") == ["1"]
            guard = self._desk.guard
            if asked and (guard.is_open or not self._desk.settings.faces):
                self._say(HTTPStatus.FORBIDDEN, "heads stay hidden here")
                return
            made = self._desk.picture(device, faces=asked)
            if made is None:
                self._say(HTTPStatus.NOT_FOUND, "no picture yet")
            else:
                self._answer(HTTPStatus.OK, "image/jpeg", made)
        else:
            self._json({**views.detail(device, shown), "editable": device in self._desk.scenes})

    def _sign_in(self, body: bytes) -> None:
        given = parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]
        session = self._desk.guard.sign_in(given)
        if session is None:
            _log.warning("preview: %s could not sign in", self.client_address[0])
            self._answer(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": "/signin#wrong"})
            return
        _log.info("preview: %s signed in", self.client_address[0])
        cookie = f"session={session}; HttpOnly; SameSite=Strict; Path=/"
        self._answer(
            HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": "/", "Set-Cookie": cookie}
        )

    def _save(self, device: str, body: bytes) -> None:
        path = self._desk.scenes.get(device)
        if path is None:
            self._say(HTTPStatus.NOT_FOUND, "no such camera")
            return
        try:
            areas = msgspec.json.decode(body, type=dict[str, list[list[tuple[float, float]]]])
            backup = save_polygons(path, areas, self._desk.clock())
        except (msgspec.DecodeError, SettingsError, OSError) as error:
            self._say(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
            return
        _log.info("preview: %s saved %s", self.client_address[0], path)
        self._json({"saved": path.name, "backup": backup.name})

    def _json(self, value: object) -> None:
        self._answer(HTTPStatus.OK, "application/json", msgspec.json.encode(value))

    def _say(self, status: HTTPStatus, text: str) -> None:
        body = msgspec.json.encode({"error": text})
        self._answer(status, "application/json", body)

    def _answer(
        self, status: HTTPStatus, kind: str, body: bytes, more: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **(more or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""
