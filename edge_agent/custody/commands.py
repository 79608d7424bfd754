"""`foodsentry vault …`: officers' keys, and the sealed originals of an agent."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from contracts.files import write_whole
from contracts.settings import SettingsError
from contracts.statement import spoken
from edge_agent.custody.access_log import FILE, Access, LogBroken, append, read_log
from edge_agent.custody.custody import vault_folder
from edge_agent.custody.officer_keys import OfficerKey, make_keys, read_private
from edge_agent.custody.sealing import LARGEST_BYTES, SealError, open_sealed, read_head
from edge_agent.custody.vault import Sealed, list_sealed
from edge_agent.settings import load_edge_settings, places

ENVIRONMENT = "FOODSENTRY_VAULT_PASSPHRASE"


def add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `vault` with its sub-commands."""
    parser = subparsers.add_parser("vault", help="sealed originals, which two officers open")
    leaves = parser.add_subparsers(dest="vault_command", metavar="COMMAND", required=True)

    leaf = leaves.add_parser("keygen", help="make an officer's two key files")
    leaf.add_argument("officer", help="the officer's name; it stands in the access log")
    leaf.add_argument("--private", type=Path, required=True, metavar="FILE.key")
    leaf.add_argument("--public", type=Path, required=True, metavar="FILE.pub")
    leaf.add_argument("--passphrase-file", type=Path, default=None, help=f"or ${ENVIRONMENT}")
    leaf.set_defaults(run=_shielded(keygen))

    leaf = leaves.add_parser("list", help="what an agent's vault holds")
    leaf.add_argument("settings", type=Path, metavar="SETTINGS.toml")
    leaf.add_argument("--json", action="store_true", help="one JSON object a line")
    leaf.set_defaults(run=_shielded(list_))

    leaf = leaves.add_parser("export", help="copy a sealed original, sealed as it is, for officers")
    leaf.add_argument("settings", type=Path, metavar="SETTINGS.toml")
    leaf.add_argument("evidence_id")
    leaf.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    leaf.add_argument("--who", required=True, help="who asks for it")
    leaf.add_argument("--reason", required=True, help="why; kept in the access log")
    leaf.set_defaults(run=_shielded(export))

    leaf = leaves.add_parser("open", help="open a sealed original with two officers' keys")
    leaf.add_argument("sealed", type=Path, metavar="FILE.sealed")
    leaf.add_argument("--key", type=Path, action="append", required=True, metavar="FILE.key",
                      help="given twice")  # fmt: skip
    leaf.add_argument("--passphrase-file", type=Path, action="append", default=[],
                      help=f"one for each key, in order; or ${ENVIRONMENT}_1 and _2")  # fmt: skip
    leaf.add_argument("--reason", required=True, help="why; kept in the access log")
    leaf.add_argument("--out", type=Path, required=True, metavar="PICTURE.jpg")
    leaf.add_argument("--log", type=Path, default=None, help="access log; default: beside the file")
    leaf.set_defaults(run=_shielded(open_))

    leaf = leaves.add_parser("log", help="print an access log and check its chain")
    leaf.add_argument("log", type=Path, metavar="access.jsonl|SETTINGS.toml")
    leaf.set_defaults(run=_shielded(log))


def keygen(arguments: argparse.Namespace) -> int:
    """Make an officer's key files."""
    passphrase = _passphrase(arguments.passphrase_file, ENVIRONMENT, "new key", twice=True)
    made = make_keys(arguments.officer, passphrase, arguments.private, arguments.public)
    print(f"{arguments.private}: keep it, and its passphrase, apart from the other officer's")
    print(f"{arguments.public}: for the agents' settings (vault.officers)")
    print(f"fingerprint {spoken(made.key_id)}")
    return 0


def list_(arguments: argparse.Namespace) -> int:
    """Print what a vault holds; 1 if a file in it cannot be read."""
    found = list_sealed(_folder(arguments.settings))
    for one in found:
        if arguments.json:
            print(msgspec.json.encode(_as_line(one)).decode())
        elif one.head is None:
            print(f"{one.path.name}: {one.trouble}")
        else:
            about = one.head.about
            needs = " + ".join(key_id[:16] for key_id in one.head.key_ids)
            at = about.captured_at.astimezone(UTC)
            print(f"{at:%Y-%m-%d %H:%M:%S}Z  {about.source}  {about.evidence_id}  "
                  f"{one.size} bytes  opens with {needs}")  # fmt: skip
    if not arguments.json:
        print(f"{len(found)} originals, {sum(one.size for one in found)} bytes")
    return 1 if any(one.head is None for one in found) else 0


