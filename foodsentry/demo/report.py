"""What the demo measured: counts, losses and latencies, from the stores and from the console.

Nothing is assumed: the virtual instruments say what they put on their lines, the agents' outboxes
how far they numbered, the ledger and the time series what they hold, the console when it was told.
"""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from contracts.topics import Identity
from foodsentry.demo.town import CANTEEN, SITES
from ledger import alerts, intake, observations, results
from ledger.engine import Engine, reading
from timeseries.port import SeriesStore

ALL = 1_000_000


class Latency(msgspec.Struct, frozen=True):
    """Seconds from the last byte (or the frame) at the edge to the event in the console."""

    n: int
    p50: float | None
    p95: float | None


class Report(msgspec.Struct, frozen=True):
    """The report of one demo run."""

    tests: int
    readings: int
    observations: int
    alerts: dict[str, int]
    lost: int
    """Records that an instrument gave and the ledger lacks, numbered events that no store has."""
    duplicated: int
    latency_s: dict[str, Latency]
    seconds: float


class Truth(msgspec.Struct, frozen=True):
    """What was really there, as the virtual instruments and the agents themselves say."""

    records: dict[Identity, int]
    """Test records that each instrument put on its line."""
    polls_answered: int
    numbered: dict[Identity, int]
    """The last sequence number that each agent's outbox gave."""


def latency(seconds: Sequence[float]) -> Latency:
    """Median and 95th percentile (nearest rank)."""
    if not seconds:
        return Latency(0, None, None)
    ranked = sorted(seconds)
    p95 = ranked[max(0, -(-95 * len(ranked) // 100) - 1)]
    return Latency(len(ranked), round(statistics.median(ranked), 3), round(p95, 3))


def measure(
    engine: Engine,
    store: SeriesStore,
    truth: Truth,
    shown_at: Mapping[str, datetime],
    seconds: float,
) -> Report:
    """Compare what happened with what the stores hold."""
    regions = sorted({site.region for site in SITES})
    with reading(engine) as conn:
        booked = results.list_in(conn, regions, ALL)
        seen = observations.list_in(conn, regions, ALL)
        raised = alerts.list_in(conn, regions, None, ALL)
        taken_in = {row.agent: row for row in intake.progress(conn)}
    stored = _readings(store)
    held = Counter(Identity(row.region, row.site, row.device) for row in booked)
    short = sum(max(0, n - held[who]) for who, n in truth.records.items())
    twice = sum(max(0, held[who] - n) for who, n in truth.records.items())
    for agent, last in truth.numbered.items():
        row = taken_in.get(agent)
        short += last if row is None else row.missing + max(0, last - row.highest)
    short += max(0, 2 * truth.polls_answered - stored)
    captured = {row.result_id: row.captured_at for row in booked}
    to_console: dict[str, list[float]] = {"byte_to_console": [], "frame_to_console": []}
    for alert in raised:
        shown = shown_at.get(alert.alert_id)
        if shown is None:
            continue
        if alert.result_id in captured:
            spent = shown - captured[alert.result_id]
            to_console["byte_to_console"].append(spent.total_seconds())
        elif alert.observation_id and "captured_at" in alert.facts:
            spent = shown - datetime.fromisoformat(alert.facts["captured_at"])
            to_console["frame_to_console"].append(spent.total_seconds())
    return Report(
        tests=len(booked),
        readings=stored,
        observations=len(seen),
        alerts=dict(sorted(Counter(alert.rule for alert in raised).items())),
        lost=short,
        duplicated=twice,
        latency_s={name: latency(values) for name, values in to_console.items()},
        seconds=round(seconds, 1),
    )


def _readings(store: SeriesStore) -> int:
    end_at = datetime.now(UTC) + timedelta(hours=1)
    tags = {"site": CANTEEN.site}
    return len(store.samples("readings", "value", tags, end_at - timedelta(days=1), end_at))
