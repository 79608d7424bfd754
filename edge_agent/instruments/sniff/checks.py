"""Tries the known checks over frames: which one, over what and where, holds for nearly all."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from contracts.profile_framing import Check
from edge_agent.protocols.checks import written

POLYNOMIALS = (0x31, 0x07, 0x9B, 0x1D, 0xD5)
"""Of CRC-8s that are met in the field."""
STARTS = range(5)
AFTER = range(4)
"""Bytes of a tail that may follow the check."""
SHARE = 0.6
"""So many of the distinct frames must agree: some may be damaged."""
LEAST_BITS = 16
"""Agreement worth less than this many bits is luck."""
FRAMES = 60
"""Distinct frames that are looked at."""


class CheckGuess(msgspec.Struct, frozen=True):
    """A check that holds, for how many of the distinct frames."""

    check: Check
    held: int
    of: int


def find_check(frames: Sequence[bytes]) -> CheckGuess | None:
    """The check that most frames agree on, or None. Ties: the one that covers the most bytes."""
    distinct = list(dict.fromkeys(frames))[:FRAMES]
    if len(distinct) < 2:
        return None
    best: CheckGuess | None = None
    for check in _candidates(min(len(frame) for frame in distinct)):
        if not any(_holds(check, frame) for frame in distinct[:3]):
            continue
        values = {_found(check, frame) for frame in distinct if _holds(check, frame)}
        held = sum(_holds(check, frame) for frame in distinct)
        bits = held * (16 if check.kind.startswith("crc16") else 8)
        if held < SHARE * len(distinct) or bits < LEAST_BITS or len(values) < 2:
            continue
        if best is None or held > best.held:
            best = CheckGuess(check, held, len(distinct))
    return best


def _candidates(shortest: int) -> Iterator[Check]:
    """Every check to be tried; those that cover more bytes, and end nearer to the end, first."""
    for start in STARTS:
        for after in AFTER:
            for table in _kinds():
                width = (2 if table["kind"].startswith("crc16") else 1) * (
                    2 if table.get("encoding") == "hex" else 1
                )
                if shortest - width - after - start >= 2:
                    yield msgspec.convert({**table, "start": start, "at": -width - after}, Check)


def _kinds() -> Iterator[dict[str, Any]]:
    for encoding in ("binary", "hex"):
        for kind in ("sum8", "xor8", "complement8"):
            yield {"kind": kind, "encoding": encoding}
        for kind in ("crc16_modbus", "crc16_ccitt"):
            for order in ("little", "big"):
                yield {"kind": kind, "encoding": encoding, "order": order}
    for poly in POLYNOMIALS:
        for init in (0, 0xFF):
            yield {"kind": "crc8", "poly": poly, "init": init}


def _found(check: Check, frame: bytes) -> bytes:
    at = len(frame) + check.at
    return frame[at : at + check.width] if at >= 0 else b""


def _holds(check: Check, frame: bytes) -> bool:
    at, found = len(frame) + check.at, _found(check, frame)
    if at <= check.start or len(found) != check.width:
        return False
    if check.encoding == "hex":
        found = found.upper()
    return found == written(check, frame[check.start : at])
