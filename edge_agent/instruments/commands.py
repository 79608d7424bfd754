"""`foodsentry instrument …`: profiles and serial lines at the command line.

``decode`` and ``listen`` print one JSON object a line; exit status 3 means that bytes were lost.
"""

import argparse
import json
import logging
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from contracts.clock import utc_now
from contracts.events import Readings, Status, TestResult
from contracts.foods import load_foods
from contracts.limits import load_limits
from contracts.profile import json_schema
from contracts.settings import SettingsError
from contracts.topics import Identity
from edge_agent.instruments.captures import cases, run_case
from edge_agent.instruments.line_commands import add_line_commands
from edge_agent.instruments.offline import Found, decode_stream
from edge_agent.instruments.profiles import LoadedProfile, load_profile, profile_names
from edge_agent.instruments.reports import discard_line, reading_line, result_line
from edge_agent.instruments.results import Reader
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.instruments.workers import instrument_workers
from edge_agent.ports import Fact
from edge_agent.simulation.serial_commands import add_simulate

CONFIGS = Path(__file__).resolve().parents[2] / "firmware_configs"
LOST = 3
_NOBODY = Identity("000000", "here", "agent")


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `instrument` with its sub-commands."""
    parser = subparsers.add_parser("instrument", help="serial instruments and their profiles")
    leaves = parser.add_subparsers(dest="instrument_command", metavar="COMMAND", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--profiles", type=Path, default=CONFIGS / "instruments", metavar="DIR")
    common.add_argument("--limits", type=Path, default=CONFIGS / "limits", metavar="DIR")
    common.add_argument("--foods", type=Path, default=CONFIGS / "foods", metavar="DIR")
    common.add_argument("--json", action="store_true", help="one JSON object a line")

    leaf = leaves.add_parser("list", parents=[common], help="the profiles that there are")
    leaf.set_defaults(run=list_profiles)

    leaf = leaves.add_parser("lint", parents=[common], help="check profiles and their captures")
    leaf.add_argument("path", nargs="?", type=Path, metavar="PATH", help="a profile, or a folder")
    leaf.set_defaults(run=lint)

    leaf = leaves.add_parser("schema", help="the JSON Schema of profile.toml, for editors")
    leaf.set_defaults(run=schema)

    leaf = leaves.add_parser("decode", parents=[common], help="bytes from a file into results")
    _profile_arguments(leaf)
    leaf.add_argument("file", metavar="FILE", help="bytes as received from the line; - for stdin")
    leaf.set_defaults(run=decode)

    leaf = leaves.add_parser("listen", parents=[common], help="play the host on a port")
    _profile_arguments(leaf)
    leaf.add_argument("--port", required=True, help="device path, usb:VID:PID[:SERIAL] or URL")
    leaf.add_argument("--baud", type=int)
    leaf.add_argument("--poll-every", type=float, metavar="SECONDS")
    leaf.set_defaults(run=listen, long_running=True)

    add_line_commands(leaves, common)
    add_simulate(leaves)


def _profile_arguments(leaf: argparse.ArgumentParser) -> None:
    leaf.add_argument("--profile", required=True, metavar="NAME", help="name, or path of a folder")
    leaf.add_argument("--address", type=int, help="unit number on the bus")
    leaf.add_argument("--utc-offset", type=float, default=8.0, metavar="HOURS")


def _say(line: dict[str, Any], stream: Any = None) -> None:
    print(json.dumps(line, ensure_ascii=False), file=stream or sys.stdout, flush=True)


def _place(arguments: argparse.Namespace) -> tuple[Path, str]:
    """Folder and name of the profile that was asked for."""
    name: str = arguments.profile
    if "/" in name:
        path = Path(name).resolve()
        path = path.parent if path.is_file() else path
        return path.parent, path.name
    folder: Path = arguments.profiles
    return folder, name


def list_profiles(arguments: argparse.Namespace) -> int:
    """`list`: one line a profile; a broken one is told on stderr."""
    status = 0
    for name in profile_names(arguments.profiles):
        try:
            profile = load_profile(arguments.profiles, name)
        except SettingsError as error:
            print(error, file=sys.stderr)
            status = 1
            continue
        maker, dialogue = profile.spec.instrument, profile.spec.dialogue
        line = {
            "name": name,
            "version": profile.spec.version,
            "vendor": maker.vendor,
            "model": maker.model,
            "kind": maker.kind,
            "dialogue": dialogue.__struct_config__.tag,
            "captures": len(cases(profile)),
        }
        if arguments.json:
            _say(line)
        else:
            print("{name:24} {version:8} {vendor} {model} ({kind}, {dialogue})".format(**line))
    return status


def lint(arguments: argparse.Namespace) -> int:
    """`lint`: schema, references, templates, README and captures. Exit status 1 if any is wrong."""
    limits = load_limits(arguments.limits)
    path: Path = (arguments.path or arguments.profiles).resolve()
    if path.name == "profile.toml":
        path = path.parent
    single = (path / "profile.toml").is_file()
    folder, names = (path.parent, [path.name]) if single else (path, profile_names(path))
    if not names:
        raise SettingsError(f"{path}: holds no profile (a folder with profile.toml)")
    status = 0
    for name in names:
        wrong = list(_complaints(folder, name, Reader, limits))
        status = 1 if wrong else status
        for complaint in wrong:
            if arguments.json:
                _say({"profile": name, "error": complaint})
            else:
                print(complaint)
        if not wrong and not arguments.json:
            print(f"{name}: ok")
        elif not wrong:
            _say({"profile": name, "error": None})
    return status


def _complaints(folder: Path, name: str, reader_kind: type[Reader], limits: Any) -> Iterator[str]:
    try:
        profile = load_profile(folder, name)
    except SettingsError as error:
        yield str(error)
        return
    if not (profile.folder / "README.md").is_file():
        yield f"{profile.folder / 'README.md'}: is missing; say what the instrument is"
    if not cases(profile):
        yield f"{profile.folder / 'captures'}: is empty; add a case, it is the profile's test"
    for case in cases(profile):
        yield from run_case(profile, reader_kind(profile.ref, limits), case)


def schema(_arguments: argparse.Namespace) -> int:
    """`schema`: the JSON Schema of a profile on stdout."""
    print(json.dumps(json_schema(), ensure_ascii=False, indent=1))
    return 0


def decode(arguments: argparse.Namespace) -> int:
    """`decode`: results on stdout, what was lost on stderr; exit status 3 if anything was."""
    profile = load_profile(*_place(arguments))
    limits, foods = load_limits(arguments.limits), load_foods(arguments.foods)
    reader = Reader(profile.ref, limits, arguments.utc_offset, foods)
    try:
        if arguments.file == "-":
            return _decode(profile, reader, sys.stdin.buffer, arguments.address)
        with Path(arguments.file).open("rb") as stream:
            return _decode(profile, reader, stream, arguments.address)
    except OSError as error:
        raise SettingsError(f"{arguments.file}: {error.strerror or error}") from None


def _decode(profile: LoadedProfile, reader: Reader, stream: BinaryIO, address: int | None) -> int:
    status = 0
    chunks = iter(lambda: stream.read(65536), b"")
    for each in decode_stream(profile, reader, chunks, utc_now(), address=address):
        if isinstance(each, Found):
            _say(each.line)
        else:
            _say(each.line, sys.stderr)
            status = LOST
    return status


class PrintingSink:
    """Facts as JSON lines on stdout; what was lost and how the instrument is, on stderr."""

    def __init__(self) -> None:
        self.lost = False
        self._sha256 = ""

    def witness(self, raw: bytes) -> None:
        """The bytes that what is put next came in."""
        self._sha256 = sha256(raw).hexdigest()

    def put(self, facts: Sequence[Fact]) -> None:
        """Print results and readings, flushed line by line."""
        for fact in facts:
            if isinstance(fact.data, TestResult):
                _say(result_line(fact.data))
            elif isinstance(fact.data, Readings):
                for reading in fact.data.readings:
                    _say(reading_line(reading, self._sha256))

    def quarantine(self, who: Identity, content: bytes, reason: str, at: datetime) -> None:
        """Print the bytes with the reason."""
        self.lost = True
        digest = sha256(content).hexdigest()
        _say({**discard_line(-1, content, reason), "sha256": digest}, sys.stderr)

    def report(self, who: Identity, status: Status) -> None:
        """Print the state."""
        _say({"state": status.state.value, "detail": status.detail}, sys.stderr)


def listen(arguments: argparse.Namespace) -> int:
    """`listen`: results live on stdout until stopped."""
    logging.getLogger("edge_agent").setLevel(logging.ERROR)
    folder, name = _place(arguments)
    load_profile(folder, name)
    settings = InstrumentSettings(
        "instrument",
        name,
        arguments.port,
        address=arguments.address,
        baud=arguments.baud,
        poll_every_s=arguments.poll_every,
        utc_offset_h=arguments.utc_offset,
    )
    sink = PrintingSink()
    stop: threading.Event = arguments.stop
    with tempfile.TemporaryDirectory(prefix="foodsentry-listen-") as state:
        (worker,) = instrument_workers(
            [settings],
            _NOBODY,
            sink,
            profiles_dir=folder,
            limits_dir=arguments.limits,
            foods_dir=arguments.foods,
            state_dir=Path(state),
            witness=sink.witness,
        )
        worker.run(stop)
    return LOST if sink.lost else 0
