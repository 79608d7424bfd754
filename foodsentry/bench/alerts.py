"""`foodsentry bench alerts`: 200 rules, 10,000 devices, one core: how fast, how late an alert is.

Events as the gateway has unpacked them go into a real SQLite ledger. **The rules**: what intake
does for alerts' sake: rules found, states read, events judged, states and alerts (with timeline and
journal) written, committed. **All of it**: intake's whole transaction; numbers claimed, results and
episodes stored besides. An alert is handed over when its transaction is committed: from then on the
pipeline sees it in the journal. **Latency**: all of it, while events come at a fixed rate, each at
its own time; from an event's coming to the commit of its alert.
"""

import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path

import msgspec

from contracts.events import Observation, Readings, TestResult
from foodsentry.bench.alert_load import BEGUN, book, events, register
from foodsentry.bench.figures import Figure, at_share, figure, machine, spread
from gateway.alerts.book import RuleBook
from gateway.alerts.evaluate import judge_observation, judge_result
from gateway.alerts.judge import carry_out, count, judge_batch_readings, judge_results
from gateway.alerts.outcomes import Outcome
from gateway.intake.store import take_in
from gateway.run import GARBAGE_EVERY
from gateway.unpack import Accepted
from ledger.engine import Engine, open_engine, writing

BATCH = 2000
BATCH_AGE_S = 0.02


class Alerted(msgspec.Struct, frozen=True):
    """What was measured."""

    machine: str
    rules: int
    devices: int
    events_per_s: Figure
    """The rules."""
    whole_per_s: Figure
    """All of it."""
    rules_met: float
    """Rules that an event meets after sorting, on average."""
    find_s: float
    """Time to find the rules of all devices, once."""
    offered_per_s: float
    alerts: int
    """Raised while the latency was measured."""
    p50_s: float
    p99_s: float
    most_s: float


class _Town:
    """A ledger with its register, and events that never end."""

    def __init__(self, folder: Path) -> None:
        self.engine: Engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite'}")
        self.sites = register(self.engine, BEGUN - timedelta(days=1))
        self.book: RuleBook = book()
        self.events = events(self.sites, BEGUN, BEGUN)

    def next(self, count: int) -> list[Accepted]:
        return list(islice(self.events, count))

    @property
    def ways(self) -> tuple[Callable[[list[Accepted]], None], ...]:
        return self.judge, self.take

    def judge(self, batch: list[Accepted]) -> None:
        """One transaction of the rules alone."""
        with writing(self.engine) as conn:
            outcomes = judge_batch_readings(conn, self.book, batch, BEGUN)
            others = [one for one in batch if not isinstance(one.event.data, Readings)]
            outcomes += judge_results(self.book, others)
            for one in others:
                if isinstance(one.event.data, Observation):
                    outcomes += judge_observation(self.book, one.device, one.event.data, None)
            outcomes += count(conn, self.book, others, BEGUN)
            carry_out(conn, self.book, outcomes, BEGUN)

    def take(self, batch: list[Accepted]) -> None:
        """Intake's whole transaction."""
        with writing(self.engine) as conn:
            take_in(conn, batch, [], self.book, BEGUN)


def measure(runs: int, seconds: float) -> Alerted:
    """`runs` runs of `seconds` each for the rate, and one of them for the latency."""
    with tempfile.TemporaryDirectory(prefix="foodsentry-bench-") as folder:
        town = _Town(Path(folder))
        gc.set_threshold(GARBAGE_EVERY, 10, 50)  # as the gateway does
        begun = time.perf_counter()
        owned = [town.book.own(device) for site in town.sites for device in site]
        find_s = time.perf_counter() - begun
        town.take(town.next(BATCH))  # warm
        rules, whole = ([_rate(town, take, seconds) for _ in range(runs)] for take in town.ways)
        met = _met(town)
        offered = round(0.7 * statistics.median(whole), -2)
        late = _latencies(town, offered, seconds)
        town.engine.dispose()
    late.sort()
    return Alerted(
        machine=machine(),
        rules=len(town.book.rules),
        devices=len(owned),
        events_per_s=figure("the rules", "events/s", rules),
        whole_per_s=figure("all of it", "events/s", whole),
        rules_met=round(met, 2),
        find_s=round(find_s, 2),
        offered_per_s=offered,
        alerts=len(late),
        p50_s=round(statistics.median(late), 4) if late else 0.0,
        p99_s=round(at_share(late, 0.99), 4) if late else 0.0,
        most_s=round(late[-1], 4) if late else 0.0,
    )


def _rate(town: _Town, take: Callable[[list[Accepted]], None], seconds: float) -> float:
    """Events a second; making them is not counted."""
    spent, done = 0.0, 0
    while spent < seconds:
        batch = town.next(BATCH)
        begun = time.perf_counter()
        take(batch)
        spent += time.perf_counter() - begun
        done += len(batch)
    return done / spent


def _met(town: _Town) -> float:
    """Rules that an event meets, on average."""
    met = 0
    batch = town.next(10 * BATCH)
    for one in batch:
        own, data = town.book.own(one.device), one.event.data
        if isinstance(data, Readings):
            met += sum(len(own.readings.get(reading.metric, ())) for reading in data.readings)
        elif isinstance(data, TestResult):
            met += len(own.verdicts.get(data.verdict, ())) + len(own.test_counts)
        elif isinstance(data, Observation):
            met += len(own.observations.get(data.kind, ()))
    return met / len(batch)


def _latencies(town: _Town, per_s: float, seconds: float) -> list[float]:
    """Seconds from an event's coming to the commit of its alert, while `per_s` come."""
    load = town.next(int(per_s * seconds))
    gc.collect()
    gc.freeze()
    late: list[float] = []
    done, begun = 0, time.perf_counter()
    while done < len(load):
        due = min(len(load), int((time.perf_counter() - begun) * per_s))
        if due - done < min(BATCH, len(load) - done, per_s * BATCH_AGE_S):
            time.sleep(0.0005)
            continue
        batch = load[done : min(due, done + BATCH)]
        raises = _raising(town.book, batch)
        town.take(batch)
        committed = time.perf_counter() - begun
        late += [committed - (done + place) / per_s for place in raises]
        done += len(batch)
    return late


def _raising(book: RuleBook, batch: list[Accepted]) -> list[int]:
    """Places in a batch of the events that raise an alert by themselves."""
    found = []
    for place, one in enumerate(batch):
        data = one.event.data
        raised: Sequence[Outcome] = ()
        if isinstance(data, TestResult):
            raised = judge_result(book, one.device, "", "", data)
        elif isinstance(data, Observation):
            raised = judge_observation(book, one.device, data, None)
        if raised:
            found.append(place)
    return found


def as_table(found: Alerted) -> str:
    """The figures as Markdown."""
    rows = [
        ("rules", f"{found.rules}"),
        ("devices", f"{found.devices:,}"),
        ("rules that an event meets", f"{found.rules_met:g} of {found.rules}"),
        ("finding every device's rules, once", f"{found.find_s:g} s"),
        ("the rules, one core", spread(found.events_per_s)),
        ("all of it, one core", spread(found.whole_per_s)),
        (
            f"event to hand-over, at {found.offered_per_s:,.0f} events/s",
            f"p50 {found.p50_s * 1000:.0f} ms, p99 {found.p99_s * 1000:.0f} ms, "
            f"most {found.most_s * 1000:.0f} ms ({found.alerts} alerts)",
        ),
    ]
    lines = [f"{found.machine}\n", "| what | measured |", "| --- | ---: |"]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in rows]) + "\n"
