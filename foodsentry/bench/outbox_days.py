"""`foodsentry bench outbox --days N`: an outbox after one day offline, and after N of them.

A day is 50,000 messages: readings of five fields, and some test results and observations. The days
are put through the outbox's own door (in batches, for the disk's sake); then the same work is
measured on one day's backlog and on all of it: single puts, the ends of the queue, removal by
receipts, health, opening, the doctor's look, and a drain through a real mosquitto to a city in a
process of its own that receipts at once, with fresh test results put meanwhile.
"""

import hashlib
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from contracts.events import (
    Observation,
    ProfileRef,
    RawFrame,
    Reading,
    Readings,
    Sample,
    TestResult,
    Value,
)
from contracts.topics import identity
from contracts.words import Phase, Verdict
from edge_agent.outbox.encoding import Lane
from edge_agent.outbox.store import Outbox
from edge_agent.outbox.survey import survey
from edge_agent.ports import Fact
from edge_agent.uplink.clock_offset import ClockOffset
from edge_agent.uplink.courier import Courier
from edge_agent.uplink.mqtt import Endpoint
from edge_agent.uplink.settings import UplinkSettings
from edge_agent.uplink.statuses import StatusBoard
from foodsentry.bench.figures import Figure, figure, spread
from foodsentry.bench.outbox_city import Told, run_city
from foodsentry.bench.servers import mosquitto
from foodsentry.demo.run import free_port

MESSAGES_A_DAY = 50_000
TESTS_A_DAY = 900
OBSERVATIONS_A_DAY = 100
_AT = datetime(2026, 10, 1, tzinfo=UTC)
_AGENT = identity("440703", "bench", "agent")
_METRICS = ("temperature", "humidity", "dew_point", "supply_voltage", "door_open_share")
_BATCH = 500
_DRAIN_S = 2.5
_RAW = b"bench record"


class Days(msgspec.Struct, frozen=True):
    """The same figures on one day's backlog and on all of it."""

    days: int
    messages: int
    one_day: list[Figure]
    all_days: list[Figure]
    fill_per_s: float
    """Events a second while the days were put, in batches of 500."""


def result(number: int) -> Fact:
    """A test result."""
    at = _AT + timedelta(seconds=number)
    data = TestResult(
        sample=Sample(number=str(number), name="菠菜"),
        item="农药残留",
        value=Value("62.50", number=62.5, unit="%"),
        verdict=Verdict.POSITIVE,
        captured_at=at,
        profile=ProfileRef("dayuan_lz_4000t", "1"),
        raw=RawFrame(_RAW, hashlib.sha256(_RAW).hexdigest()),
        record_number=number,
    )
    return Fact(_AGENT.sibling("lz-1"), "tests", data, at)


def _observation(number: int) -> Fact:
    at = _AT + timedelta(seconds=number)
    data = Observation(f"o{number}", "no_hat", Phase.OPEN, at, at, "三次都没有戴帽 / three looks")
    return Fact(_AGENT.sibling("cam-1"), "observations", data, at)


def _readings(number: int) -> Fact:
    at = _AT + timedelta(seconds=number)
    batch = [Reading(metric, 3.5 + number % 7, "Cel", at) for metric in _METRICS]
    return Fact(_AGENT.sibling(f"probe-{number % 8}"), "readings", Readings(batch), at)