def _as_line(one: Sealed) -> dict[str, object]:
    line: dict[str, object] = {"file": str(one.path), "bytes": one.size}
    if one.head is None:
        return line | {"trouble": one.trouble}
    return line | {"about": msgspec.to_builtins(one.head.about), "key_ids": one.head.key_ids}


def export(arguments: argparse.Namespace) -> int:
    """Copy one sealed file out of the vault, with a line in the access log."""
    folder = _folder(arguments.settings)
    wanted = [
        one.path
        for one in list_sealed(folder)
        if one.head is not None and one.head.about.evidence_id == arguments.evidence_id
    ]
    if not wanted:
        raise SettingsError(f"{folder}: holds no original of evidence {arguments.evidence_id}")
    path = wanted[0]
    target = arguments.to / path.name
    if target.exists():
        raise SettingsError(f"{target}: is there already")
    sealed = _read(path)
    about = read_head(sealed).about
    entry = append(
        folder / FILE, at=utc_now(), action="export", who=(arguments.who,), sealed=sealed,
        reason=arguments.reason, evidence_id=about.evidence_id, source=about.source,
    )  # fmt: skip
    arguments.to.mkdir(parents=True, exist_ok=True)
    write_whole(target, sealed)
    print(f"{target}\n{_noted(folder / FILE, entry)}")
    return 0


def open_(arguments: argparse.Namespace) -> int:
    """Open an original. The access log is written before the picture is."""
    if len(arguments.key) != 2:
        raise SettingsError("--key: two officers' keys are needed")
    if arguments.out.exists():
        raise SettingsError(f"--out: {arguments.out} is there already")
    keys = [_key(arguments, place) for place in range(2)]
    if keys[0].key_id == keys[1].key_id:
        raise SettingsError("--key: both files hold the same key")
    sealed = _read(arguments.sealed)
    try:
        about, picture = open_sealed(sealed, [key.private for key in keys])
    except SealError as error:
        raise SealError(f"{arguments.sealed}: {error}") from None
    path: Path = arguments.log or arguments.sealed.parent / FILE
    entry = append(
        path, at=utc_now(), action="open", sealed=sealed,
        who=tuple(f"{key.officer} ({spoken(key.key_id)})" for key in keys),
        reason=arguments.reason, evidence_id=about.evidence_id, source=about.source,
    )  # fmt: skip
    write_whole(arguments.out, picture)
    print(f"{arguments.out}: {about.source} {about.captured_at.isoformat()}")
    print(f"SHA-256 {about.sha256}\n{_noted(path, entry)}")
    return 0


def log(arguments: argparse.Namespace) -> int:
    """Print an access log; 1 if its chain is broken."""
    path: Path = arguments.log
    if path.suffix == ".toml":
        path = _folder(path) / FILE
    entries = read_log(path)
    for one in entries:
        print(f"{one.number}  {one.at.isoformat(timespec='seconds')}  {one.action}  "
              f"{', '.join(one.who)}  {one.source} {one.evidence_id}  {one.reason}")  # fmt: skip
    print(f"{len(entries)} entries hold; head {entries[-1].hash if entries else '-'}")
    return 0


def _noted(path: Path, entry: Access) -> str:
    return f"noted in {path} as {entry.number}; head {entry.hash}"


def _folder(settings_file: Path) -> Path:
    settings = load_edge_settings(settings_file)
    where = places(settings, settings_file)
    return vault_folder(settings.vault, where.base, where.state)


def _read(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_BYTES:
        raise SealError(f"{path}: larger than any sealed picture")
    return path.read_bytes()


def _key(arguments: argparse.Namespace, place: int) -> OfficerKey:
    files: list[Path] = arguments.passphrase_file
    file = files[place] if place < len(files) else None
    path = arguments.key[place]
    return read_private(path, _passphrase(file, f"{ENVIRONMENT}_{place + 1}", str(path)))


def _passphrase(file: Path | None, environment: str, of: str, *, twice: bool = False) -> str:
    if file is not None:
        try:
            return file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"--passphrase-file: {file}: {error}") from None
    if given := os.environ.get(environment):
        return given
    if not sys.stdin.isatty():
        raise SettingsError(f"passphrase of {of}: give --passphrase-file or ${environment}")
    said = getpass.getpass(f"Passphrase of {of}: ")
    if twice and getpass.getpass("Once more: ") != said:
        raise SettingsError("passphrase: the two differ")
    return said


def _shielded(work: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """What goes wrong with files is told in one line; status 1."""

    def run(arguments: argparse.Namespace) -> int:
        try:
            return work(arguments)
        except (SealError, LogBroken, ValueError, OSError) as error:
            print(f"foodsentry: {error}", file=sys.stderr)
            return 1

    return run
