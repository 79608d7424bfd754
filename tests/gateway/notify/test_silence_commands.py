"""`foodsentry gateway silences …` as an operator meets it."""

from datetime import timedelta
from pathlib import Path

import pytest
from telling_town import CANTEEN, LI, Town

from contracts.clock import utc_now
from foodsentry.cli import main
from ledger import audit
from ledger.engine import reading


@pytest.fixture
def at(town: Town, tmp_path: Path) -> list[str]:
    file = tmp_path / "gateway.toml"
    file.write_text('[ledger]\nurl = "sqlite:///telling.db"\n[series]\npath = "s.db"\n', "utf-8")
    return ["--settings", str(file)]


def test_preview_add_list_and_end(
    town: Town, at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    town.at = utc_now() - timedelta(hours=1)
    town.fire("cold_store_warm", 2)
    town.fire("positive", 1)
    what = ["--site", CANTEEN, "--rule", "cold_*", "--class", "2", *at]
    assert main(["gateway", "silences", "preview", *what]) == 0
    said = capsys.readouterr().out
    assert "cold_store_warm\tclass 2\tcanteen1/cold1" in said and "would have hidden 1" in said
    add = ["gateway", "silences", "add", "--hours", "2", "--reason", "检修", "--author", LI]
    assert main([*add, *what]) == 0
    said = capsys.readouterr().out
    name = said.split("\t")[0]
    assert "would have hidden 1 alert(s) of the last 7 days" in said
    assert main(["gateway", "silences", "list", *at]) == 0
    listed = capsys.readouterr().out
    assert name in listed and "rule=cold_*, site=canteen1, severity=2" in listed
    end = ["gateway", "silences", "end", name, "--author", LI, *at]
    assert main(end) == 0
    assert main(end) == 2
    assert main(["gateway", "silences", "list", "--ended", *at]) == 0
    assert name in capsys.readouterr().out
    with reading(town.engine) as conn:
        assert audit.verify(conn).entries == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--author", LI], "every alert"),
        (["--author", LI, "--rule", "x", "--includes-class-1"], "never silenced"),
        (["--author", "nobody", "--rule", "x"], "no officer 'nobody'"),
        (["--author", LI, "--region", "999"], "999 is not known"),
        (["--author", LI, "--site", "nowhere"], "nowhere is not known"),
    ],
)
def test_what_cannot_be_is_said(
    at: list[str], capsys: pytest.CaptureFixture[str], words: list[str], why: str
) -> None:
    add = ["gateway", "silences", "add", "--hours", "1", "--reason", "r", *words, *at]
    assert main(add) == 2
    assert why in capsys.readouterr().err
