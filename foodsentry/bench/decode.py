"""`foodsentry bench decode`: records a second from instrument bytes to judged results."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from contracts.limits import load_limits
from edge_agent.instruments.offline import Found, decode_stream
from edge_agent.instruments.profiles import load_profile
from edge_agent.instruments.results import Reader
from edge_agent.protocols.e1381_sender import frames_of
from edge_agent.simulation.serial_lis2 import Lis2Result, message
from edge_agent.simulation.serial_lz4000t import Record, record_frame
from foodsentry.bench import rivalry
from foodsentry.bench.figures import Figure, rate
from foodsentry.bench.rivals import RivalMissing
from foodsentry.demo.files import CONFIGS

_AT = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
_COUNT = 500
_READ = 4096
"""Bytes that come in one read."""


def lz4000t_bytes() -> bytes:
    """A day of records as an LZ-4000T sends it."""
    wall = _AT.astimezone(timezone(timedelta(hours=8)))
    rows = [
        Record(number=n, name="韭菜", at=wall + timedelta(seconds=n), inhibition=n % 70 + 0.25)
        for n in range(1, _COUNT + 1)
    ]
    return b"".join(record_frame(row, _COUNT) for row in rows)


def lis2_bytes() -> bytes:
    """As many results as an E1381 sender puts on the line, frame by frame."""
    out = b""
    for number in range(_COUNT // 5):
        results = [Lis2Result("氯霉素", f"{index}.25", "ug/kg") for index in range(5)]
        frames = frames_of(message(f"S{number:05d}", results, _AT), one_frame_per_record=True)
        out += b"\x05" + b"".join(frames) + b"\x04"
    return out


def measure(runs: int) -> list[Figure]:
    """From bytes in reads of a few kilobytes to judged results; then beside other libraries."""
    limits = load_limits(CONFIGS / "limits")

    def work(profile_name: str, content: bytes) -> Callable[[], int]:
        profile = load_profile(CONFIGS / "instruments", profile_name)
        reader = Reader(profile.ref, limits)
        chunks = [content[at : at + _READ] for at in range(0, len(content), _READ)]

        def once() -> int:
            found = list(decode_stream(profile, reader, chunks, _AT))
            if len(found) != _COUNT or not all(isinstance(one, Found) for one in found):
                raise RuntimeError(f"{profile_name}: {len(found)} of {_COUNT} records decoded")
            return _COUNT

        return once

    figures = [
        rate("LZ-4000T records", "results/s", work("dayuan_lz_4000t", lz4000t_bytes()), runs),
        rate("LIS2-A2 over E1381", "results/s", work("generic_lis2", lis2_bytes()), runs),
    ]
    try:
        figures += rivalry.measure(runs)
    except RivalMissing as error:
        print(f"foodsentry bench: {error}", file=sys.stderr)
    return figures
