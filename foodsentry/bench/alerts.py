"""`foodsentry bench alerts`: 200 rules, 10,000 devices, one core: how fast, how late an alert is.

Events as the gateway has unpacked them go into a real SQLite ledger. **The rules**: what intake
does for alerts' sake: rules found, states read, events judged, states and alerts (with timeline and
journal) written, committed. **All of it**: intake's whole transaction; numbers claimed, results and
episodes stored besides. **Latency**: all of it, while events come at a fixed rate, each at its own
time, every alert of class 1, with the gateway's own pipeline and sender beside; from an event's
coming to the commit of its alert, and until a channel was handed the message about it.
"""

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from contracts.events import Observation, Readings, TestResult
from foodsentry.bench.alert_load import BEGUN, REGIONS, book, events, register
from foodsentry.bench.alert_office import Office, employ
from foodsentry.bench.figures import Figure, at_share, figure, machine, spread
from foodsentry.bench.servers import BenchFailed
from gateway.alerts.book import RuleBook
from gateway.alerts.evaluate import judge_observation
from gateway.alerts.judge import carry_out, count, judge_batch_readings, judge_results
from gateway.intake.store import take_in
from gateway.run import GARBAGE_EVERY, SWITCH_S
from gateway.unpack import Accepted
from ledger import alerts
from ledger.engine import Engine, open_engine, reading, writing

BATCH = 2000
BATCH_AGE_S = 0.02
SHARES = (0.3, 0.5, 0.7)
PATIENCE_S = 30.0
Fact = tuple[str, datetime]
"""A site, and the time that one of its devices told: no two events of the load have both."""


class Late(msgspec.Struct, frozen=True):
    """How late alerts and their messages are at one load."""

    share: float
    """Of the rate at which intake alone takes all of it."""
    events_per_s: float
    alerts: int
    untold: int
    """Alerts of which no message was handed over."""
    alert_p50_s: float
    """From the event's coming to the commit of its alert."""
    alert_p99_s: float
    message_p50_s: float
    """From the event's coming until a channel had the message."""
    message_p99_s: float
    message_most_s: float


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
    late: tuple[Late, ...]
    """At shares of what all of it takes."""


class _Town:
    """A ledger with its register, and events that never end."""

    def __init__(self, folder: Path) -> None:
        self.engine: Engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite'}")
        self.sites = register(self.engine, BEGUN - timedelta(days=1))
        employ(self.engine, REGIONS)
        self.book: RuleBook = book()
        self.events = events(self.sites, BEGUN, BEGUN)

    def next(self, count: int) -> list[Accepted]:
        return list(islice(self.events, count))

    @property
    def ways(self) -> tuple[Callable[[list[Accepted]], object], ...]:
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

    def take(self, batch: list[Accepted], at: datetime = BEGUN) -> bool:
        """Intake's whole transaction; whether there is news of alerts."""
        with writing(self.engine, first=True) as conn:
            return take_in(conn, batch, [], self.book, at).news

    def last_alert(self) -> int:
        """The number of the newest alert."""
        with reading(self.engine) as conn:
            return max((one.number for one in alerts.list_in(conn, None, limit=1)), default=0)

    def raised_since(self, number: int) -> set[Fact]:
        """The facts of the alerts after that one."""
        with reading(self.engine) as conn:
            rows = alerts.list_in(conn, None, limit=100_000)
        return {(one.site, one.raised_at) for one in rows if one.number > number}


def measure(runs: int, seconds: float) -> Alerted:
    """`runs` runs of `seconds` each for the rate, and one of them for the latency."""
    with tempfile.TemporaryDirectory(prefix="foodsentry-bench-") as folder:
        town = _Town(Path(folder))
        gc.set_threshold(GARBAGE_EVERY, 10, 50)  # as the gateway does
        sys.setswitchinterval(SWITCH_S)
        begun = time.perf_counter()
        owned = [town.book.own(device) for site in town.sites for device in site]
        find_s = time.perf_counter() - begun
        town.take(town.next(BATCH))  # warm
        rules, whole = ([_rate(town, take, seconds) for _ in range(runs)] for take in town.ways)
        met = _met(town)
        late = tuple(_late(town, share, statistics.median(whole), seconds) for share in SHARES)
        town.engine.dispose()
    return Alerted(
        machine=machine(),
        rules=len(town.book.rules),
        devices=len(owned),
        events_per_s=figure("the rules", "events/s", rules),
        whole_per_s=figure("all of it", "events/s", whole),
        rules_met=round(met, 2),
        find_s=round(find_s, 2),
        late=late,
    )


