"""Our E1381 and Modbus paths beside python-astm's and pymodbus', on the same bytes in the same run.

Speed, and what each makes of damaged streams: results that only one of them kept, and results that
were never sent but were believed.
"""

import random
import re
from collections.abc import Sequence, Set
from datetime import UTC, datetime
from typing import Any

import msgspec

from contracts.profile import E1381
from edge_agent.instruments.hosts import actions
from edge_agent.instruments.hosts.e1381 import E1381Host
from edge_agent.instruments.profiles import LoadedProfile, load_profile
from edge_agent.protocols.e1381_sender import frames_of
from edge_agent.protocols.modbus import Reply, Request, RtuReplyReader, rtu
from edge_agent.simulation.serial_lis2 import Lis2Result, message
from foodsentry.bench.figures import Figure, compare, figure
from foodsentry.bench.rivals import AstmServer, PymodbusClient
from foodsentry.demo.files import CONFIGS

_AT = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
_READS = re.compile(rb"\x05|\x04|\x02[^\n]*\n|[^\x02\x04\x05]+|\x02")
STREAMS = 400
RESULTS = 5
"""Results in each damaged stream."""


class Outcome(msgspec.Struct, frozen=True):
    """Results out of damaged streams."""

    sent: int
    ours: int
    theirs: int
    only_ours: int
    only_theirs: int
    ours_invented: int
    theirs_invented: int


def _profile() -> LoadedProfile:
    return load_profile(CONFIGS / "instruments", "generic_lis2")


def transfer(name: str, count: int = RESULTS) -> tuple[bytes, set[tuple[str, str]]]:
    """An E1381 transfer, and item and value of its results."""
    results = [Lis2Result(f"item{index}", f"{name}.{index}", "ug/kg") for index in range(count)]
    frames = frames_of(message(f"S{name}", results, _AT))
    sent = {(result.item, result.value) for result in results}
    return b"\x05" + b"".join(frames) + b"\x04", sent


def reads_of(stream: bytes) -> list[bytes]:
    """What each read gives: a frame or a control character, as a sender that waits for ACK."""
    return _READS.findall(stream)


def ours(profile: LoadedProfile, reads: Sequence[bytes], *, live: bool) -> list[tuple[str, str]]:
    """Item and value by our host: whole state machine, held frames, records with their cells."""
    dialogue = profile.spec.dialogue
    assert isinstance(dialogue, E1381)
    host = E1381Host(profile, dialogue, needs_enquiry=live)
    rows = []
    for content in reads:
        for action in host.receive(content, 0.0, _AT):
            if isinstance(action, actions.Take):
                rows += action.rows
    for action in host.finish():
        if isinstance(action, actions.Take):
            rows += action.rows
    return [(row.cells["item"].text, row.cells["value"].text) for row in rows]


def theirs(reads: Sequence[bytes]) -> list[tuple[str, str]]:
    """Item and value by python-astm's request handler."""
    server = AstmServer()
    for content in reads:
        server.read(content)
    return server.results()


def damaged(rng: random.Random, stream: bytes) -> bytes:
    """The stream after one to three accidents: noise, loss, a flipped bit, a piece twice."""
    content = bytearray(stream)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(content))
        kind = rng.randrange(4)
        if kind == 0:
            content[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif kind == 1:
            del content[at : at + rng.randrange(1, 9)]
        elif kind == 2:
            content[at] ^= 1 << rng.randrange(8)
        else:
            content[at:at] = content[at : at + rng.randrange(1, 20)]
    return bytes(content)


def e1381_outcome(streams: int = STREAMS, seed: int = 1) -> Outcome:
    """Damaged transfers as recordings (no one repeats a frame), read by both."""
    rng, profile = random.Random(seed), _profile()
    pairs = []
    for number in range(streams):
        stream, sent = transfer(str(number))
        reads = reads_of(damaged(rng, stream))
        pairs.append((sent, set(ours(profile, reads, live=False)), set(theirs(reads))))
    return _outcome(pairs)


def modbus_outcome(streams: int = STREAMS, seed: int = 2) -> Outcome:
    """Replies with noise, an echo, another unit's reply or half a reply before them, or damage."""
    rng, client = random.Random(seed), PymodbusClient()
    request = Request(1, 4, 1, 2)
    pairs = []
    for number in range(streams):
        registers = (number, rng.randrange(65536))
        good = _reply(1, registers)
        before = (
            rng.randbytes(rng.randrange(1, 9)), rtu(request.body), _reply(2, (7, 7)),
            good[: rng.randrange(1, 8)], b"",
        )[rng.randrange(5)]  # fmt: skip
        stream = before + (good if before else damaged(rng, good))
        cut = rng.randrange(len(stream) + 1)
        reads = [stream[:cut], stream[cut:]]
        found, other = _ask(request, reads), client.ask(1, reads)
        pairs.append((
            {registers}, {found} if found else set(), {tuple(other)} if other else set(),
        ))  # fmt: skip
    return _outcome(pairs)


def _reply(unit: int, registers: Sequence[int]) -> bytes:
    data = b"".join(register.to_bytes(2, "big") for register in registers)
    return rtu(bytes((unit, 4, len(data))) + data)


def _ask(request: Request, reads: Sequence[bytes]) -> tuple[int, ...] | None:
    reader = RtuReplyReader(request)
    events = [event for content in reads for event in reader.receive(content)] + reader.flush()
    for event in events:
        if isinstance(event, Reply):
            data = event.data
            return tuple(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    return None


def _outcome(pairs: Sequence[tuple[Set[Any], Set[Any], Set[Any]]]) -> Outcome:
    count = [
        (len(s), len(o & s), len(t & s), len((o - t) & s), len((t - o) & s), len(o - s), len(t - s))
        for s, o, t in pairs
    ]
    return Outcome(*(sum(column) for column in zip(*count, strict=True)))


def _outcome_figures(name: str, other: str, outcome: Outcome) -> list[Figure]:
    rows = [
        (f"{name}: sent in damaged streams", outcome.sent),
        ("… kept by us", outcome.ours),
        (f"… kept by {other}", outcome.theirs),
        (f"… kept by us, lost by {other}", outcome.only_ours),
        (f"… lost by us, kept by {other}", outcome.only_theirs),
        ("… never sent, believed by us", outcome.ours_invented),
        (f"… never sent, believed by {other}", outcome.theirs_invented),
    ]
    return [figure(text, "results", [value]) for text, value in rows]


def measure(runs: int) -> list[Figure]:
    """Speeds with their ratio, then what came of damaged streams. Raises RivalMissing."""
    profile, client = _profile(), PymodbusClient()
    reads = [read for n in range(60) for read in reads_of(transfer(str(n))[0])]
    request = Request(1, 4, 1, 2)
    replies = [_reply(1, (n, n)) for n in range(1000)]

    def modbus_ours() -> int:
        return sum(_ask(request, (reply,)) is not None for reply in replies)

    def modbus_theirs() -> int:
        return sum(client.exchange(1, 1, 2, (reply,)) is not None for reply in replies)

    return [
        *compare(
            ("E1381 to records", "… python-astm"), "results/s",
            (lambda: len(ours(profile, reads, live=True)), lambda: len(theirs(reads))), runs,
        ),
        *compare(("Modbus RTU exchanges", "… pymodbus"), "replies/s",
                 (modbus_ours, modbus_theirs), runs),
        *_outcome_figures("E1381", "python-astm", e1381_outcome()),
        *_outcome_figures("Modbus RTU", "pymodbus", modbus_outcome()),
    ]  # fmt: skip
