"""The console on a real port, and a live stream read by hand."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from console_app import CHEAP, NOW, Clock, settings
from console_facts import simple_alert
from console_places import MARKET

from contracts.topics import Identity
from contracts.words import Severity
from ledger import alerts, journal
from ledger.engine import Engine, reading, writing
from server.app import create_app
from server.run import serve
from server.signing import sign_in
from timeseries.port import SeriesStore


def raise_some(engine: Engine, *names: str, who: Identity = MARKET) -> list[str]:
    """Raise alerts, each in a transaction of its own; returns their ids."""
    made = []
    for name in names:
        new = simple_alert(
            f"test|{name}", who, Severity.AT_ONCE, NOW, f"测试 {name}", f"Test {name}", "说明"
        )
        with writing(engine) as conn:
            made.append(alerts.raise_alert(conn, new)[0])
    return made


def last_id(engine: Engine) -> int:
    with reading(engine) as conn:
        return journal.last_id(conn)


class Served:
    """The console on a real port."""

    def __init__(self, port: int, tokens: dict[str, str]) -> None:
        self.port = port
        self.tokens = tokens

    def open(self, login: str, path: str, last: int | None = None) -> "LiveStream":
        return LiveStream(self.port, path, self.tokens[login], last)


class LiveStream:
    """A stream of server-sent events, read by hand."""

    def __init__(self, port: int, path: str, token: str, last: int | None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"cookie": f"fs_session={token}", "accept": "text/event-stream"}
        if last is not None:
            headers["last-event-id"] = str(last)
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.getheader("content-type", "").startswith("text/event-stream")
        self.last: int | None = last

    def next(self, *wanted: str) -> tuple[str, dict[str, Any]]:
        """The next event whose name is wanted."""
        told: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode()
            if not line:
                raise EOFError
            if line != "\n":
                name, _, text = line.rstrip("\n").partition(": ")
                told[name] = text
            elif "event" in told:
                if "id" in told:
                    self.last = int(told["id"])
                if told["event"] in wanted:
                    return told["event"], json.loads(told["data"])
                told = {}

    def close(self) -> None:
        self.connection.close()


@contextmanager
def served(
    engine: Engine, series: SeriesStore, clock: Clock, *, port: int = 0, **changes: Any
) -> Iterator[Served]:
    app = create_app(settings(**changes), engine, series, clock=clock, passwords=CHEAP)
    listening = socket.create_server(("127.0.0.1", port))
    stop = threading.Event()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="on"))
    thread = threading.Thread(
        target=lambda: asyncio.run(serve(server, listening, app.state.console, stop))
    )
    thread.start()
    try:
        state = app.state.console
        password = "jiangmen-2026-shian"
        logins = ("shiju", "baisha", "tangxia", "xinhui", "shichang")
        tokens = {login: sign_in(state, login, password, "test")[0] for login in logins}
        yield Served(listening.getsockname()[1], tokens)
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive(), "open streams held the shutdown up"
        listening.close()