def _rate(town: _Town, take: Callable[[list[Accepted]], object], seconds: float) -> float:
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


def _late(town: _Town, share: float, whole: float, seconds: float) -> Late:
    """How late they are at a share of that rate. Raises BenchFailed."""
    per_s = round(share * whole, -2)
    load = town.next(int(per_s * seconds))
    gc.collect()
    gc.freeze()
    before = town.last_alert()
    with Office(town.engine) as office:
        office.settle()
        came, committed = _offer(town, office, load, per_s)
        raised = town.raised_since(before)
        until = time.perf_counter() + PATIENCE_S
        while not raised <= office.ear.heard.keys() and time.perf_counter() < until:
            time.sleep(0.05)
    heard = office.ear.heard
    if not raised & heard.keys():
        raise BenchFailed(f"{len(raised)} alerts, and no message within {PATIENCE_S:g} s")
    alerts = sorted(committed[fact] - came[fact] for fact in raised)
    messages = sorted(heard[fact] - came[fact] for fact in raised & heard.keys())
    return Late(
        share=share,
        events_per_s=per_s,
        alerts=len(alerts),
        untold=len(alerts) - len(messages),
        alert_p50_s=round(statistics.median(alerts), 4),
        alert_p99_s=round(at_share(alerts, 0.99), 4),
        message_p50_s=round(statistics.median(messages), 4),
        message_p99_s=round(at_share(messages, 0.99), 4),
        message_most_s=round(messages[-1], 4),
    )


def _offer(
    town: _Town, office: Office, load: list[Accepted], per_s: float
) -> tuple[dict[Fact, float], dict[Fact, float]]:
    """Let events come, each at its time; returns when each came, and when it was committed."""
    came: dict[Fact, float] = {}
    committed: dict[Fact, float] = {}
    done, begun = 0, time.perf_counter()
    while done < len(load):
        due = min(len(load), int((time.perf_counter() - begun) * per_s))
        if due - done < min(BATCH, len(load) - done, per_s * BATCH_AGE_S):
            time.sleep(0.0005)
            continue
        batch = load[done : min(due, done + BATCH)]
        if town.take(batch, utc_now()):
            office.wake()
        stood = time.perf_counter()
        for place, one in enumerate(batch, done):
            fact = one.device.site, one.event.envelope.time
            came[fact] = begun + place / per_s
            committed[fact] = stood
        done += len(batch)
    return came, committed


def as_table(found: Alerted) -> str:
    """The figures as Markdown."""
    rows = [
        ("rules", f"{found.rules}"),
        ("devices", f"{found.devices:,}"),
        ("rules that an event meets", f"{found.rules_met:g} of {found.rules}"),
        ("finding every device's rules, once", f"{found.find_s:g} s"),
        ("the rules, one core", spread(found.events_per_s)),
        ("all of it, one core", spread(found.whole_per_s)),
    ]
    rows += [
        (
            f"event to alert / message, at {late.events_per_s:,.0f} events/s ({late.share:.0%})",
            f"p50 {late.alert_p50_s * 1000:.0f} / {late.message_p50_s * 1000:.0f} ms, "
            f"p99 {late.alert_p99_s * 1000:.0f} / {late.message_p99_s * 1000:.0f} ms, "
            f"most – / {late.message_most_s * 1000:.0f} ms "
            f"({late.alerts} alerts, {late.untold} untold)",
        )
        for late in found.late
    ]
    lines = [f"{found.machine}\n", "| what | measured |", "| --- | ---: |"]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in rows]) + "\n"
