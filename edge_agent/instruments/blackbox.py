"""A black box of a line: what was read and when, one JSON object a line, and its replay.

``{"t": seconds since the start, "in": "hexadecimal bytes"}`` for what came, ``"out"`` for what was
sent; a first line tells port, profile and time.
"""

import json
from collections.abc import Iterator
from typing import IO, Any

import msgspec

from contracts.settings import SettingsError


class Piece(msgspec.Struct, frozen=True):
    """Bytes at a time; `sent` if they were ours."""

    at_s: float
    content: bytes
    sent: bool = False


def write_piece(stream: IO[str], piece: Piece) -> None:
    """Append a piece, flushed."""
    line: dict[str, Any] = {
        "t": round(piece.at_s, 4),
        "out" if piece.sent else "in": piece.content.hex(),
    }
    stream.write(json.dumps(line) + "\n")
    stream.flush()


def read_pieces(stream: IO[str], where: str) -> Iterator[Piece]:
    """All pieces. Raises SettingsError that names the line."""
    for number, text in enumerate(stream, 1):
        try:
            line = json.loads(text)
            if "t" not in line:
                continue
            sent = "out" in line
            yield Piece(float(line["t"]), bytes.fromhex(line["out" if sent else "in"]), sent)
        except (ValueError, TypeError, KeyError) as error:
            raise SettingsError(f"{where}: line {number}: {error}") from None
