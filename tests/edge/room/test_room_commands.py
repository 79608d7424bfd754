"""`foodsentry edge operator` and `edge check` for a testing room."""

import io
from pathlib import Path

import pytest

from edge_agent.room.operators import read_operators
from foodsentry.cli import main

SETTINGS = """
[agent]
region = "440703"
site = "market1"
[room]
port = 8090
{more}
"""


def told(path: Path, more: str = "", pin: str = "") -> int:
    """Run the command for one operator."""
    path.write_text(SETTINGS.format(more=more), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(f"{pin}\n"))
        return main(["edge", "operator", str(path), "陈思敏"])


def test_operators_are_added_and_a_file_that_is_missing_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "edge.toml"
    named = 'operators_file = "operators.toml"'
    assert told(path, pin="271828") == 2, "no file is named"
    assert told(path, named, "123456") == 2, "too easy"
    assert main(["edge", "check", str(path)]) == 2
    assert "operators.toml" in capsys.readouterr().err
    assert told(path, named, "271828") == 0
    assert list(read_operators(tmp_path / "operators.toml")) == ["陈思敏"]
    assert main(["edge", "check", str(path)]) == 0
    path.write_text(SETTINGS.format(more='host = "0.0.0.0"'), "utf-8")
    assert main(["edge", "check", str(path)]) == 2
    assert "room.operators_file" in capsys.readouterr().err
