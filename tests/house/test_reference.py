"""The generated pages are those that the types give, and every key and command is documented."""

from pathlib import Path

import pytest

from contracts.reference import keys
from foodsentry.cli import build_parser
from foodsentry.reference import PROCESSES, pages

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", list(pages()), ids=lambda path: path.name)
def test_a_generated_page_is_current(path: Path) -> None:
    assert path.read_text("utf-8") == pages()[path], "run `make docs`"


@pytest.mark.parametrize("command", list(PROCESSES))
def test_every_key_has_a_description(command: str) -> None:
    assert list(keys(PROCESSES[command]))


def test_every_room_brings_its_commands() -> None:
    parser = build_parser()
    assert parser.epilog is None, parser.epilog
    text = parser.format_help()
    for command in (
        "edge",
        "gateway",
        "server",
        "ledger",
        "models",
        "instrument",
        "vision",
        "demo",
    ):
        assert f"    {command} " in text, command
