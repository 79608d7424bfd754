"""`foodsentry instrument simulate`: a virtual instrument on a pseudo-terminal, with faults."""

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from contracts.settings import SettingsError
from edge_agent.instruments.blackbox import Piece, read_pieces
from edge_agent.simulation.serial_dy3000dy import VirtualDy3000dy, VirtualDy3000dyOld
from edge_agent.simulation.serial_dy5000 import VirtualDy5000
from edge_agent.simulation.serial_faults import KINDS, Faults
from edge_agent.simulation.serial_line import VirtualLine
from edge_agent.simulation.serial_lis2 import Lis2Result, VirtualLis2
from edge_agent.simulation.serial_lz4000t import VirtualLz4000t
from edge_agent.simulation.serial_ttnjz24 import VirtualTtnjz24
from edge_agent.simulation.serial_xy_md02 import VirtualXyMd02

_PLAIN = {
    "dayuan_dy_3000dy": VirtualDy3000dy,
    "dayuan_dy_3000dy_old": VirtualDy3000dyOld,
    "dayuan_dy_5000": VirtualDy5000,
    "taiyang_ttnjz24": VirtualTtnjz24,
}
NAMES = tuple(sorted((*_PLAIN, "dayuan_lz_4000t", "generic_lis2", "generic_xy_md02")))
_FOODS = ("小白菜", "韭菜", "芹菜", "上海青", "豇豆", "菠菜", "生菜", "葱")


def add_simulate(leaves: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `simulate`."""
    leaf = leaves.add_parser("simulate", help="a virtual instrument on a pseudo-terminal")
    leaf.add_argument("name", metavar="NAME", help=", ".join(NAMES))
    leaf.add_argument("--port-link", type=Path, metavar="PATH", help="a link to the port")
    leaf.add_argument("--fault", action="append", default=[], metavar="FAULT",
                      help=", ".join((*KINDS, "unplug")))  # fmt: skip
    leaf.add_argument("--every", type=float, default=5.0, metavar="S", help="seconds a test takes")
    leaf.add_argument("--records", type=int, default=3, help="tests that are there at the start")
    leaf.add_argument("--seed", type=int, default=1)
    leaf.add_argument("--json", action="store_true", help="one JSON object a line")
    leaf.set_defaults(run=simulate, long_running=True)

    leaf = leaves.add_parser("replay", help="a black box, played on a pseudo-terminal")
    leaf.add_argument("file", type=Path, metavar="FILE.jsonl")
    leaf.add_argument("--port-link", type=Path, metavar="PATH", help="a link to the port")
    leaf.add_argument("--speed", type=float, default=1.0, help="times as fast as recorded")
    leaf.add_argument("--wait", type=float, default=1.0, metavar="S", help="before the first bytes")
    leaf.add_argument("--json", action="store_true", help="one JSON object a line")
    leaf.set_defaults(run=replay, long_running=True)


def simulate(arguments: argparse.Namespace) -> int:
    """Run until stopped; prints the port, and each test that is made."""
    kinds = set(arguments.fault)
    unplug = "unplug" in kinds
    try:
        faults = Faults(kinds - {"unplug"}, seed=arguments.seed)
    except ValueError as error:
        raise SettingsError(f"--fault: {error}") from None
    line = _make(arguments.name, arguments.port_link, faults)
    stop: threading.Event = arguments.stop
    rng = random.Random(arguments.seed)
    with line:
        _say(arguments, {"port": line.port, "instrument": arguments.name})
        for _ in range(arguments.records):
            _test(arguments, line, rng)
        plug_at = time.monotonic() + 10.0
        while not stop.wait(arguments.every):
            _test(arguments, line, rng)
            if unplug and time.monotonic() >= plug_at:
                _say(arguments, {"event": "unplugged"})
                line.unplug()
                stop.wait(3.0)
                line.plug()
                _say(arguments, {"event": "plugged in", "port": line.port})
                plug_at = time.monotonic() + 10.0
    return 0


def replay(arguments: argparse.Namespace) -> int:
    """Play a black box once; ends by itself."""
    if arguments.speed <= 0:
        raise SettingsError("--speed: must be above 0")
    try:
        with arguments.file.open(encoding="utf-8") as stream:
            pieces = [p for p in read_pieces(stream, str(arguments.file)) if not p.sent]
    except OSError as error:
        raise SettingsError(f"{arguments.file}: {error.strerror}") from None
    played = ReplayFarEnd(pieces, arguments.speed, arguments.wait)
    stop: threading.Event = arguments.stop
    with VirtualLine(played, arguments.port_link) as line:
        _say(arguments, {"port": line.port, "pieces": len(pieces)})
        while not stop.wait(0.2) and not played.done:
            pass
        stop.wait(1.0)
    return 0


class ReplayFarEnd:
    """Says what was recorded, when it was; the first piece `wait_s` after the start."""

    def __init__(self, pieces: Sequence[Piece], speed: float, wait_s: float) -> None:
        first = pieces[0].at_s if pieces else 0.0
        began = time.monotonic() + wait_s
        self._due = [began + (piece.at_s - first) / speed for piece in pieces]
        self._pieces = pieces
        self._next = 0

    @property
    def done(self) -> bool:
        """Whether all was said."""
        return self._next >= len(self._pieces)

    def receive(self, data: bytes, now: float) -> bytes:
        return b""

    def due(self) -> float:
        return float("inf") if self.done else self._due[self._next]

    def wake(self, now: float) -> bytes:
        self._next += 1
        return self._pieces[self._next - 1].content


def _make(name: str, link: Path | None, faults: Faults) -> VirtualLine:
    if name in _PLAIN:
        return _PLAIN[name](link, faults=faults)
    if name == "dayuan_lz_4000t":
        return VirtualLz4000t(link, faults=faults)
    if name == "generic_lis2":
        return VirtualLis2(link, faults=faults)
    if name == "generic_xy_md02":
        line = VirtualXyMd02(link, faults=faults)
        line.warm_up(12.0, per_s=0.05)
        return line
    raise SettingsError(f"simulate: no virtual {name!r}; there are: {', '.join(NAMES)}")


def _test(arguments: argparse.Namespace, line: VirtualLine, rng: random.Random) -> None:
    food = rng.choice(_FOODS)
    inhibition = round(min(99.0, rng.expovariate(1 / 18.0)), 2)
    if isinstance(line, VirtualDy3000dy | VirtualDy3000dyOld | VirtualDy5000 | VirtualTtnjz24):
        _say(arguments, line.add_test(food, inhibition))
    elif isinstance(line, VirtualLz4000t):
        record = line.add_record(food, inhibition)
        _say(arguments, {"record": record.number, "name": food, "value": f"{inhibition:.2f}"})
    elif isinstance(line, VirtualLis2):
        sample = f"S-{rng.randrange(10**6):06d}"
        results = [Lis2Result("抑制率", f"{inhibition:.2f}", "%")]
        line.send_results(sample, results, operator="快检员")
        _say(arguments, {"sample": sample, "value": f"{inhibition:.2f}"})


def _say(arguments: argparse.Namespace, line: dict[str, object]) -> None:
    text = " ".join(f"{key}={value}" for key, value in line.items())
    sys.stdout.write((json.dumps(line, ensure_ascii=False) if arguments.json else text) + "\n")
    sys.stdout.flush()
