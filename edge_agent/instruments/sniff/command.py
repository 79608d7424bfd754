"""`foodsentry instrument sniff PORT`: records what comes, guesses, writes a draft profile."""

import argparse
import itertools
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from contracts.clock import utc_now
from contracts.profile import Link
from contracts.settings import SettingsError
from edge_agent.instruments.port import PortError, open_line
from edge_agent.instruments.sniff.draft import write_draft
from edge_agent.instruments.sniff.guess import LOOKED_AT, Guess, guess

SILENCE_S = 0.1
"""Silence that ends a burst."""


class Heard(msgspec.Struct, frozen=True):
    """What came under one setting of the line, between silences, and the guess about it."""

    link: Link
    pieces: tuple[bytes, ...]
    guess: Guess


def add_sniff(leaves: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `sniff`."""
    leaf = leaves.add_parser("sniff", help="guess what an unknown line says; draft a profile")
    leaf.add_argument("port", metavar="PORT")
    leaf.add_argument("--baud", default="9600", metavar="N[,N…]", help="speeds to try")
    leaf.add_argument("--format", default="8N1", metavar="8N1[,7E1…]", help="formats to try")
    leaf.add_argument(
        "--for", dest="for_s", type=float, default=10.0, metavar="SECONDS",
        help="listen so long at each setting",
    )  # fmt: skip
    leaf.add_argument("--out", type=Path, metavar="DIR", help="folder of the draft profile")
    leaf.set_defaults(run=sniff, long_running=True)


def link_of(baud: str, form: str) -> Link:
    """A line's settings from ``9600`` and ``8N1``. Raises SettingsError."""
    try:
        table = {"bits": int(form[0]), "parity": form[1].upper(), "stop": int(form[2:])}
        return msgspec.convert({"baud": int(baud), **table}, Link)
    except (ValueError, IndexError, msgspec.ValidationError):
        raise SettingsError(
            f"--baud, --format: {baud} {form!r} is not like 9600 8N1, 7E1, 8N2"
        ) from None


def sniff(arguments: argparse.Namespace) -> int:
    """`sniff`: a line a setting, then the draft. Exit status 1 if nothing came."""
    pairs = itertools.product(arguments.baud.split(","), arguments.format.split(","))
    links = [link_of(baud.strip(), form.strip()) for baud, form in pairs]
    out: Path | None = arguments.out
    if out is not None and out.exists():
        raise SettingsError(f"--out: {out} is there already")
    best: Heard | None = None
    try:
        for link in links:
            pieces = listen(arguments.port, link, arguments.for_s, arguments.stop)
            heard = Heard(link, pieces, guess(b"".join(pieces), _offsets(pieces)))
            _say(_line(heard))
            if best is None or heard.guess.score > best.guess.score:
                best = heard
            if arguments.stop.is_set():
                break
    except PortError as error:
        sys.stderr.write(f"foodsentry: {error}\n")
        return 1
    if best is None or not best.pieces:
        sys.stderr.write("foodsentry: nothing came; does the instrument wait to be asked?\n")
        return 1
    if out is not None:
        try:
            write_draft(out.resolve(), best.guess, best.link, best.pieces, arguments.port,
                        utc_now().date())  # fmt: skip
        except OSError as error:
            raise SettingsError(f"--out: {out}: {error.strerror}") from None
        _say({"draft": str(out)})
    return 0


def listen(port: str, link: Link, for_s: float, stop: threading.Event) -> tuple[bytes, ...]:
    """What comes, cut where the line fell silent. Sends nothing. Raises PortError."""
    pieces: list[bytes] = []
    line = open_line(port, link)
    try:
        now = began = time.monotonic()
        last, total = 0.0, 0
        while now < began + for_s and total < LOOKED_AT and not stop.is_set():
            content = line.read(SILENCE_S)
            now = time.monotonic()
            if content and pieces and now - last < SILENCE_S:
                pieces[-1] += content
            elif content:
                pieces.append(content)
            if content:
                last, total = now, total + len(content)
    finally:
        line.close()
    return tuple(pieces)


def _offsets(pieces: tuple[bytes, ...]) -> list[int]:
    return list(itertools.accumulate(map(len, pieces)))[:-1]


def _line(heard: Heard) -> dict[str, Any]:
    link, found = heard.link, heard.guess
    check = getattr(found.framer, "check", None)
    return {
        "baud": link.baud,
        "format": f"{link.bits}{link.parity}{link.stop}",
        "bytes": sum(map(len, heard.pieces)),
        "kind": found.kind,
        "score": round(found.score, 2),
        "frames": found.frames,
        "framer": None if found.framer is None else _plain(found.framer),
        "check": None if check is None else check.kind,
        "encoding": found.encoding if found.text else None,
        "columns": None if found.columns is None else _plain(found.columns),
        "reads": [_plain(read) for read in found.reads],
        "notes": list(found.notes),
    }


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    table: dict[str, Any] = msgspec.to_builtins(value)
    return table


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()
