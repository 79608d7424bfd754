"""The API's document: valid OpenAPI 3.1, complete for each operation, its examples true."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

import server
from server.problem_kinds import KINDS, URN
from server.scopes import ANY, NAMED, SESSION, WRITES

pytestmark = pytest.mark.slow
SOURCES = sorted(Path(server.__file__).parent.rglob("*.py"))
DOCS = Path(__file__).parents[2] / "docs" / "server.md"
PROBLEM = "application/problem+json"


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", method, operation


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert [str(one) for one in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_operation_is_told_whole(document: dict[str, Any]) -> None:
    known = {tag["name"] for tag in document["tags"]}
    seen: dict[str, str] = {}
    for where, _, one in operations(document):
        assert one["summary"], f"{where} has no summary"
        assert one.get("description"), f"{where} has no description: write the function's docstring"
        assert set(one["tags"]) <= known and one["tags"], f"{where}: tags are in server/app.py TAGS"
        name = one["operationId"]
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name), f"{where}: {name}"
        assert name not in seen, f"{where} and {seen.get(name)} have one operationId: rename one"
        seen[name] = where
        for given in one.get("parameters", []):
            assert "schema" in given, where


def test_every_operation_tells_its_errors(document: dict[str, Any]) -> None:
    for where, _, one in operations(document):
        asked = {"401", "403", "422", "429", "500", "503"}
        asked |= {"400", "413", "415"} if "requestBody" in one else set()
        asked |= {"404"} if "{" in where else set()
        told = {status for status in one["responses"] if status[0] in "45"}
        assert asked <= told, f"{where} does not tell {sorted(asked - told)}"
        for status in told:
            content = one["responses"][status]["content"]
            assert set(content) == {PROBLEM}, f"{where} {status}"


def test_every_operation_names_who_may(document: dict[str, Any]) -> None:
    for where, method, one in operations(document):
        session, *token = one["security"]
        assert "session" in session, f"{where} takes no session"
        assert ("csrf" in session) == (method != "get"), f"{where}: CSRF goes with changes"
        if not token:
            continue
        (scope,) = token[0]["token"] or [""]
        assert scope in NAMED, (
            f"{where} names no scope: write Annotated[Visit, reads('…')], acts('…') or sends('…') "
            "of server/needs.py, with a scope of server/scopes.py, in its signature"
        )
        assert scope != SESSION
        assert (scope in WRITES) == (method != "get") or scope == ANY, f"{where} asks for {scope}"


def test_every_example_is_valid_against_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for where, value, schema in _examples(document):
        against = schema | {"components": document["components"]}
        check = Draft202012Validator(against, format_checker=FormatChecker())
        wrong = [f"{one.json_path}: {one.message}" for one in check.iter_errors(value)]
        assert wrong == [], f"{where}: {value}"
        checked += 1
    assert checked > 300


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    for where, _, one in operations(document):
        for part, content in _contents(one):
            if part.startswith("2") or part == "request":
                told = content.get("application/json")
                assert told is None or "example" in told or "examples" in told, f"{where} {part}"


def _contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "request", operation.get("requestBody", {}).get("content", {})
    for status, answer in operation["responses"].items():
        yield status, answer.get("content", {})


def _examples(document: dict[str, Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for name, schema in document["components"]["schemas"].items():
        for field, told in schema.get("properties", {}).items():
            for value in told.get("examples", []):
                yield f"{name}.{field}", value, told
    for where, _, one in operations(document):
        for part, content in _contents(one):
            for media in content.values():
                if "example" in media:
                    yield f"{where} {part}", media["example"], media["schema"]
                for name, example in media.get("examples", {}).items():
                    yield f"{where} {part} {name}", example["value"], media["schema"]


def test_every_list_is_a_page(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for where, method, one in operations(document):
        content = one["responses"].get("200", {}).get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        fields = schemas.get(name, {}).get("properties", {})
        listed = content.get("schema", {}).get("type") == "array"
        assert not listed, f"{where} answers with a bare list: use Page of server/api_models.py"
        if "items" in fields:
            assert "next" in fields, f"{where}: a list is a Page"
            if method == "get":
                given = {one["name"] for one in one["parameters"]}
                assert {"limit", "before"} <= given, f"{where} is a list without limit and before"


def test_every_kind_of_problem_is_in_the_table() -> None:
    named: dict[str, str] = {}
    for file in SOURCES:
        text = file.read_text("utf-8")
        for kind in re.findall(r'\bProblem\(\s*\d{3},\s*"([a-z0-9-]+)"', text):
            named[kind] = file.name
    missing = {kind: where for kind, where in named.items() if kind not in KINDS}
    assert missing == {}, "write them into server/problem_kinds.py and docs/server.md"


def test_the_docs_show_the_table() -> None:
    text = DOCS.read_text("utf-8")
    shown = re.findall(r"^\| `([a-z0-9-]+)` \| (\d{3}) \| (.+) \|$", text, re.M)
    assert {name: (int(status), says) for name, status, says in shown} == {
        name: (kind.status, kind.says) for name, kind in KINDS.items()
    }
    assert URN in text


def test_no_audit_entry_hides_a_token() -> None:
    """What a token did stands under the token's name: `visit.actor`, never the officer's id."""
    for file in SOURCES:
        text = file.read_text("utf-8")
        found = re.findall(r"audit\.append\(\s*conn,\s*(?:visit|who)\.officer\.id", text)
        assert found == [], f"{file.name}: write visit.actor"
