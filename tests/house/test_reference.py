"""The generated pages are those that the types give, and every key and command is documented."""

import argparse
import re
from pathlib import Path

import pytest

from contracts.reference import keys
from contracts.settings import load_settings
from foodsentry.cli import ROOMS, build_parser, rooms_for
from foodsentry.examples import example
from foodsentry.reference import PROCESSES, pages

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", list(pages()), ids=lambda path: path.name)
def test_a_generated_page_is_current(path: Path) -> None:
    assert path.read_text("utf-8") == pages()[path], "run `make docs`"


@pytest.mark.parametrize("command", list(PROCESSES))
def test_every_key_has_a_description(command: str) -> None:
    assert list(keys(PROCESSES[command]))


def test_every_room_brings_its_commands_and_no_others() -> None:
    parser = build_parser()
    assert parser.epilog is None, parser.epilog
    (subparsers,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    assert set(subparsers.choices) == {word for words in ROOMS.values() for word in words}


@pytest.mark.parametrize(
    ("argv", "rooms"),
    [
        (["--log-level", "debug", "edge", "run", "x.toml"], ["edge_agent"]),
        (["ledger", "migrate"], ["ledger"]),
        (["--help"], list(ROOMS)),
        ([], list(ROOMS)),
    ],
)
def test_a_command_loads_only_its_room(argv: list[str], rooms: list[str]) -> None:
    assert rooms_for(argv) == rooms


@pytest.mark.parametrize("command", list(PROCESSES))
def test_an_example_says_the_defaults_as_they_are(command: str, tmp_path: Path) -> None:
    text = example(command, PROCESSES[command])
    as_given = tmp_path / "given.toml"
    as_given.write_text(text, "utf-8")
    uncommented = tmp_path / "uncommented.toml"
    keys_too = re.sub(r"(?m)^#(\w+ = [^…\n]+)$", r"\1", text)
    # Entries of lists that may be empty are left aside, and can be filled in.
    uncommented.write_text(re.sub(r"(?ms)^#\[\[.*?(?=^#?\[|\Z)", "", keys_too), "utf-8")
    whole = load_settings(uncommented, PROCESSES[command])
    filled_in = tmp_path / "filled_in.toml"
    filled_in.write_text(re.sub(r"(?m)^#(\[\[)", r"\1", keys_too), "utf-8")
    load_settings(filled_in, PROCESSES[command])
    assert load_settings(as_given, PROCESSES[command]) == whole
    assert uncommented.read_text("utf-8") != text
