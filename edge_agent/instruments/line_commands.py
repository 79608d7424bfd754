"""`foodsentry instrument probe|record|redecode`: what a technician does at an unknown line."""

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from contracts.clock import utc_now
from contracts.envelope import EnvelopeError
from contracts.limits import load_limits
from contracts.settings import SettingsError
from edge_agent.instruments.blackbox import Piece, write_piece
from edge_agent.instruments.port import PortError, open_line
from edge_agent.instruments.probing import probe
from edge_agent.instruments.profiles import LoadedProfile, load_profile, profile_names
from edge_agent.instruments.redecode import redecode, stored_result
from edge_agent.instruments.reports import iso
from edge_agent.instruments.results import Reader
from edge_agent.instruments.sniff.command import add_sniff, link_of

DIFFERS = 3


def add_line_commands(
    leaves: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Register `probe`, `sniff`, `record` and `redecode`."""
    leaf = leaves.add_parser("probe", parents=[common], help="which profile answers on a port?")
    leaf.add_argument("port", metavar="PORT")
    leaf.add_argument("--address", type=int, help="unit number on the bus")
    leaf.set_defaults(run=run_probe, long_running=True)

    add_sniff(leaves)

    leaf = leaves.add_parser("record", help="black box of a port: bytes with their times")
    leaf.add_argument("port", metavar="PORT")
    leaf.add_argument("file", type=Path, metavar="FILE.jsonl")
    leaf.add_argument("--baud", type=int, default=9600)
    leaf.add_argument("--format", default="8N1", metavar="8N1", help="bits, parity, stop bits")
    leaf.set_defaults(run=record, long_running=True)

    leaf = leaves.add_parser(
        "redecode", parents=[common], help="stored frames under the profile of today"
    )
    leaf.add_argument("file", metavar="FILE", help="test results as JSON lines; - for stdin")
    leaf.add_argument("--profile", metavar="NAME", help="instead of the one that each names")
    leaf.add_argument("--utc-offset", type=float, default=8.0, metavar="HOURS")
    leaf.set_defaults(run=run_redecode)


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def run_probe(arguments: argparse.Namespace) -> int:
    """`probe`: a line a profile; exit status 0 if one answered, 1 if none did."""
    limits = load_limits(arguments.limits)
    folder = arguments.profiles
    profiles = [load_profile(folder, name) for name in profile_names(folder)]
    found = False
    try:
        for answer in probe(
            arguments.port, profiles, limits, utc_now, arguments.stop, address=arguments.address
        ):
            found = found or answer.answered
            _say(msgspec.to_builtins(answer))
    except PortError as error:
        sys.stderr.write(f"foodsentry: {error}\n")
        return 1
    return 0 if found else 1


def record(arguments: argparse.Namespace) -> int:
    """`record`: write what comes, with its time, until stopped. Sends nothing."""
    link = link_of(str(arguments.baud), arguments.format)
    stop: threading.Event = arguments.stop
    try:
        line = open_line(arguments.port, link)
    except PortError as error:
        sys.stderr.write(f"foodsentry: {error}\n")
        return 1
    try:
        with arguments.file.open("w", encoding="utf-8") as stream:
            first = {"port": line.name, "baud": link.baud, "started_at": iso(utc_now())}
            stream.write(json.dumps(first) + "\n")
            stream.flush()
            began = time.monotonic()
            while not stop.is_set():
                content = line.read(0.2)
                if content:
                    write_piece(stream, Piece(time.monotonic() - began, content))
    except PortError as error:
        sys.stderr.write(f"foodsentry: {error}\n")
        return 1
    except OSError as error:
        raise SettingsError(f"{arguments.file}: {error.strerror}") from None
    finally:
        line.close()
    return 0


def run_redecode(arguments: argparse.Namespace) -> int:
    """`redecode`: a line a result with `changes`; exit status 3 if anything differs."""
    limits = load_limits(arguments.limits)
    loaded: dict[str, LoadedProfile] = {}
    status = 0
    try:
        content = (
            sys.stdin.buffer.read() if arguments.file == "-" else Path(arguments.file).read_bytes()
        )
    except OSError as error:
        raise SettingsError(f"{arguments.file}: {error.strerror}") from None
    for number, text in enumerate(content.splitlines(), 1):
        if not text.strip():
            continue
        try:
            stored = stored_result(text)
        except EnvelopeError as error:
            raise SettingsError(f"{arguments.file}: line {number}: {error}") from None
        name = arguments.profile or stored.profile.id
        if name not in loaded:
            loaded[name] = load_profile(arguments.profiles, name)
        profile = loaded[name]
        line = redecode(profile, Reader(profile.ref, limits, arguments.utc_offset), stored)
        _say(line)
        if line["changes"] or "error" in line:
            status = DIFFERS
    return status
