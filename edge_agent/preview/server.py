"""The preview page over HTTP, a worker of the agent. Cameras never wait for it."""

import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from contracts.clock import Clock
from contracts.settings import SettingsError
from edge_agent.cameras.frames import Ticks
from edge_agent.cameras.tools.scene_edit import save_polygons
from edge_agent.pages.serving import PageHandler, Serving
from edge_agent.preview import views
from edge_agent.preview.board import Board
from edge_agent.preview.guard import Guard
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
_CAMERA = re.compile(r"^/api/cameras/([A-Za-z0-9_-]{1,64})(/picture\.jpg|/areas|)$")
Looked = Callable[[str], list[dict[str, str]]]


@dataclass(slots=True)
class Desk:
    """What the threads of the server share."""

    settings: PreviewSettings
    board: Board
    guard: Guard
    scenes: Mapping[str, Path]
    """Device id to its scene file."""
    clock: Clock
    looked: Looked = lambda _device: []
    """Who looked at a camera through the city's console, the newest first."""
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
        looked: Looked | None = None,
    ) -> None:
        guard = Guard(password, settings.most_viewers, ticks)
        self._desk = Desk(settings, board, guard, scenes, clock, looked or (lambda _device: []))
        self._serving = Serving("preview", settings.host, settings.port, self._handler)
        self.ready = threading.Event()

    @property
    def port(self) -> int:
        """The port it listens on; known for certain once `ready` is set."""
        return self._serving.port

    def _handler(self) -> type[PageHandler]:
        return type("Handler", (_Handler,), {"_desk": self._desk})

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set. Raises SettingsError if the address cannot be had."""
        self._serving.start()
        self.ready.set()
        try:
            stop.wait()
        finally:
            self._serving.stop()
            self.ready.clear()


class _Handler(PageHandler):
    server_version = "preview"
    _desk: Desk

    def host_names(self) -> Sequence[str]:
        """As the settings name them."""
        return self._desk.settings.names

    def do_GET(self) -> None:
        """Pages, values, pictures."""
        path = urlsplit(self.path).path
        if not self.host_is_ours():
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
            self.say(HTTPStatus.NOT_FOUND, "no such page")

    def do_POST(self) -> None:
        """Signing in and out; saving polygons."""
        path = urlsplit(self.path).path
        if not self.host_is_ours() or not self.origin_is_ours():
            return
        body = self.body()
        if body is None:
            return
        if path == "/signin":
            self._sign_in(body)
        elif not self._may(path):
            return
        elif self.headers.get("X-Preview-Token") != self._desk.guard.token:
            self.say(HTTPStatus.FORBIDDEN, "without the page's token")
        elif path == "/signout":
            self._desk.guard.sign_out(self.cookie("session"))
            self.answer(HTTPStatus.NO_CONTENT, "text/plain", b"")
        elif (found := _CAMERA.match(path)) and found[2] == "/areas":
            self._save(found[1], body)
        else:
            self.say(HTTPStatus.NOT_FOUND, "no such page")

    def _may(self, path: str) -> bool:
        guard = self._desk.guard
        if guard.is_open or guard.signed_in(self.cookie("session")):
            return True
        if path == "/":
            self.answer(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": "/signin"})
        else:
            self.say(HTTPStatus.UNAUTHORIZED, "sign in first")
        return False

    def _file(self, path: str) -> None:
        name, kind = _FILES[path]
        more = {}
        if path == "/" and not self.cookie("viewer"):
            more["Set-Cookie"] = (
                f"viewer={secrets.token_urlsafe(12)}; HttpOnly; SameSite=Strict; Path=/"
            )
        self.answer(HTTPStatus.OK, kind, (STATIC / name).read_bytes(), more)

    def _admitted(self) -> bool:
        viewer = self.cookie("viewer") or str(self.client_address[0])
        if self._desk.guard.admits(viewer):
            return True
        self.say(HTTPStatus.SERVICE_UNAVAILABLE, "too many viewers")
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
        self.json(told)

    def _camera(self, device: str, *, wants_picture: bool) -> None:
        if not self._admitted():
            return
        shown = self._desk.board.shown(device)
        if shown is None:
            self.say(HTTPStatus.NOT_FOUND, "no such camera")
        elif wants_picture:
            asked = parse_qs(urlsplit(self.path).query).get("faces") == ["1"]
            guard = self._desk.guard
            if asked and (guard.is_open or not self._desk.settings.faces):
                self.say(HTTPStatus.FORBIDDEN, "heads stay hidden here")
                return
            made = self._desk.picture(device, faces=asked)
            if made is None:
                self.say(HTTPStatus.NOT_FOUND, "no picture yet")
            else:
                self.answer(HTTPStatus.OK, "image/jpeg", made)
        else:
            told = {"editable": device in self._desk.scenes, "looked": self._desk.looked(device)}
            self.json({**views.detail(device, shown), **told})

    def _sign_in(self, body: bytes) -> None:
        given = parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]
        session = self._desk.guard.sign_in(given)
        if session is None:
            _log.warning("preview: %s could not sign in", self.client_address[0])
            self.answer(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": "/signin#wrong"})
            return
        _log.info("preview: %s signed in", self.client_address[0])
        cookie = f"session={session}; HttpOnly; SameSite=Strict; Path=/"
        self.answer(
            HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": "/", "Set-Cookie": cookie}
        )

    def _save(self, device: str, body: bytes) -> None:
        path = self._desk.scenes.get(device)
        if path is None:
            self.say(HTTPStatus.NOT_FOUND, "no such camera")
            return
        try:
            areas = msgspec.json.decode(body, type=dict[str, list[list[tuple[float, float]]]])
            backup = save_polygons(path, areas, self._desk.clock())
        except (msgspec.DecodeError, SettingsError, OSError) as error:
            self.say(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
            return
        _log.info("preview: %s saved %s", self.client_address[0], path)
        self.json({"saved": path.name, "backup": backup.name})
