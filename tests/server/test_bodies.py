"""Bodies that are too large: refused by what they say, or as they come; none of a stranger's."""

import http.client
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from console_app import Clock, TestClient, csrf_of, settings
from console_served import Served, served

from ledger.engine import Engine
from server.bodies import MOST, most_bytes
from server.settings import UploadSettings
from timeseries.port import SeriesStore

pytestmark = pytest.mark.slow


@pytest.fixture
def console(engine: Engine, series: SeriesStore, clock: Clock) -> Iterator[Served]:
    small = UploadSettings(most_bytes=200_000, most_files=2)
    with served(engine, series, clock, uploads=small) as running:
        yield running


def test_a_form_and_a_json_body_are_bounded(
    as_officer: Callable[[str], TestClient], alert_ids: dict[str, str]
) -> None:
    client = as_officer("baisha")
    head = {"x-csrf-token": csrf_of(client)}
    path = f"/api/v1/alerts/{alert_ids['positive']}/close"
    answer = client.post(path, headers=head, json={"note": "长" * MOST})
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:foodsentry:problem:too-large"
    page = client.post("/signout", data={"csrf": "x" * MOST})
    assert page.status_code == 413 and "内容太大" in page.text


def _send(port: int, token: str, path: str, length: int | None, body: Iterator[bytes]) -> int:
    """Send a body until the server answers, as a browser does; returns the status."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncookie: fs_session={token}\r\n"
    head += "content-type: multipart/form-data; boundary=b\r\n"
    head += f"content-length: {length}\r\n" if length else "transfer-encoding: chunked\r\n"
    connection.sendall(head.encode() + b"\r\n")
    try:
        for part in body:
            framed = part if length else b"%x\r\n%s\r\n" % (len(part), part)
            connection.sendall(framed)
    except OSError:
        pass  # it has heard enough
    answer = http.client.HTTPResponse(connection)
    try:
        answer.begin()
        return answer.status
    finally:
        answer.close()
        connection.close()


def _endless(parts: int) -> Iterator[bytes]:
    yield b'--b\r\ncontent-disposition: form-data; name="f"; filename="a.jpg"\r\n\r\n'
    for _ in range(parts):
        yield b"\xff" * 65_536


def test_what_says_its_length_is_refused_before_it_is_read(console: Served) -> None:
    gigabyte = 1024**3
    path = "/cases/x/moves/order"
    assert _send(console.port, console.tokens["baisha"], path, gigabyte, _endless(1)) == 413


def test_what_does_not_say_it_is_cut_off_as_it_comes(
    console: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    path = "/cases/x/moves/order"
    assert _send(console.port, console.tokens["baisha"], path, None, _endless(400)) == 413
    assert list(spool.iterdir()) == []


def test_a_strangers_body_is_not_read(console: Served) -> None:
    assert _send(console.port, "nobody", "/cases/x/moves/order", 1024**3, _endless(1)) == 401


def test_only_cases_take_files() -> None:
    told = settings(uploads=UploadSettings(most_bytes=10_000_000, most_files=3))
    assert most_bytes(told, "/alerts") == most_bytes(told, "/casesx") == MOST
    for path in ("/cases", "/cases/x/files", "/api/v1/cases/x/files"):
        assert most_bytes(told, path) == 30_000_000 + 1024 * 1024
