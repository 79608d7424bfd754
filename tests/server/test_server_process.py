"""`foodsentry server` as a process: settings refused, served, stopped gracefully, passwords set."""

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from console_app import NOW
from console_places import PASSWORD
from servers import free_port

from contracts.settings import SettingsError
from ledger import officers, sessions
from ledger.engine import Engine, open_engine, reading, writing
from server.commands import add_commands
from server.passwords import Passwords
from server.signing import TOKEN_BYTES, token_hash

COMMAND = [sys.executable, "-m", "foodsentry.cli", "server"]


def write(folder: Path, text: str, port: int | None = None) -> Path:
    file = folder / "server.toml"
    head = f"port = {port or free_port()}\n"
    stores = '[ledger]\nurl = "sqlite:///ledger.sqlite"\n[series]\npath = "series.sqlite"\n'
    file.write_text(head + text + stores, "utf-8")
    return file


def run(*arguments: str | Path) -> int:
    """One command in this process, as the front door runs it."""
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    told = parser.parse_args(["server", *map(str, arguments)])
    told.stop = threading.Event()
    status: int = told.run(told)
    return status


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1\n", "prot"),
        ("host = 5\n", "host"),
        ('public_base_url = "ftp://x"\n', "public_base_url"),
        ("live = {queue = 1}\n", "live.queue"),
        ('rules = "none.toml"\n', "none.toml"),
    ],
)
def test_wrong_settings_are_refused_with_file_and_key(town: Path, text: str, said: str) -> None:
    file = write(town, text)
    with pytest.raises(SettingsError) as refused:
        run("run", file)
    assert said in str(refused.value)
    if said != "none.toml":
        assert str(refused.value).startswith(str(file))


def test_an_outdated_ledger_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run", write(tmp_path, "")) == 1
    assert "foodsentry ledger migrate" in capsys.readouterr().err


def test_a_taken_port_is_said(town: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run("run", write(town, "", taken.getsockname()[1])) == 1
    assert "cannot listen on 127.0.0.1" in caplog.text


@pytest.fixture
def running(town: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "run", str(write(town, "", port))], stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            if ask(port, "/healthz")[0] == 200:
                break
        except OSError:
            time.sleep(0.05)
    yield process, port
    if process.poll() is None:
        process.kill()
    process.communicate()


def ask(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _session(town: Path) -> str:
    token, now = "t" * TOKEN_BYTES, datetime.now(UTC)
    engine = open_engine(f"sqlite:///{town / 'ledger.sqlite'}")
    with writing(engine) as conn:
        sessions.add(
            conn,
            sessions.Session(
                token_hash(token), "officer-shiju", "c", now, now + timedelta(hours=1), now
            ),
        )
    engine.dispose()
    return token


@pytest.mark.slow
def test_it_serves_and_ends_gracefully_with_streams_open(
    running: tuple[subprocess.Popen[str], int], town: Path
) -> None:
    process, port = running
    cookie = f"fs_session={_session(town)}"
    assert b"440700" in ask(port, "/api/v1/me", cookie=cookie)[1]
    assert b"foodsentry_server_request_seconds" in ask(port, "/metrics")[1]
    connections = []
    for _ in range(3):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/alerts/live?after=0", headers={"cookie": cookie})
        answer = connection.getresponse()
        answer.readline()
        connections.append((connection, answer))
    start = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - start < 4
    for connection, answer in connections:
        assert b"event: reconnect" in answer.read()
        connection.close()


def test_a_password_is_set_from_a_file_and_ends_sessions(
    town: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    token = _session(town)
    settings = write(town, "")
    word = town / "word"
    word.write_text("a new password\n", "utf-8")
    assert run("set-password", settings, "shiju", "--password-file", word) == 0
    with reading(engine) as conn:
        officer = officers.by_login(conn, "shiju")
        assert sessions.get(conn, token_hash(token), NOW) is None
    assert officer and Passwords().check(officer.password_hash, "a new password")
    assert not Passwords().check(officer.password_hash, PASSWORD)
    word.write_text("short", "utf-8")
    assert run("set-password", settings, "shiju", "--password-file", word) == 1
    assert "12 to 256" in capsys.readouterr().err
    assert run("set-password", settings, "nobody", "--password-file", settings) == 1
    assert "nobody" in capsys.readouterr().err
