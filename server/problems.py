"""Errors as answers: RFC 9457 problem details for the API, a plain page for people."""

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from ledger.engine import LedgerDown
from server.pages import render
from server.state import state_of
from timeseries.port import SeriesDown

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
API = "/api/"


class ProblemDetails(BaseModel):
    """The body of every error of the API (RFC 9457)."""

    type: str = Field(
        description="Stable name of the kind of error.",
        examples=["urn:foodsentry:problem:not-found"],
    )
    title: str = Field(description="The kind of error in words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(
        default="", description="What is wrong with this request.", examples=["no such alert"]
    )
    errors: list[dict[str, Any]] | None = Field(
        default=None, description="What is wrong with which parameter, for status 422."
    )


class Problem(Exception):
    """An answer that is an error. `kind` is its stable name, e.g. ``not-found``."""

    def __init__(
        self, status: int, kind: str, detail: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail or kind)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = headers or {}


class SignInNeeded(Exception):
    """Nobody is signed in, or the session has ended."""


def not_found(what: str) -> Problem:
    """Nothing of that name, or nothing that this officer can see: the two are not told apart."""
    return Problem(404, "not-found", f"no such {what}")


def problem_answer(problem: Problem, errors: list[dict[str, Any]] | None = None) -> Response:
    """The problem as JSON."""
    body: dict[str, Any] = {
        "type": f"urn:foodsentry:problem:{problem.kind}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if errors is not None:
        body["errors"] = errors
    return Response(
        msgspec.json.encode(body),
        problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def _answer(request: Request, problem: Problem) -> Response:
    if request.url.path.startswith(API):
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


def install(app: FastAPI) -> None:
    """Let every exception that leaves a route become such an answer."""

    @app.exception_handler(Problem)
    async def on_problem(request: Request, error: Problem) -> Response:
        return _answer(request, error)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        if error.status_code == 413:  # its phrase is another one in every version of Python
            kind = "too-large"
        headers = dict(error.headers or {})
        return _answer(request, Problem(error.status_code, kind, str(error.detail), headers))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        places = [
            {"where": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
            for one in error.errors()
        ]
        said = "; ".join(f"{one['where']}: {one['message']}" for one in places)
        problem = Problem(422, "invalid-request", said)
        if request.url.path.startswith(API):
            return problem_answer(problem, places)
        return _answer(request, problem)

    @app.exception_handler(SignInNeeded)
    async def on_stranger(request: Request, _error: SignInNeeded) -> Response:
        path = request.url.path
        if path.startswith(API):
            return problem_answer(Problem(401, "sign-in-needed", "sign in first"))
        streamed = "text/event-stream" in request.headers.get("accept", "")
        if request.method != "GET" or streamed or "hx-request" in request.headers:
            return _answer(request, Problem(401, "sign-in-needed"))
        query = f"?{request.url.query}" if request.url.query else ""
        target = request.url_for("sign_in_page").include_query_params(next=path + query)
        return RedirectResponse(f"{target.path}?{target.query}", 303)

    @app.exception_handler(LedgerDown)
    async def on_ledger_down(request: Request, error: LedgerDown) -> Response:
        log.error("the ledger cannot be reached: %s", error)
        return _answer(request, Problem(503, "ledger-down", headers={"retry-after": "5"}))

    @app.exception_handler(SeriesDown)
    async def on_series_down(request: Request, error: SeriesDown) -> Response:
        log.error("the time-series store cannot be reached: %s", error)
        return _answer(request, Problem(503, "series-down", headers={"retry-after": "5"}))

    @app.exception_handler(Exception)
    async def on_defect(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return _answer(request, Problem(500, "defect"))
