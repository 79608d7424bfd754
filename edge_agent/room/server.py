"""The testing room's page over HTTP: what a tablet asks, and who may ask it."""

import logging
import re
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta, timezone
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from contracts.clock import Clock
from contracts.room import SampleRecord
from edge_agent.pages.serving import PageHandler, Serving
from edge_agent.ports import OutboxError
from edge_agent.room import label, views
from edge_agent.room.asked import Choice, Correction, Registration, SignIn, Voiding
from edge_agent.room.desk import Answer, Desk, Fields
from edge_agent.room.label_page import label_css, label_page
from edge_agent.room.operators import SESSION, Gate
from edge_agent.room.settings import RoomSettings
from edge_agent.room.words import OUTBOX, SAID, Refusal, Refused

_log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
_JS, _CSS = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_FILES = {
    "/": ("room.html", _HTML),
    "/room.js": ("room.js", _JS),
    "/register.js": ("register.js", _JS),
    "/lists.js": ("lists.js", _JS),
    "/queue.js": ("queue.js", _JS),
    "/words.js": ("words.js", _JS),
    "/tasks.js": ("tasks.js", _JS),
    "/label.js": ("label.js", _JS),
    "/room.css": ("room.css", _CSS),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
"""The page itself tells nothing: whoever can reach it may have it, and is asked who it is there."""
_SAMPLE = re.compile(r"^/api/samples/([0-9a-f-]{36})/(correct|void|label\.svg)$")
_LABEL = re.compile(r"^/labels/([0-9a-f-]{36})$")
_RESULT = re.compile(r"^/api/results/([0-9a-f]{20})/choose$")
HEADER = "X-Room"
"""What a change must carry: no other page's form can send it."""


class Front:
    """What the threads of the server share."""

    def __init__(
        self,
        desk: Desk,
        gate: Gate,
        settings: RoomSettings,
        clock: Clock,
        connection: Callable[[], dict[str, Any]],
        wake: Callable[[], None],
        out_of_step: Callable[[], str],
    ) -> None:
        self.desk, self.gate, self.settings, self.wake = desk, gate, settings, wake
        self.connection = connection
        self._out_of_step = out_of_step
        self._clock = clock
        self._zone = timezone(timedelta(hours=settings.utc_offset_h))
        self._lock = threading.Lock()
        self._made: tuple[tuple[str, str], dict[str, Any]] | None = None

    def trouble(self) -> dict[str, str] | None:
        """What cannot be written, in words: the room's own file before the outbox."""
        for said, words in (
            (self.desk.store.failing, SAID[Refusal.DISK]),
            (self._out_of_step(), OUTBOX),
        ):
            if said:
                return {"zh": words[0], "en": words[1], "detail": said}
        return None

    def state(self) -> dict[str, Any]:
        """What the page shows, made once for all who ask. Raises OutboxError."""
        now = self._clock().astimezone(self._zone)
        with self._lock:
            key = (self.desk.version, now.date().isoformat())
            if self._made is None or self._made[0] != key:
                self._made = (key, views.state(self.desk, now))
            return self._made[1]


def room_page(front: Front) -> Serving:
    """The page's server, not started yet."""
    settings = front.settings

    def make() -> type[PageHandler]:
        return type("Handler", (_Handler,), {"front": front})

    return Serving("room", settings.host, settings.port, make)


class _Handler(PageHandler):
    server_version = "room"
    front: Front

    def host_names(self) -> Sequence[str]:
        """As the settings name them."""
        return self.front.settings.names

    def do_GET(self) -> None:
        """The page, its state, a label."""
        path, query = urlsplit(self.path)[2:4]
        if not self.host_is_ours():
            return
        if path in _FILES:
            name, kind = _FILES[path]
            self.answer(HTTPStatus.OK, kind, (STATIC / name).read_bytes())
        elif path == "/label.css":
            self.answer(HTTPStatus.OK, _CSS, label_css(self.front.settings))
        elif path == "/api/state":
            self._state()
        elif path == "/api/find":
            self._find(parse_qs(query).get("code", [""])[0])
        elif found := _LABEL.match(path):
            self._label(found[1])
        elif (found := _SAMPLE.match(path)) and found[2] == "label.svg":
            self._qr_code(found[1])
        else:
            self.say(HTTPStatus.NOT_FOUND, "no such page")

    def do_POST(self) -> None:
        """Signing in and out; samples and choices."""
        path = urlsplit(self.path).path
        if not self.host_is_ours() or not self.origin_is_ours():
            return
        body = self.body()
        if body is None:
            return
        if self.headers.get(HEADER) != "1":
            self.say(HTTPStatus.FORBIDDEN, "without the page's header")
            return
        try:
            if path == "/api/signin":
                self._sign_in(msgspec.json.decode(body, type=SignIn))
            elif path == "/api/signout":
                self._signed("", 0)
            else:
                self._change(path, body)
        except msgspec.MsgspecError as error:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, *SAID[Refusal.FIELDS], str(error))
        except Refused as error:
            later = error.why is Refusal.SOON  # what is to be sent again is kept by the page
            status = HTTPStatus.SERVICE_UNAVAILABLE if later else HTTPStatus.UNPROCESSABLE_ENTITY
            self._refuse(status, error.zh, error.en, error.why.value)
        except OutboxError as error:
            _log.error("room: %s", error)
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, *SAID[Refusal.DISK], str(error))

    def _who(self) -> str | None:
        who = self.front.gate.who(self.cookie("room"))
        if who is None:
            self.json(
                {"sign_in": self.front.gate.names()},
                HTTPStatus.UNAUTHORIZED,
            )
        return who

    def _state(self) -> None:
        who = self._who()
        if who is None:
            return
        try:
            told = self.front.state()
        except OutboxError as error:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, *SAID[Refusal.DISK], str(error))
            return
        more = {
            "operator": who,
            "signed_in": not self.front.gate.is_open,
            "connection": self.front.connection(),
            "trouble": self.front.trouble(),
        }
        known = urlsplit(self.path).query == f"known={told['version']}"
        self.json({"version": told["version"], **more} if known else {**told, **more})

    def _find(self, code: str) -> None:
        if self._who() is None:
            return
        try:
            self.json(views.found(self.front.desk, code[:128]))
        except OutboxError as error:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, *SAID[Refusal.DISK], str(error))

    def _label(self, sample_id: str) -> None:
        front = self.front
        if front.gate.who(self.cookie("room")) is None:
            self.answer(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": "/"})
        elif (record := self._record(sample_id)) is not None:
            at = record.registered_at.astimezone(front.desk.zone)
            self.answer(HTTPStatus.OK, _HTML, label_page(record, at, front.settings))

    def _qr_code(self, sample_id: str) -> None:
        if self._who() is None:
            return
        if (record := self._record(sample_id)) is not None:
            self.answer(HTTPStatus.OK, "image/svg+xml", label.qr_svg(record.number))

    def _record(self, sample_id: str) -> SampleRecord | None:
        """A sample; None, with an answer, if there is none."""
        try:
            with self.front.desk.store.reading():
                kept = self.front.desk.store.sample(sample_id)
        except OutboxError as error:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, *SAID[Refusal.DISK], str(error))
            return None
        if kept is None:
            self.say(HTTPStatus.NOT_FOUND, "no such sample")
            return None
        return kept.record

    def _sign_in(self, given: SignIn) -> None:
        session, wait_s = self.front.gate.sign_in(given.name, given.pin)
        if session:
            _log.info("room: %s signed in at %s", given.name, self.client_address[0])
            self._signed(session, int(SESSION.total_seconds()))
            return
        _log.warning("room: %s could not sign in", self.client_address[0])
        zh, en = "姓名或密码不对", "the name or the PIN is wrong"
        if wait_s > 0:
            zh, en = f"{zh}，请 {wait_s:.0f} 秒后再试", f"{en}; try again in {wait_s:.0f} s"
        status = HTTPStatus.TOO_MANY_REQUESTS if wait_s > 0 else HTTPStatus.FORBIDDEN
        self._refuse(status, zh, en)

    def _signed(self, session: str, seconds: int) -> None:
        cookie = f"room={quote(session, safe='=._-')}; HttpOnly; SameSite=Strict; Path=/; "
        self.answer(
            HTTPStatus.OK,
            "application/json",
            b"{}",
            {"Set-Cookie": f"{cookie}Max-Age={seconds}"},
        )

    def _change(self, path: str, body: bytes) -> None:
        who = self._who()
        if who is None:
            return
        desk, answer = self.front.desk, None
        decode = msgspec.json.decode
        if path == "/api/samples":
            form = decode(body, type=Registration)
            fields = {name: getattr(form, name) for name in Fields.__struct_fields__}
            answer = desk.register(form.submit_id, Fields(**fields), who)
        elif (found := _SAMPLE.match(path)) and found[2] == "correct":
            change = decode(body, type=Correction)
            answer = desk.correct(change.submit_id, found[1], change.changes, who)
        elif found and found[2] == "void":
            voiding = decode(body, type=Voiding)
            answer = desk.void(voiding.submit_id, found[1], voiding.reason, who)
        elif found := _RESULT.match(path):
            choice = decode(body, type=Choice)
            answer = desk.choose(choice.submit_id, found[1], choice.sample_id, who)
        self._done(answer)

    def _done(self, answer: Answer | None) -> None:
        if answer is None:
            self.say(HTTPStatus.NOT_FOUND, "no such page")
            return
        self.front.wake()
        self.json(answer)

    def _refuse(self, status: HTTPStatus, zh: str, en: str, detail: str = "") -> None:
        self.json({"error": detail or en, "zh": zh, "en": en}, status)
