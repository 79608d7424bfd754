"""Asks an app in this process, without a client or a socket: one call of ASGI a request.

Requests come one after the other, so nothing is gained by threads, and handing over to one and back
costs more than most answers: routes run where the loop runs.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import msgspec
from fastapi import FastAPI


class Answer(msgspec.Struct, frozen=True):
    """What came back. Of a stream that goes on, the first piece."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The problem's kind, if the answer says one."""
        if self.headers.get("content-type") != "application/problem+json":
            return ""
        told = msgspec.json.decode(self.body, type=dict[str, Any])
        return str(told["type"]).rpartition(":")[2]


async def _here(call: Callable[..., Any], *told: Any, **_options: Any) -> Any:
    """What `anyio.to_thread.run_sync` does, without a thread."""
    return call(*told)


class Asking:
    """An app and the loop that it runs in."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()
        self._threads = mock.patch("anyio.to_thread.run_sync", _here)
        self._threads.start()

    def close(self) -> None:
        self._threads.stop()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def __call__(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        csrf: str = "",
        origin: str = "",
        body: Mapping[str, object] | None = None,
    ) -> Answer:
        """One request; a body goes as JSON to the API and as a form elsewhere."""
        headers = {"host": "testserver", "accept-language": "zh-CN"}
        if token:
            headers["cookie"] = f"fs_session={token}"
        if csrf:
            headers["x-csrf-token"] = csrf
        if origin:
            headers["origin"] = origin
        sent = b""
        files = body is not None and any(isinstance(one, bytes) for one in body.values())
        if body is not None and files:
            sent = _multipart(body)
            headers["content-type"] = "multipart/form-data; boundary=b"
        elif body is not None and path.startswith("/api/"):
            sent, headers["content-type"] = msgspec.json.encode(body), "application/json"
        elif body is not None:
            sent = urlencode(dict(body), doseq=True).encode()
            headers["content-type"] = "application/x-www-form-urlencoded"
        headers["content-length"] = str(len(sent))
        return self.loop.run_until_complete(self._ask(method, path, headers, sent))

    async def _ask(self, method: str, path: str, headers: Mapping[str, str], sent: bytes) -> Answer:
        bare, _, query = path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1", "method": method, "scheme": "http", "path": bare,
            "raw_path": bare.encode(), "root_path": "", "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 40000), "server": ("testserver", 80), "state": {},
        }  # fmt: skip
        told: list[dict[str, Any]] = []
        heard = asyncio.Event()
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": sent, "more_body": False}
            await heard.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)
            if message["type"] == "http.response.body":
                heard.set()

        await self.app(scope, receive, send)  # type: ignore[arg-type]
        start = told[0]
        named = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], named, b"".join(one.get("body", b"") for one in told[1:]))


def _multipart(body: Mapping[str, object]) -> bytes:
    """A form whose values are files."""
    parts = [
        b'--b\r\ncontent-disposition: form-data; name="%s"; filename="a.jpg"\r\n\r\n'
        % name.encode()
        + content
        for name, content in body.items()
        if isinstance(content, bytes)
    ]
    return b"\r\n".join([*parts, b"--b--\r\n"])
