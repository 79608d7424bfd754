"""Errors as answers: RFC 9457 problem details for the API, a plain page for people."""

import logging
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match

from ledger.engine import LedgerDown, LedgerRefused
from server.pages import render
from server.problem_kinds import URN
from server.security import FIXED_HEADERS
from server.state import state_of
from timeseries.port import SeriesDown

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
DOCS = "/api/v1/docs"
"""The one page for people below /api."""
OCCURRENCE = "urn:foodsentry:occurrence:"
_CHALLENGE = {"www-authenticate": 'Bearer realm="foodsentry"'}
_KIND_OF = {400: "malformed-body", 413: "too-large"}
"""What the framework's own refusals are called, where their status has another phrase."""
_PLACES = ("body", "query", "path", "header", "cookie")


class ProblemError(BaseModel):
    """What is wrong with one part of the request."""

    in_: Literal["body", "query", "path", "header", "cookie"] = Field(
        alias="in", description="Which part of the request.", examples=["query"]
    )
    pointer: str | None = Field(
        default=None,
        description="JSON Pointer (RFC 6901) of the field in the body; empty: all of it.",
        examples=["/note"],
    )
    parameter: str | None = Field(
        default=None, description="Name of the parameter outside the body.", examples=["limit"]
    )
    detail: str = Field(description="What is wrong with it.", examples=["should be at most 200"])


class ProblemDetails(BaseModel):
    """The body of every error of the API (RFC 9457)."""

    type: str = Field(
        description="Stable name of the kind of error.",
        examples=["urn:foodsentry:problem:not-found"],
    )
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(
        default="", description="What is wrong with this request.", examples=["no such alert"]
    )
    instance: str | None = Field(
        default=None,
        description="Of a defect: the id by which the server's log knows it.",
        examples=["urn:foodsentry:occurrence:9f2c41d07be8a635"],
    )
    errors: list[ProblemError] | None = Field(
        default=None, description="What is wrong where, for status 422."
    )
    state: str | None = Field(
        default=None, description="Of a case: its state now.", examples=["disposing"]
    )
    version: int | None = Field(
        default=None, description="Of a case: its version now.", examples=[5]
    )


class Fault(msgspec.Struct, frozen=True, omit_defaults=True, rename={"in_": "in"}):
    """One of a problem's `errors`."""

    detail: str
    in_: Literal["body", "query", "path", "header", "cookie"] | None = None
    pointer: str | None = None
    parameter: str | None = None


def at_field(*path: str | int, detail: str) -> Fault:
    """A fault of a field of the body."""
    return Fault(detail, "body", pointer="".join(f"/{_escaped(part)}" for part in path))


def at_parameter(
    name: str, detail: str, place: Literal["query", "path", "header", "cookie"] = "query"
) -> Fault:
    """A fault of a parameter."""
    return Fault(detail, place, parameter=name)


