"""The report of `foodsentry bench ingest`: both loads several times, alerts, peers beside them."""

import statistics
from pathlib import Path

import msgspec

from foodsentry.bench import servers
from foodsentry.bench.ingest import (
    SITES,
    Alerted,
    Ingested,
    hours_ago,
    measure,
    measure_alerts,
)
from foodsentry.bench.load import agents, messages
from foodsentry.bench.peers import Peer
from foodsentry.bench.peers import measure as measure_peers

RATES = {1: 25_000, 50: 3_600}
"""Messages a second by readings a message: a run's length is reckoned with them, and alerts are
timed at half of them (or of what was measured, if that is less)."""


class Report(msgspec.Struct, frozen=True):
    """What the benchmark found: medians of runs, worst cases, every run."""

    messages_per_s: float
    """One reading of five fields a message."""
    readings_per_s: float
    """Fifty readings a message."""
    lost: int
    duplicated: int
    alert_p99_s: float
    """From publication to alert message at half load (see RATES), on the worse of the loads."""
    rss_mb: float
    peers: list[Peer]
    series: str
    runs: dict[int, list[Ingested]]
    alerts: dict[int, Alerted]


def report(
    runs: int, seconds: float, *, series: str = "", peers: bool = False, environment: Path | None
) -> Report:
    """Both loads, `runs` times each about so long; then alerts; then peers, if asked for.

    `series`: influx or sqlite; empty takes influx where influxd is installed. Raises BenchFailed.
    """
    series = series or ("influx" if servers.program("influxd") else "sqlite")
    found = {
        readings: [measure(_each(rate, seconds), readings, series) for _ in range(runs)]
        for readings, rate in RATES.items()
    }
    rates = {
        readings: statistics.median(run.messages_per_s for run in done)
        for readings, done in found.items()
    }
    alerted = {
        readings: measure_alerts(min(rate, RATES[readings]) / 2, readings, series, seconds)
        for readings, rate in rates.items()
    }
    beside: list[Peer] = []
    if peers:
        loads = {
            readings: list(messages(agents(SITES), _each(rate, seconds), readings, hours_ago()))
            for readings, rate in RATES.items()
        }
        beside = measure_peers(loads, environment)
    every: list[Ingested | Alerted] = [run for done in found.values() for run in done]
    every += alerted.values()
    return Report(
        messages_per_s=rates[1],
        readings_per_s=statistics.median(run.readings_per_s for run in found[50]),
        lost=sum(run.lost for run in every),
        duplicated=sum(run.duplicated for run in every),
        alert_p99_s=max(run.p99_s for run in alerted.values()),
        rss_mb=max(run.rss_mb for run in every),
        peers=beside,
        series=series,
        runs=found,
        alerts=alerted,
    )


def _each(messages_per_s: int, seconds: float) -> int:
    """Messages of each site for a run of about so long."""
    return max(5, round(messages_per_s * seconds / SITES))


def as_table(found: Report) -> str:
    """The report as Markdown."""
    lines = [
        f"### Gateway intake: mosquitto → ledger, alerts, series ({found.series}), receipts\n",
        "| readings a message | messages/s | readings/s | lost | twice | sent again | RSS MB | s |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for readings, done in found.runs.items():
        lines += [
            f"| {readings} | {run.messages_per_s:,.0f} | {run.readings_per_s:,.0f} | {run.lost} | "
            f"{run.duplicated} | {run.resent} | {run.rss_mb:.0f} | {run.seconds:.1f} |"
            for run in done
        ]
    lines += [
        "\n| alerts at half of it | messages/s | readings/s | alerts | p50 | p99 | lost | RSS MB |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {readings} | {one.messages_per_s:,.0f} | {one.readings_per_s:,.0f} | {one.alerts} | "
        f"{one.p50_s:.3f} s | {one.p99_s:.3f} s | {one.lost} | {one.rss_mb:.0f} |"
        for readings, one in found.alerts.items()
    ]
    if found.peers:
        lines += [
            "\n| beside it | messages/s | readings/s | lost |",
            "| --- | ---: | ---: | ---: |",
        ]
    for peer in found.peers:
        if peer.skipped:
            lines.append(f"| {peer.name} | skipped: {peer.skipped} | | |")
            continue
        figures = (peer.messages_per_s, peer.readings_per_s, peer.lost)
        shown = ("–" if figure is None else f"{figure:,.0f}" for figure in figures)
        lines.append(f"| {peer.name} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"