def _fact(number: int) -> Fact:
    place = number % MESSAGES_A_DAY
    if place % (MESSAGES_A_DAY // TESTS_A_DAY) == 1:
        return result(number)
    if place % (MESSAGES_A_DAY // OBSERVATIONS_A_DAY) == 2:
        return _observation(number)
    return _readings(number)


def measure(days: int, runs: int) -> Days:
    """Fill one day, measure; fill the rest, measure. Raises BenchFailed without mosquitto."""
    with tempfile.TemporaryDirectory(prefix="foodsentry-bench-") as folder, _city(folder) as city:
        path = Path(folder) / "outbox.sqlite"
        one_day = _figures(path, MESSAGES_A_DAY, runs, city)
        with _outbox(path) as outbox:
            fill_per_s = _fill(outbox, days * MESSAGES_A_DAY)
        all_days = _figures(path, days * MESSAGES_A_DAY, runs, city)
        return Days(
            days=days,
            messages=days * MESSAGES_A_DAY,
            one_day=one_day,
            all_days=all_days,
            fill_per_s=round(fill_per_s),
        )


def _fill(outbox: Outbox, backlog: int) -> float:
    """Put until so many events wait; returns how many a second."""
    missing = backlog - outbox.state().backlog
    begun = time.perf_counter()
    for first in range(0, missing, _BATCH):
        outbox.put([_fact(number) for number in range(first, min(first + _BATCH, missing))])
    return missing / (time.perf_counter() - begun)


def _outbox(path: Path) -> Outbox:
    return Outbox(path, _AGENT, utc_now, max_bytes=16 << 30)


def _figures(path: Path, backlog: int, runs: int, city: "_City") -> list[Figure]:
    with _outbox(path) as outbox:
        _fill(outbox, backlog)
    opened = [_timed(lambda: _outbox(path).close()) for _ in range(runs)]
    surveyed = [_timed(lambda: survey(path)) for _ in range(runs)]
    with _outbox(path) as outbox:
        puts = [_puts(outbox) for _ in range(runs)]
        drains = []
        for _ in range(runs):
            _fill(outbox, backlog)
            drains.append(_drain(outbox, city))
        _fill(outbox, backlog)
        oldest = [_timed(lambda: outbox.above(Lane.READING, 0, 64)) for _ in range(50)]
        newest = [_timed(lambda: outbox.below(Lane.ALARM, None, 64)) for _ in range(50)]
        state = [_timed(outbox.state) for _ in range(50)]
        removals = [_removals(outbox) for _ in range(runs)]
    alarms = sorted(s for drain in drains for s in drain.alarms_s)
    return [
        figure("open", "s", opened),
        figure("the doctor's look", "s", surveyed),
        figure("durable put, one event", "events/s", [len(took) / sum(took) for took in puts]),
        figure("… p99", "ms", [_p(took, 0.99) * 1e3 for took in puts]),
        figure("read the oldest 64 readings", "ms", [s * 1e3 for s in oldest]),
        figure("read the newest 64 alarms", "ms", [s * 1e3 for s in newest]),
        figure("health", "ms", [s * 1e3 for s in state]),
        figure("removed by receipts", "events/s", removals),
        figure("drain through mosquitto", "events/s", [drain.events_per_s for drain in drains]),
        figure("fresh alarm in the drain, p50", "ms", [_p(alarms, 0.5) * 1e3]),
        figure("… p95", "ms", [_p(alarms, 0.95) * 1e3]),
        figure("… longest", "ms", [alarms[-1] * 1e3 if alarms else 0.0]),
        figure("file", "MB", [path.stat().st_size / 1e6]),
        figure("memory of the process", "MB", [_rss_mb()]),
    ]


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _p(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=1000)[round(share * 1000) - 1] if len(values) > 1 else 0.0


def _puts(outbox: Outbox) -> list[float]:
    facts = [_readings(number) for number in range(1000)]
    return [_timed(lambda fact=fact: outbox.put([fact])) for fact in facts]  # type: ignore[misc]


def _removals(outbox: Outbox) -> float:
    """The oldest readings, in receipts of 500."""
    keys = [event.key for event in outbox.above(Lane.READING, 0, 5000)]
    parts = [keys[at : at + 500] for at in range(0, len(keys), 500)]
    begun = time.perf_counter()
    gone = sum(outbox.remove([(part[0], part[-1])]) for part in parts)
    return gone / (time.perf_counter() - begun)


class _Drained(msgspec.Struct, frozen=True):
    events_per_s: float
    alarms_s: list[float]
    """From before the put of a fresh test result to its arrival in the city."""


class _City(msgspec.Struct, frozen=True):
    port: int
    pipe: Connection

    def told(self) -> Told:
        self.pipe.send("tell")
        told: Told = self.pipe.recv()
        return told


@contextmanager
def _city(folder: str) -> Iterator[_City]:
    port = free_port()
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    with mosquitto(Path(folder), port):
        process = context.Process(target=run_city, args=(port, theirs))
        process.start()
        theirs.close()
        ours.recv()
        try:
            yield _City(port, ours)
        finally:
            ours.close()
            process.join(10)


def _drain(outbox: Outbox, city: _City) -> _Drained:
    """Carry with the real courier, for less than a day's backlog; fresh results every 100 ms."""
    end = Endpoint("127.0.0.1", city.port, "bench-agent", "", None, None, 30, 0)
    offset = ClockOffset(utc_now, time.monotonic)
    board = StatusBoard(time.monotonic)
    courier = Courier(_AGENT, end, UplinkSettings(), outbox, board, utc_now, offset)
    stop = threading.Event()
    thread = threading.Thread(target=courier.run, args=(stop,))
    city.told()
    before = outbox.state()
    put_at: dict[datetime, float] = {}
    thread.start()
    while not courier.state.connected:
        time.sleep(0.005)
    begun = time.monotonic()
    while time.monotonic() - begun < _DRAIN_S:
        time.sleep(0.1)
        fresh = result(-1 - len(put_at))
        put_at[fresh.captured_at] = time.monotonic()
        outbox.put([fresh])
        courier.wake()
    spent = time.monotonic() - begun
    removed = before.backlog + len(put_at) - outbox.state().backlog
    stop.set()
    courier.wake()
    thread.join()
    arrived = city.told().alarms
    return _Drained(
        removed / spent, [arrived[name] - at for name, at in put_at.items() if name in arrived]
    )


def as_table(found: Days) -> str:
    """The figures side by side, as Markdown."""
    days = f"{found.days} days"
    lines = [f"### Outbox after {days} offline, {found.messages:,} events", ""]
    lines += [f"| what | after 1 day | after {days} |", "| --- | ---: | ---: |"]
    for one, all_days in zip(found.one_day, found.all_days, strict=True):
        lines.append(f"| {one.name} | {spread(one)} | {spread(all_days)} |")
    lines.append("")
    lines.append(f"Filled with {found.fill_per_s:,.0f} events/s.")
    return "\n".join(lines) + "\n"


def _rss_mb() -> float:
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