class Problem(Exception):
    """An answer that is an error. `kind` is its stable name, one of `problem_kinds.KINDS`."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        *,
        faults: Sequence[Fault] = (),
        occurrence: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or kind)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.faults = tuple(faults)
        self.occurrence = occurrence
        self.more = dict(more or {})
        """Further members of the answer, among those of `ProblemDetails`."""


class SignInNeeded(Exception):
    """Nobody is signed in, or the session has ended."""


class PasswordChangeNeeded(Exception):
    """Whoever is signed in must choose a new password before they do anything else."""


def not_found(what: str) -> Problem:
    """Nothing of that name, or nothing that this officer can see: the two are not told apart."""
    return Problem(404, "not-found", f"no such {what}")


def is_api(path: str) -> bool:
    """Whether programs ask here: errors are problem details, and tokens count."""
    return path != DOCS and (path == "/api" or path.startswith("/api/"))


def problem_answer(problem: Problem) -> Response:
    """The problem as JSON."""
    body: dict[str, Any] = {
        "type": f"{URN}{problem.kind}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.occurrence:
        body["instance"] = f"{OCCURRENCE}{problem.occurrence}"
    faults = problem.faults
    if problem.status == 422 and not faults:
        faults = (Fault(problem.detail, "body", pointer=""),)
    if faults:
        body["errors"] = faults
    body |= problem.more
    return Response(
        msgspec.json.encode(body), problem.status, media_type=MEDIA_TYPE, headers=problem.headers
    )


def _answer(request: Request, problem: Problem) -> Response:
    if is_api(request.url.path):
        return problem_answer(problem)
    answer = render(
        request,
        "error.html",
        status=problem.status,
        problem=problem,
        known=state_of(request).words["en"].has(f"error.{problem.status}"),
    )
    answer.headers.update(problem.headers)
    return answer


def install(app: FastAPI, routes: Sequence[APIRoute]) -> None:
    """Let every exception that leaves a route become such an answer."""

    @app.exception_handler(Problem)
    async def on_problem(request: Request, error: Problem) -> Response:
        return _answer(request, error)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        kind = _KIND_OF.get(error.status_code, phrase)
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if error.status_code == 405:
            headers["allow"] = ", ".join(_methods_of(routes, request))
        return _answer(request, Problem(error.status_code, kind, str(error.detail), headers))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [_fault(one["loc"], one["msg"]) for one in error.errors()]
        said = "; ".join(f"{_where(one)}: {one.detail}" for one in faults)
        return _answer(request, Problem(422, "invalid-request", said[:2000], faults=faults))

    @app.exception_handler(SignInNeeded)
    async def on_stranger(request: Request, _error: SignInNeeded) -> Response:
        path = request.url.path
        if is_api(path):
            return problem_answer(Problem(401, "sign-in-needed", "sign in first", _CHALLENGE))
        streamed = "text/event-stream" in request.headers.get("accept", "")
        if request.method != "GET" or streamed or "hx-request" in request.headers:
            return _answer(request, Problem(401, "sign-in-needed"))
        query = f"?{request.url.query}" if request.url.query else ""
        target = request.url_for("sign_in_page").include_query_params(next=path + query)
        return RedirectResponse(f"{target.path}?{target.query}", 303)

    @app.exception_handler(PasswordChangeNeeded)
    async def on_password_due(request: Request, _error: PasswordChangeNeeded) -> Response:
        if request.method == "GET" and not is_api(request.url.path):
            return RedirectResponse("/me", 303)
        return _answer(request, Problem(403, "password-change-needed", "choose a new password"))

    @app.exception_handler(LedgerDown)
    async def on_ledger_down(request: Request, error: LedgerDown) -> Response:
        log.error("the ledger cannot be reached: %s", error)
        return _answer(request, Problem(503, "ledger-down", headers={"retry-after": "5"}))

    @app.exception_handler(LedgerRefused)
    async def on_refused(request: Request, error: LedgerRefused) -> Response:
        log.warning("%s %s: the ledger refused: %s", request.method, request.url.path, error)
        said = "a value is out of range, or names what does not exist"
        return _answer(request, Problem(422, "invalid-request", said))

    @app.exception_handler(SeriesDown)
    async def on_series_down(request: Request, error: SeriesDown) -> Response:
        log.error("the time-series store cannot be reached: %s", error)
        return _answer(request, Problem(503, "series-down", headers={"retry-after": "5"}))

    @app.exception_handler(Exception)
    async def on_defect(request: Request, error: Exception) -> Response:
        occurrence = secrets.token_hex(8)
        where = f"{request.method} {request.url.path}"
        log.error("%s failed, occurrence %s", where, occurrence, exc_info=error)
        said = f"a defect of ours; the log knows it as {occurrence}"
        # The framework answers a defect outside of all middleware.
        return _answer(request, Problem(500, "defect", said, FIXED_HEADERS, occurrence=occurrence))


def _methods_of(routes: Sequence[APIRoute], request: Request) -> list[str]:
    """Every method that some route has for this path: the framework names the first one's only."""
    fit = (one for one in routes if one.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for one in fit for method in one.methods or ()})


def _fault(place: Sequence[str | int], said: str) -> Fault:
    where, *path = place
    if where == "body" or where not in _PLACES:
        return at_field(*path, detail=said)
    name = str(path[0]) if path else ""
    return msgspec.convert({"in": where, "parameter": name, "detail": said}, Fault)


def _where(fault: Fault) -> str:
    return fault.parameter or f"body{fault.pointer or ''}"


def _escaped(part: str | int) -> str:
    text = str(part).encode("utf-8", "replace").decode()
    return text.replace("~", "~0").replace("/", "~1")
