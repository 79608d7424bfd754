"""The API's OpenAPI document: FastAPI's own, with errors only as problem details."""

from typing import Any

from fastapi import FastAPI

from server.problems import MEDIA_TYPE

_JSON = "application/json"


def document(app: FastAPI) -> dict[str, Any]:
    """The document of `app`. A response that is a problem is not plain JSON besides."""
    made: dict[str, Any] = FastAPI.openapi(app)
    for operations in made["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                if MEDIA_TYPE in content:
                    content.pop(_JSON, None)
    return made
