"""Looks at a request of the API before any route does: size, type and text of its body, its query.

A body is read whole, up to a bound, and must be JSON in UTF-8 whose strings a database can hold.
A path that takes files is handed its body as it comes, by its own bound.
"""

from collections.abc import Callable
from urllib.parse import parse_qsl

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.bodies import BodyTooLarge
from server.problems import Fault, Problem, at_field, at_parameter, is_api, problem_answer

TakesForm = Callable[[Scope], bool]
"""Whether the route that this request is for takes a form (files) instead of JSON."""
CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class ApiBodies:
    """Refuses what no route could read, with the same answer for all of them."""

    def __init__(self, app: ASGIApp, *, most_bytes: int, takes_form: TakesForm) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.takes_form = takes_form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_api(scope["path"]):
            await self.app(scope, receive, send)
            return
        try:
            check_query(scope["query_string"])
            if scope["method"] in CHANGES:
                receive = await self._checked(scope, receive)
        except Problem as problem:
            await problem_answer(problem)(scope, receive, send)
            return
        except BodyTooLarge as error:
            await problem_answer(Problem(413, "too-large", error.detail))(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        headers = {name.lower(): value for name, value in scope["headers"]}
        kind, _, rest = headers.get(b"content-type", b"").decode("latin-1").partition(";")
        kind = kind.strip().lower()
        if kind in FORMS and self.takes_form(scope):
            return receive
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.most_bytes:
            raise self._too_large()
        body = await self._read(receive)
        if body:
            check_type(kind, rest)
            check_json(body)
        return _again(body, receive)

    async def _read(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.most_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self) -> Problem:
        return Problem(413, "too-large", f"the body has more than {self.most_bytes} bytes")


def check_query(raw: bytes) -> None:
    """Refuse NUL characters. Raises Problem (422)."""
    if b"%00" not in raw and b"\x00" not in raw:
        return
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
    faults = [
        at_parameter(name.replace("\x00", "?"), "holds a NUL character")
        for name, value in pairs
        if "\x00" in name + value
    ]
    raise Problem(422, "invalid-request", "the query holds a NUL character", faults=faults)


def check_type(kind: str, parameters: str) -> None:
    """Refuse what is not said to be JSON in UTF-8. Raises Problem (415)."""
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        raise Problem(415, "unsupported-media-type", "the body must be application/json")
    for one in parameters.split(";"):
        name, _, value = one.partition("=")
        if name.strip().lower() == "charset" and value.strip(" \"'").lower() not in (
            "utf-8",
            "utf8",
            "us-ascii",
        ):
            raise Problem(415, "unsupported-media-type", "JSON is UTF-8")


def check_json(body: bytes) -> None:
    """Refuse what is not JSON by RFC 8259, and strings with NUL. Raises Problem (400, 422)."""
    try:
        body.decode("utf-8")
        told = msgspec.json.decode(body)
    except RecursionError:
        raise Problem(400, "malformed-body", "the JSON is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Problem(400, "malformed-body", f"the body cannot be read: {error}") from None
    if b"\\u0000" in body and (fault := _nul_in(told)) is not None:
        raise Problem(422, "invalid-request", "a string holds a NUL character", faults=[fault])


def _nul_in(told: object) -> Fault | None:
    """Where the first NUL stands."""
    left: list[tuple[tuple[str | int, ...], object]] = [((), told)]
    while left:
        path, one = left.pop()
        if isinstance(one, str) and "\x00" in one:
            return at_field(*path, detail="holds a NUL character")
        if isinstance(one, dict):
            if any("\x00" in name for name in one):
                return at_field(*path, detail="a name holds a NUL character")
            left += [((*path, name), value) for name, value in one.items()]
        elif isinstance(one, list):
            left += [((*path, number), value) for number, value in enumerate(one)]
    return None


def _again(body: bytes, receive: Receive) -> Receive:
    """What was read, once more, and then whatever else comes."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
