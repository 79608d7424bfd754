"""The API's document as a page shows it: operations by tag, each with what it takes and answers."""

import json
from typing import Any

import msgspec

_JSON = "application/json"
_REF = "#/components/schemas/"


class ParameterLine(msgspec.Struct, frozen=True):
    """A parameter outside the body, or a field of it."""

    name: str
    place: str
    kind: str
    required: bool
    says: str


class AnswerLine(msgspec.Struct, frozen=True):
    """One status that it answers with."""

    status: str
    says: str
    kinds: tuple[str, ...]
    """Of an error: the problems' kinds."""


class Operation(msgspec.Struct, frozen=True):
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    says: str
    scope: str
    """What a token needs; empty: no token may."""
    parameters: list[ParameterLine]
    request: str
    """An example of the body; empty: it takes none."""
    answer: str
    answers: list[AnswerLine]


class Group(msgspec.Struct, frozen=True):
    """The operations of a tag."""

    name: str
    says: str
    operations: list[Operation]


def document_page(document: dict[str, Any]) -> list[Group]:
    """The groups of the document, in its own order; empty ones are left out."""
    schemas = document["components"]["schemas"]
    by_tag: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            made = _operation(method.upper(), path, one, schemas)
            by_tag.setdefault(one["tags"][0], []).append(made)
    return [
        Group(tag["name"], tag["description"], by_tag[tag["name"]])
        for tag in document["tags"]
        if tag["name"] in by_tag
    ]


def _operation(method: str, path: str, one: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    body = one.get("requestBody", {}).get("content", {}).get(_JSON)
    good = one["responses"].get("200", {}).get("content", {}).get(_JSON)
    token = [need["token"] for need in one["security"] if "token" in need]
    given = [
        ParameterLine(
            told["name"],
            told["in"],
            _kind(told["schema"], schemas),
            bool(told.get("required")),
            told.get("description", ""),
        )
        for told in one.get("parameters", [])
    ]
    return Operation(
        id=one["operationId"],
        method=method,
        path=path,
        summary=one["summary"],
        says=one["description"],
        scope=(token[0] or [""])[0] if token else "",
        parameters=given + _fields(body, schemas),
        request=_shown(body),
        answer=_shown(good),
        answers=[
            AnswerLine(status, told["description"], _kinds(told))
            for status, told in one["responses"].items()
        ],
    )


def _fields(body: dict[str, Any] | None, schemas: dict[str, Any]) -> list[ParameterLine]:
    if body is None:
        return []
    schema = schemas.get(body["schema"].get("$ref", "").removeprefix(_REF), body["schema"])
    needed = set(schema.get("required", ()))
    return [
        ParameterLine(
            name, "body", _kind(told, schemas), name in needed, told.get("description", "")
        )
        for name, told in schema.get("properties", {}).items()
    ]


def _kind(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """What a value is, in a few words."""
    if "$ref" in schema:
        return _kind(schemas[schema["$ref"].removeprefix(_REF)], schemas)
    if "anyOf" in schema:
        return " | ".join(_kind(one, schemas) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(one, ensure_ascii=False) for one in schema["enum"])
    if schema.get("type") == "array":
        return f"[{_kind(schema.get('items', {}), schemas)}]"
    kind = str(schema.get("format") or schema.get("type", "any"))
    low, high = schema.get("minimum"), schema.get("maximum")
    return f"{kind} {low}–{high}" if low is not None and high is not None else kind


def _kinds(answer: dict[str, Any]) -> tuple[str, ...]:
    problem = answer.get("content", {}).get("application/problem+json", {})
    return tuple(problem.get("examples", ()))


def _shown(content: dict[str, Any] | None) -> str:
    if content is None or "example" not in content:
        return ""
    return json.dumps(content["example"], ensure_ascii=False, indent=2)
