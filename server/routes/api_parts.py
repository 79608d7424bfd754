"""What the routes of the JSON API share: documented problems, and the parameters of lists."""

from typing import Annotated, Any

from fastapi import Query

from server.problems import MEDIA_TYPE, ProblemDetails

PREFIX = "/api/v1"
_PROBLEM: dict[str, Any] = {
    "model": ProblemDetails,
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
}
_SAID = {
    401: "Nobody is signed in.",
    403: "The role or the CSRF token does not allow it.",
    404: "Nothing of that name that this officer can see.",
    409: "Its present state forbids it.",
    422: "A parameter is wrong.",
    503: "The ledger cannot be reached; try again.",
}
Limit = Annotated[int, Query(ge=1, le=200, description="Most items to answer with.")]
Before = Annotated[str | None, Query(max_length=64, description="`next` of the page before.")]
Days = Annotated[
    int, Query(ge=1, le=366, description="So many days up to now, by the time of raising.")
]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented errors of a route."""
    return {status: _PROBLEM | {"description": _SAID[status]} for status in statuses}


def page(items: list[Any], limit: int, last: str | None) -> dict[str, Any]:
    """A page of `limit` of these items; `last` names the last one of it."""
    return {"items": items[:limit], "next": last if len(items) > limit else None}
