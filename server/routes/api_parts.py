"""What the routes of the JSON API share: documented problems, and the parameters of lists."""

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import BaseModel

from server.api_models import Page
from server.problems import MEDIA_TYPE, ProblemDetails

PREFIX = "/api/v1"
Item = TypeVar("Item", bound=BaseModel)
_SAID = {
    400: "The body cannot be read.",
    401: "No session, and no token that is good.",
    403: "The role, the CSRF token or the token's scopes do not allow it.",
    404: "Nothing of that name that this officer can see.",
    409: "Its present state forbids it.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    422: "A parameter or field is wrong; `errors` says which.",
    429: "The token asks too often.",
    500: "A defect of ours.",
    503: "A store cannot be reached; try again.",
}
Limit = Annotated[int, Query(ge=1, le=200, description="Most items to answer with.")]
Before = Annotated[
    str | None,
    Query(max_length=512, description="`next` of the page before; for this list only."),
]
Days = Annotated[
    int, Query(ge=1, le=366, description="So many days up to now, by the time of raising.")
]


def problem_response(status: int) -> dict[str, Any]:
    """An operation's answer of that status, as OpenAPI documents it."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {"description": _SAID[status], "content": {MEDIA_TYPE: {"schema": schema}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented errors of a route; what any operation may answer is added to all of them."""
    return {status: {"model": ProblemDetails} | problem_response(status) for status in statuses}


def paged(shape: type[Item], found: Iterable[object], following: str | None) -> Page[Item]:
    """A page of these rows in the API's shape."""
    items = [shape.model_validate(one, from_attributes=True) for one in found]
    return Page[shape](items=items, next=following)  # type: ignore[valid-type]
