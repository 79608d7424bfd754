"""`foodsentry edge run|check|doctor|key|operator`, and the commands of devices and vault."""

import argparse
import getpass
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from contracts.events import Status
from contracts.settings import SettingsError
from contracts.statement import spoken
from contracts.topics import Identity
from contracts.words import DeviceState
from edge_agent.agent import device_workers, run_agent
from edge_agent.cameras.tools import commands as vision
from edge_agent.custody import commands as vault
from edge_agent.custody.custody import read_officers
from edge_agent.custody.device_key import FILE, KeyUnusable, read_device_key
from edge_agent.doctor import as_text, examine
from edge_agent.instruments import commands as instrument
from edge_agent.ports import Fact, OutboxError
from edge_agent.room.build import check_room
from edge_agent.room.operators import write_operator
from edge_agent.settings import CONFIGS, endpoint, load_edge_settings, places
from edge_agent.uplink.probe import probe_broker


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `edge`, `instrument` and `vision` with their sub-commands."""
    parser = subparsers.add_parser("edge", help="the agent at a testing room, van or canteen")
    leaves = parser.add_subparsers(dest="edge_command", metavar="COMMAND", required=True)

    leaf = leaves.add_parser("run", help="run the agent until it is told to stop")
    leaf.add_argument("settings", type=Path, metavar="SETTINGS.toml")
    leaf.set_defaults(run=run, long_running=True)

    leaf = leaves.add_parser("check", help="check settings, profiles, scenes and models")
    leaf.add_argument("settings", type=Path, metavar="SETTINGS.toml")
    leaf.set_defaults(run=check)

    leaf = leaves.add_parser("doctor", help="what is unsent, since when, why, and what to do")
    leaf.add_argument("settings", type=Path, metavar="SETTINGS.toml")
    leaf.add_argument("--json", action="store_true", help="one JSON object")
    leaf.add_argument("--language", choices=("zh", "en"), default="", help="otherwise both")
    leaf.set_defaults(run=doctor)

    leaf = leaves.add_parser("key", help="the agent's signing key, for the city's register")
    leaf.add_argument("settings", type=Path, metavar="SETTINGS.toml")
    leaf.add_argument("--json", action="store_true", help="one JSON object")
    leaf.set_defaults(run=key)

    leaf = leaves.add_parser("operator", help="add a testing room's operator, or set a new PIN")
    leaf.add_argument("settings", type=Path, metavar="SETTINGS.toml")
    leaf.add_argument("name", metavar="NAME")
    leaf.set_defaults(run=operator)

    instrument.add_commands(subparsers)
    vision.add_commands(subparsers)
    vault.add_commands(subparsers)


def run(arguments: argparse.Namespace) -> int:
    """Run the agent. 0: stopped when asked; 1: the outbox cannot be used; 2: settings."""
    settings = load_edge_settings(arguments.settings)
    try:
        run_agent(settings, arguments.settings, arguments.stop)
    except OutboxError as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    return 0


class _Listener:
    """A sink that only listens to what is reported broken."""

    def __init__(self) -> None:
        self.broken: list[str] = []

    def put(self, facts: Sequence[Fact]) -> None:
        """Nothing is measured during a check."""

    def quarantine(self, who: Identity, content: bytes, reason: str, at: datetime) -> None:
        """Nothing is measured during a check."""

    def report(self, who: Identity, status: Status) -> None:
        """Take note of a device that cannot be used as it is set up."""
        if status.state is DeviceState.OFFLINE:
            self.broken.append(f"{who.device}: {status.detail}")


def check(arguments: argparse.Namespace) -> int:
    """Check everything that can be checked without a device or a network; 2 if something is wrong.

    Raises SettingsError for the settings themselves.
    """
    path: Path = arguments.settings
    settings = load_edge_settings(path)
    endpoint(settings, path)
    read_officers(settings.vault, places(settings, path).base)
    if settings.room.port:
        check_room(settings.room, places(settings, path).base, CONFIGS)
    listener = _Listener()
    with tempfile.TemporaryDirectory() as folder:
        where = msgspec.structs.replace(places(settings, path), state=Path(folder))
        workers = device_workers(settings, where, listener, utc_now)
    for problem in listener.broken:
        print(f"foodsentry: {path}: {problem}", file=sys.stderr)
    counts = f"{len(settings.instruments)} instruments, {len(settings.cameras)} cameras"
    print(f"{path}: {settings.identity.source}: {counts}, {len(workers)} workers")
    return 2 if listener.broken else 0


def key(arguments: argparse.Namespace) -> int:
    """Print the agent's public key; 1 if it has none yet or it cannot be read."""
    settings = load_edge_settings(arguments.settings)
    who, file = settings.identity, places(settings, arguments.settings).state / FILE
    try:
        found = read_device_key(file, who.device)
    except KeyUnusable as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    if found is None:
        print(f"foodsentry: {file}: none yet; made when cameras first start", file=sys.stderr)
        return 1
    public = found.public_key.hex()
    if arguments.json:
        said = {"agent": who.source, "made_at": found.made_at, "public_key": public}
        print(msgspec.json.encode(said | {"key_id": found.key_id}).decode())
    else:
        print(f"{who.source}: public key {public}, made {found.made_at.isoformat()}")
        print(f"fingerprint {spoken(found.key_id)}")
    return 0


def operator(arguments: argparse.Namespace) -> int:
    """Ask for a PIN twice (or read one line) and write it, hashed, into `room.operators_file`.

    Raises SettingsError.
    """
    path: Path = arguments.settings
    settings = load_edge_settings(path)
    if not settings.room.operators_file:
        raise SettingsError(f"{path}: room.operators_file: name the file first")
    file = path.absolute().parent / settings.room.operators_file
    if sys.stdin.isatty():
        pin = getpass.getpass("PIN: ")
        if getpass.getpass("PIN, again: ") != pin:
            raise SettingsError("the two PINs differ; nothing was written")
    else:
        pin = sys.stdin.readline().strip()
    write_operator(file, arguments.name, pin)
    print(f"{file}: {arguments.name}")
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    """Print the diagnosis; 0 if nothing is grave, else 1."""
    settings = load_edge_settings(arguments.settings)
    diagnosis = examine(settings, arguments.settings, utc_now(), probe_broker)
    if arguments.json:
        print(msgspec.json.encode(diagnosis).decode())
    else:
        print(as_text(diagnosis, arguments.language))
    return 1 if any(finding.grave for finding in diagnosis.findings) else 0
