"""The demo as a newcomer or CI runs it: one command, and a report that was measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "foodsentry.cli", "demo", "--headless", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=220)


def test_a_minute_of_the_demo_shows_everything_and_loses_nothing(tmp_path: Path) -> None:
    done = run("--for", "60", "--port", "0", "--report", "report.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["lost"], report["duplicated"]) == (0, 0)
    assert report["tests"] >= 20
    assert report["readings"] >= 40
    assert report["observations"] >= 2
    raised = {"pesticide_positive", "pesticide_suspect", "test_positive", "cold_store_warm"}
    assert set(report["alerts"]) >= raised | {"no_hat", "no_mask"}
    for road in ("byte_to_console", "frame_to_console"):
        measured = report["latency_s"][road]
        assert measured["n"] > 0
        assert 0 < measured["p50"] <= measured["p95"]


def test_a_folder_that_is_not_a_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = run("--folder", str(tmp_path), "--port", "0", cwd=tmp_path)
    assert done.returncode == 1
    assert "is not empty and not a demo's folder" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_taken_port_is_named(tmp_path: Path, mosquitto: object) -> None:
    port = str(mosquitto.port)  # type: ignore[attr-defined]
    done = run("--port", port, cwd=tmp_path)
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
