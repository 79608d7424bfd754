"""A profile's captures as its tests: bytes with what they must give, and dialogues both ways.

A case is a folder under ``captures/``. Either ``input.bin`` (or ``input.hex``: hexadecimal pairs,
``#`` comments) with ``expected.jsonl``: the results in order, each line holding at least the keys
that matter; ``discarded.jsonl`` likewise for what is lost (default: nothing is).

Or ``dialogue.txt``: lines ``instrument HEX``, ``host HEX`` (exactly what must be sent next),
``wait SECONDS``, ``now ISO-TIME`` (first; the host's wall clock), with ``expected.jsonl``.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge_agent.instruments.hosts import actions
from edge_agent.instruments.hosts.actions import NEVER, Actions, Host
from edge_agent.instruments.hosts.make import make_host
from edge_agent.instruments.offline import Found, Lost, decode_stream, lines_of
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.instruments.results import Reader

CAPTURED_AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""When captures are taken to have been received."""


def cases(profile: LoadedProfile) -> list[Path]:
    """The folders of all cases."""
    return sorted(path for path in (profile.folder / "captures").glob("*") if path.is_dir())


def read_hex(path: Path) -> bytes:
    """Bytes from hexadecimal text; ``#`` begins a comment. Raises ValueError."""
    lines = path.read_text("utf-8").splitlines()
    return bytes.fromhex(" ".join(line.split("#")[0] for line in lines))


def case_input(case: Path) -> bytes:
    """The bytes of a case. Raises OSError, ValueError."""
    binary = case / "input.bin"
    return binary.read_bytes() if binary.is_file() else read_hex(case / "input.hex")


def run_case(profile: LoadedProfile, reader: Reader, case: Path) -> list[str]:
    """Run a case; returns what is wrong with it, empty if nothing."""
    try:
        if (case / "dialogue.txt").is_file():
            return _dialogue(profile, reader, case)
        chunks = [case_input(case)]
    except (OSError, ValueError) as error:
        return [f"{case}: {error}"]
    lines = list(decode_stream(profile, reader, chunks, CAPTURED_AT))
    return [
        *_compare(
            case / "expected.jsonl", [each.line for each in lines if isinstance(each, Found)]
        ),
        *_compare(
            case / "discarded.jsonl", [each.line for each in lines if isinstance(each, Lost)]
        ),
    ]


def _compare(path: Path, got: list[dict[str, Any]]) -> list[str]:
    try:
        text = path.read_text("utf-8") if path.is_file() else ""
        expected = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        return [f"{path}: {error}"]
    wrong = []
    if len(expected) != len(got):
        wrong.append(f"{path}: {len(expected)} lines expected, {len(got)} given")
    for index, (want, have) in enumerate(zip(expected, got, strict=False), 1):
        for key, value in want.items():
            if have.get(key) != value:
                wrong.append(f"{path}: line {index}: {key} is {have.get(key)!r}, not {value!r}")
    return wrong


class _Stage:
    """Drives a host through a written dialogue, in virtual time."""

    def __init__(self, host: Host, reader: Reader) -> None:
        self.host = host
        self.reader = reader
        self.now = 1000.0
        self.at = CAPTURED_AT
        self.sent = b""
        self.lines: list[Found | Lost] = []

    def take(self, wanted: Actions) -> None:
        def spied() -> Actions:
            for action in wanted:
                if isinstance(action, actions.Send):
                    self.sent += action.content
                yield action

        self.lines += lines_of(spied(), self.reader, self.at)

    def go_to(self, moment: float) -> None:
        self.at += timedelta(seconds=max(0.0, moment - self.now))
        self.now = max(self.now, moment)
        if self.host.due() <= self.now:
            self.take(self.host.wake(self.now, self.at))


def _dialogue(profile: LoadedProfile, reader: Reader, case: Path) -> list[str]:
    stage = _Stage(make_host(profile, reader), reader)
    stage.take(stage.host.open(stage.now))
    for number, word, rest in _script(case / "dialogue.txt"):
        where = f"{case / 'dialogue.txt'}: line {number}"
        if word == "now":
            stage.at = datetime.fromisoformat(rest)
        elif word == "wait":
            end = stage.now + float(rest)
            while stage.host.due() <= end:
                stage.go_to(stage.host.due())
            stage.go_to(end)
        elif word == "instrument":
            stage.now += 0.001
            stage.take(stage.host.receive(bytes.fromhex(rest), stage.now, stage.at))
        elif word == "host":
            wanted = bytes.fromhex(rest)
            tries = 0
            while len(stage.sent) < len(wanted) and stage.host.due() < NEVER and tries < 20:
                tries += 1
                stage.go_to(stage.host.due())
            if not stage.sent.startswith(wanted):
                return [f"{where}: the host sent {stage.sent.hex(' ').upper() or 'nothing'}"]
            stage.sent = stage.sent[len(wanted) :]
        else:
            return [f"{where}: {word!r} is none of now, wait, instrument, host"]
    if stage.sent:
        return [f"{case / 'dialogue.txt'}: sent besides: {stage.sent.hex(' ').upper()}"]
    found = [each.line for each in stage.lines if isinstance(each, Found)]
    lost = [each.line for each in stage.lines if isinstance(each, Lost)]
    return [
        *_compare(case / "expected.jsonl", found),
        *_compare(case / "discarded.jsonl", lost),
    ]


def _script(path: Path) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        word, _, rest = line.split("#")[0].strip().partition(" ")
        if word:
            yield number, word, rest.strip()
