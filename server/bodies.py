"""Refuses requests whose body is larger than their route takes, before they fill memory or disk.

What a request says of its length is believed if it is too much; what it does not say is counted as
it comes. Nothing is read before the route asks for it, so that a stranger's body is never taken in.
"""

import re
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.sheets.cells import MOST_BYTES as SHEET_BYTES
from server.settings import ServerSettings

MOST = 4 * 1024 * 1024
"""Bytes of a request to any route that takes no files."""
_FORM = 1024 * 1024
"""Bytes of a form beside its files."""
_TAKES_SHEETS = re.compile(r"/admin/import/")
_TAKES_FILES = re.compile(r"(?:/api/v1)?/cases(?:/|$)")


class BodyTooLarge(HTTPException):
    """The request's body is larger than this route takes."""

    def __init__(self, most: int) -> None:
        super().__init__(413, f"the request is larger than {most / 1024 / 1024:g} MB")


class BodyLimit:
    """Counts what comes in; `most` says how many bytes a path takes."""

    def __init__(self, app: ASGIApp, *, most: Callable[[str], int]) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.most(scope["path"])
        told = _told_length(scope)
        taken = 0

        async def receive_some() -> Message:
            nonlocal taken
            if told > most:
                raise BodyTooLarge(most)
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > most:
                    raise BodyTooLarge(most)
            return message

        await self.app(scope, receive_some, send)


def _told_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def most_bytes(settings: ServerSettings, path: str) -> int:
    """Bytes that a request to `path` may have."""
    if _TAKES_SHEETS.match(path):
        return SHEET_BYTES + _FORM
    if not _TAKES_FILES.match(path):
        return MOST
    return settings.uploads.most_files * settings.uploads.most_bytes + _FORM
