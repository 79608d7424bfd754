"""`foodsentry pictures` says what it lacks before it begins."""

from argparse import ArgumentParser
from pathlib import Path

import pytest

from foodsentry.pictures import commands


def run(*words: str) -> int:
    parser = ArgumentParser()
    commands.add_pictures(parser.add_subparsers())
    arguments = parser.parse_args(["pictures", *words])
    return int(arguments.run(arguments))


def test_without_styles_nothing_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "load_assets", dict)
    assert run(str(tmp_path / "out")) == 1
    assert "make assets" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_pages_that_do_not_exist_are_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(tmp_path), "--page", "nowhere") == 2
    assert run() == 2
    assert "pages that exist" in capsys.readouterr().err
