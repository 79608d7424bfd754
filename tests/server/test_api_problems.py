"""Every error below /api is a problem: whatever is sent, wherever it goes wrong."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from console_app import TestClient, csrf_of, settings
from fastapi import FastAPI

from ledger.engine import Engine, LedgerRefused
from server import problems
from server.app import create_app
from server.problem_kinds import KINDS
from timeseries.port import SeriesStore

pytestmark = pytest.mark.slow
JSON = {"content-type": "application/json"}


@pytest.fixture
def city(as_officer: Callable[[str], TestClient]) -> TestClient:
    client = as_officer("shiju")
    client.headers["x-csrf-token"] = csrf_of(client)
    return client


def problem_of(answer: Any) -> dict[str, Any]:
    """The problem, after looking that it is one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told: dict[str, Any] = answer.json()
    kind = told["type"].removeprefix("urn:foodsentry:problem:")
    assert KINDS[kind].status == told["status"] == answer.status_code
    assert told["title"]
    return told | {"kind": kind}


@pytest.mark.parametrize(
    "path",
    [
        "/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/alerts", "/api/v1/alerts/x/y/z",
        "/api/v1/%00", "/api/v1/alerts/%00", "/api/v1/alerts/%ff%fe",
        "/api/v1/alerts/" + "x" * 3000,
    ],
)  # fmt: skip
def test_unknown_paths(city: TestClient, path: str) -> None:
    assert problem_of(city.get(path, follow_redirects=False))["kind"] == "not-found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/silences", "GET, POST"),
        ("DELETE", "/api/v1/alerts", "GET"),
        ("GET", "/api/v1/silences/preview", "POST"),
        ("PATCH", "/api/v1/me", "GET"),
    ],
)
def test_wrong_methods(city: TestClient, method: str, path: str, allowed: str) -> None:
    answer = city.request(method, path)
    assert problem_of(answer)["kind"] == "method-not-allowed"
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nothing", b'{"note": NaN}', b'{"note": Infinity}', b'{"note": 1e999}',
        b'{"note": "\xff\xfe"}', b'{"note": "\\ud800"}', b'{"note": "\\udc00 x"}',
        b'{"\\ud800": 1}', b"[" * 5000, b'{"a":' * 5000, b"\xef\xbb\xbf{}", b'{"note": "x"} x',
        '{"note": "x"}'.encode("utf-16"), b'{"note": "\x00"}', b"\x00",
    ],
)  # fmt: skip
def test_broken_json(city: TestClient, alert_ids: dict[str, str], body: bytes) -> None:
    path = f"/api/v1/alerts/{alert_ids['cold']}/dispose"
    assert problem_of(city.post(path, content=body, headers=JSON))["kind"] == "malformed-body"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"note": "a\\u0000b"}', "/note"),
        (b'{"note": "x", "more": [{"a/b": "\\u0000"}]}', "/more/0/a~1b"),
        (b'{"note": ""}', "/note"),
        (b'{"note": 1}', "/note"),
        (b'{"note": null}', "/note"),
        (b"{}", "/note"),
        (b"[]", ""),
        (b'"x"', ""),
        (b"123456789012345678901234567890", ""),
        (b"", ""),
    ],
)
def test_wrong_fields_are_pointed_at(
    city: TestClient, alert_ids: dict[str, str], body: bytes, pointer: str
) -> None:
    path = f"/api/v1/alerts/{alert_ids['cold']}/dispose"
    told = problem_of(city.post(path, content=body, headers=JSON))
    assert told["kind"] == "invalid-request"
    assert [(one["in"], one["pointer"]) for one in told["errors"]] == [("body", pointer)]
    assert told["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/api/v1/alerts?limit=201", "limit"),
        ("/api/v1/alerts?limit=99999999999999999999999999", "limit"),
        ("/api/v1/alerts?limit=x", "limit"),
        ("/api/v1/alerts?severity=9", "severity"),
        ("/api/v1/alerts?state=firing&state=x", "state"),
        ("/api/v1/establishments?q=a%00b", "q"),
        ("/api/v1/notifications?day=9999-12-31", "day"),
        ("/api/v1/notifications?day=0001-01-01", "day"),
        ("/api/v1/scorecards?days=0", "days"),
        ("/api/v1/scorecards/alerts", "rule"),
    ],
)
def test_wrong_parameters_are_named(city: TestClient, path: str, parameter: str) -> None:
    told = problem_of(city.get(path))
    assert told["kind"] == "invalid-request"
    assert [(one["in"], one["parameter"]) for one in told["errors"]] == [("query", parameter)]


@pytest.mark.parametrize("kind", [
    "", "text/plain", "text/json", "application/xml", "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded", "application/json; charset=gb18030",
    "application/json; charset=utf-16", "application/octet-stream", "\u00e4",
])  # fmt: skip
def test_other_media_types(city: TestClient, alert_ids: dict[str, str], kind: str) -> None:
    path = f"/api/v1/alerts/{alert_ids['cold']}/dispose"
    headers = {"content-type": kind.encode("latin-1")} if kind else {}
    answer = city.post(path, content='{"note": "你好"}'.encode(), headers=headers)
    assert problem_of(answer)["kind"] == "unsupported-media-type"


def test_utf_8_may_be_said(city: TestClient, alert_ids: dict[str, str]) -> None:
    path = f"/api/v1/alerts/{alert_ids['cold']}/pause"
    headers = {"content-type": 'Application/JSON; Charset="UTF-8"'}
    answer = city.post(path, content='{"note": "当事人申诉"}'.encode(), headers=headers)
    assert answer.status_code == 200


def test_large_bodies_are_refused_whether_they_say_their_length_or_not(
    city: TestClient, alert_ids: dict[str, str]
) -> None:
    path = f"/api/v1/alerts/{alert_ids['cold']}/dispose"
    big = b'{"note": "' + b"x" * 300_000 + b'"}'
    assert problem_of(city.post(path, content=big, headers=JSON))["kind"] == "too-large"

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(big), 10_000):
            yield big[start : start + 10_000]

    chunked = city.post(path, content=pieces(), headers=JSON)
    assert problem_of(chunked)["kind"] == "too-large"


def test_a_defect_has_an_id_that_the_log_has(
    engine: Engine,
    series: SeriesStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("server.needs.find_visit", broken)
    client = TestClient(create_app(settings(), engine, series), raise_server_exceptions=False)
    client.cookies["fs_session"] = "x"
    with caplog.at_level(logging.ERROR, "server"):
        answer = client.get("/api/v1/alerts")
    told = problem_of(answer)
    assert told["kind"] == "defect" and "secret" not in answer.text
    occurrence = told["instance"].removeprefix("urn:foodsentry:occurrence:")
    assert occurrence in caplog.text and "a secret of ours" in caplog.text
    assert answer.headers["content-security-policy"]


def test_what_the_ledger_refuses_is_the_requests_fault(
    city: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise LedgerRefused("INSERT INTO … secret")

    monkeypatch.setattr("server.routes.api.devices.list_after", refused)
    answer = city.get("/api/v1/devices")
    assert problem_of(answer)["kind"] == "invalid-request" and "secret" not in answer.text


def test_the_page_of_the_document_is_a_page() -> None:
    assert problems.is_api("/api/v1/me") and problems.is_api("/api")
    assert not problems.is_api(problems.DOCS) and not problems.is_api("/apiary")


def test_a_page_is_no_problem_document(app: FastAPI) -> None:
    answer = TestClient(app).get("/nothing")
    assert answer.status_code == 404 and answer.headers["content-type"].startswith("text/html")
