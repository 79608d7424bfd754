"""The OpenAPI document: FastAPI's own, with every error, whole examples and what is needed."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from server.api_examples import give_examples
from server.problem_kinds import KINDS, URN, of_status
from server.problems import MEDIA_TYPE
from server.routes.api_parts import problem_response

EVERYWHERE = (401, 403, 422, 429, 500, 503)
"""Any operation may answer so."""
WITH_BODY = (400, 413, 415)
"""And what takes a body, so."""
_JSON = "application/json"


def operation_id(route: APIRoute) -> str:
    """An operation's stable name: its function's, which is one of a kind among the API's."""
    return route.name


def takes_form(routes: Sequence[APIRoute]) -> Callable[[Scope], bool]:
    """Tells for a request whether its route takes a form (files)."""

    def tells(scope: Scope) -> bool:
        for route in routes:
            if route.matches(scope)[0] is Match.FULL:
                field = route.body_field
                kind = getattr(getattr(field, "field_info", None), "media_type", _JSON)
                told = (route.openapi_extra or {}).get("requestBody", {}).get("content", {})
                return bool(kind != _JSON) or any(one != _JSON for one in told)
        return False

    return tells


def document(app: FastAPI) -> dict[str, Any]:
    """The document of `app`, made once."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    made: dict[str, Any] = FastAPI.openapi(app)
    for operations in made["paths"].values():
        for operation in operations.values():
            _complete(operation)
    for name in ("HTTPValidationError", "ValidationError"):
        made["components"]["schemas"].pop(name, None)
    give_examples(made)
    return made


def _complete(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    for status in (*EVERYWHERE, *(WITH_BODY if "requestBody" in operation else ())):
        if MEDIA_TYPE not in answers.get(str(status), {}).get("content", {}):
            answers[str(status)] = problem_response(status)  # FastAPI's own 422 is none of ours
    for status, answer in answers.items():
        content = answer.get("content", {})
        if MEDIA_TYPE not in content:
            continue
        content.pop(_JSON, None)  # a problem is not plain JSON besides
        content[MEDIA_TYPE]["examples"] = {
            name: {"value": _problem(int(status), name)} for name in of_status(int(status))
        }
    operation["responses"] = dict(sorted(answers.items()))
    operation["security"] = _security(operation.get("security", []))


def _security(told: list[dict[str, list[str]]]) -> list[dict[str, list[str]]]:
    """A session, for a change with its CSRF token besides; or else a token with its scope.

    FastAPI lists them as if each alone would do.
    """
    asked = {name: scopes for one in told for name, scopes in one.items()}
    scopes = asked.pop("token", [])
    session: dict[str, list[str]] = {name: [] for name in asked}
    return [session, {"token": scopes}] if scopes != ["session"] else [session]


def _problem(status: int, name: str) -> dict[str, Any]:
    kind = KINDS[name]
    told: dict[str, Any] = {
        "type": f"{URN}{name}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": kind.says,
    }
    if status == 422:
        told["errors"] = [{"in": "body", "pointer": "/note", "detail": "Field required"}]
    if name == "invalid-cursor":
        told["errors"] = [{"in": "query", "parameter": "before", "detail": kind.says}]
    if status == 500:
        told["instance"] = "urn:foodsentry:occurrence:9f2c41d07be8a635"
    return told
