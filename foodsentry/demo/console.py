"""A supervisor's console without a screen: follows the live stream, notes when alerts come.

It speaks to the server as a browser does, so that what it measures is what a browser would see.
"""

import http.client
import json
import logging
import re
import threading
import urllib.parse
from datetime import datetime

from contracts.clock import Clock
from foodsentry.demo.sse import ServerSentEvents

log = logging.getLogger(__name__)
LIVE = "/alerts/live"


class SignInFailed(RuntimeError):
    """The server did not let the console in; the text says what it answered."""


def sign_in(port: int, login: str, password: str) -> str:
    """Go through the form as a browser does; returns the cookies. Raises SignInFailed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/signin")
        answer = connection.getresponse()
        page = answer.read().decode()
        cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        form = re.search(r'name="form"[^>]*value="([^"]+)"', page)
        body = {"login": login, "password": password, "form": form[1] if form else ""}
        connection.request(
            "POST",
            "/signin",
            urllib.parse.urlencode(body),
            {"content-type": "application/x-www-form-urlencoded", "cookie": cookie},
        )
        answer = connection.getresponse()
        answer.read()
        cookies = answer.headers.get_all("set-cookie") or []
        if answer.status != 303 or not cookies:
            raise SignInFailed(f"sign-in of {login} was answered with {answer.status}")
        return "; ".join(one.partition(";")[0] for one in cookies)
    finally:
        connection.close()


class Console:
    """Follows the alert desk of one officer in a thread of its own."""

    def __init__(self, port: int, login: str, password: str, clock: Clock) -> None:
        self._port, self._clock = port, clock
        self.cookie = sign_in(port, login, password)
        """What a request must carry to be this officer's."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="console", daemon=True)
        self._connection: http.client.HTTPConnection | None = None
        self.first_shown_at: dict[str, datetime] = {}
        """When each alert was first told by the stream."""

    def start(self, cursor: int) -> None:
        """Follow everything after journal id `cursor`."""
        self._cursor = cursor
        self._thread.start()

    def stop(self) -> None:
        """End the stream."""
        self._stop.set()
        if self._connection and self._connection.sock:
            self._connection.sock.close()
        self._thread.join(5)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except (OSError, http.client.HTTPException) as error:
                if not self._stop.wait(0.5):
                    log.warning("the live stream broke, coming back: %s", error)

    def _read(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"cookie": self.cookie, "last-event-id": str(self._cursor)}
        try:
            self._connection.request("GET", LIVE, headers=headers)
            answer = self._connection.getresponse()
            if answer.status != 200:
                raise http.client.HTTPException(f"{LIVE} answered {answer.status}")
            parser = ServerSentEvents()
            while not self._stop.is_set() and (piece := answer.read1(65536)):
                for event in parser.receive(piece):
                    if event.id:
                        self._cursor = int(event.id)
                    if event.name == "alert":
                        alert_id = json.loads(event.data)["alert_id"]
                        self.first_shown_at.setdefault(alert_id, self._clock())
        finally:
            self._connection.close()
