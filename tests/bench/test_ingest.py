"""The intake bench end to end, small: it counts right, and says what it cannot measure."""

from pathlib import Path

import pytest

from foodsentry.bench import ingest, ingest_report, peers
from foodsentry.bench.ingest_report import Report
from foodsentry.bench.peers import Peer, Skipped


@pytest.mark.real
@pytest.mark.slow
def test_small_runs_lose_and_double_nothing() -> None:
    done = ingest.measure(5, 2, "sqlite")
    assert (done.messages, done.readings, done.lost, done.duplicated) == (1000, 2000, 0, 0)
    alerted = ingest.measure_alerts(500, 1, "sqlite", 1.0)
    assert alerted.alerts > 5 and (alerted.lost, alerted.duplicated) == (0, 0)
    found = Report(
        messages_per_s=done.messages_per_s,
        readings_per_s=done.readings_per_s,
        lost=0,
        duplicated=0,
        alert_p99_s=alerted.p99_s,
        rss_mb=done.rss_mb,
        peers=[Peer("x", 12.3), Peer("y", skipped="why")],
        series="sqlite",
        runs={1: [done]},
        alerts={1: alerted},
    )
    text = ingest_report.as_table(found)
    assert "| x | 12 | – | – |" in text and "skipped: why" in text


def test_what_pip_cannot_install_is_skipped_with_the_reason(tmp_path: Path) -> None:
    def prepare(_: Path) -> peers.Command:
        raise Skipped("no network")

    made = peers._peer("x", tmp_path, prepare, {}, (1, 50))
    assert made.messages_per_s is None and made.skipped
