"""What an alert's page shows around it: whose turn it is, its device's days, alerts like it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.topics import Identity
from contracts.words import AlertVerdict
from ledger import alert_context as book
from ledger import duties, regions, verdicts
from ledger.alerts import AlertRow
from ledger.devices import Device, DeviceKind
from ledger.duties import TOP
from ledger.engine import Connection
from ledger.journal import JournalRow
from ledger.observations import ObservationRow
from ledger.officers import Officer
from ledger.results import ResultRow
from server import charts
from server.access import Scope
from server.desk import AlertLine, alert_lines
from server.languages import Words
from server.limit_lines import LimitLines
from timeseries.port import SeriesStore

SHOWN = 5
TESTS_SHOWN = 8
AFTER = timedelta(hours=6)
"""A chart of readings goes on for so long after the alert, if there was so much time."""
BEFORE = timedelta(hours=18)
TESTS_BEFORE = timedelta(days=30)


class Turn(msgspec.Struct, frozen=True):
    """Who is asked now, and who is asked if the deadline passes."""

    now: tuple[Officer, ...]
    next: tuple[Officer, ...]
    """Empty at the top: the same are told once more."""
    level: int
    next_level: int


class Like(msgspec.Struct, frozen=True):
    """Alerts that are like this one in one way, and what they turned out to be."""

    name: str
    """``here``, ``near`` or ``place``."""
    lines: list[AlertLine]
    said: dict[str, AlertVerdict]
    """Verdicts that stand on the lines' alerts, by alert."""
    total: int
    counted: dict[str, int]
    """How many of all were right, false, unsure; ``none``: nobody has said."""


class Context(msgspec.Struct, frozen=True):
    """All of it."""

    tests: list[ResultRow]
    observations: list[ObservationRow]
    statuses: list[JournalRow]
    alerts: list[AlertLine]
    chart: bool
    """Whether there is a chart of the device around the alert."""
    like: list[Like]


def whose_turn(conn: Connection, alert: AlertRow, now: datetime) -> Turn | None:
    """Who is asked, while something is due; None of a closed or paused alert."""
    if alert.closed_at is not None or alert.due_kind is None or alert.paused_since is not None:
        return None
    asked = duties.responsible(conn, alert, alert.level, now)
    after: tuple[Officer, ...] = ()
    level = alert.level + 1
    if alert.level < TOP:
        told = duties.responsible(conn, alert, level, now)
        after, level = told.officers, told.level
    return Turn(asked.officers, after, asked.level, level)


def read_context(
    conn: Connection, alert: AlertRow, device: Device | None, scope: Scope, now: datetime
) -> Context:
    """Gather it, as far as the officer may see it."""
    who = Identity(alert.region, alert.site, alert.device)
    until = alert.raised_at + timedelta(hours=1)
    kind = device.kind if device else None
    reader = kind in (DeviceKind.PESTICIDE_READER, DeviceKind.ANALYZER)
    tests = []
    if reader:
        tests = book.tests_of(conn, who, until, until - TESTS_BEFORE, TESTS_SHOWN)
    found = [("here", book.same_rule_here(conn, alert, now, SHOWN))]
    if scope.establishment_id is None:
        near = _near(conn, alert, scope)
        found.append(("near", book.same_rule_near(conn, alert, near, now, SHOWN)))
    if alert.establishment_id is not None:
        found.append(("place", book.same_establishment(conn, alert, now, SHOWN)))
    said = verdicts.standing_on(conn, {one for _, like in found for one in like.ids})
    words = {alert_id: row.verdict for alert_id, row in said.items()}
    others = book.alerts_of(conn, alert, SHOWN)
    # The lines of all of them at once: names are read once.
    shown = {
        row.alert_id: row for row in (*others, *(one for _, like in found for one in like.newest))
    }
    lines = {line.alert.alert_id: line for line in alert_lines(conn, shown.values())}
    return Context(
        tests=tests,
        observations=(
            book.observations_of(conn, who, until, SHOWN) if kind is DeviceKind.CAMERA else []
        ),
        statuses=book.statuses_of(conn, who, SHOWN),
        alerts=[lines[one.alert_id] for one in others],
        chart=_metric(alert, device) or any(one.item_code == charts.INHIBITION for one in tests),
        like=[
            Like(
                name=name,
                lines=[lines[one.alert_id] for one in like.newest],
                said=words,
                total=len(like.ids),
                counted=dict(Counter(words[i].value if i in words else "none" for i in like.ids)),
            )
            for name, like in found
        ],
    )


def context_chart(
    conn: Connection,
    series: SeriesStore,
    limits: LimitLines,
    alert: AlertRow,
    device: Device | None,
    words: Words,
    now: datetime,
) -> dict[str, Any]:
    """What the chart around the alert draws, with its moment. Raises SeriesDown."""
    end = min(now, alert.raised_at + AFTER)
    drawn: dict[str, Any] = {"filled": False}
    if device is not None and _metric(alert, device):
        days = (end - alert.raised_at + BEFORE).total_seconds() / 86_400
        drawn = charts.temperatures(series, [device], limits, words, end, days)
    elif device is not None:
        tests = book.tests_of(conn, device.identity, end, end - TESTS_BEFORE, 300)
        drawn = charts.inhibition(tests, limits, words, end, TESTS_BEFORE.days)
    return drawn | {"moment": int(alert.raised_at.timestamp() * 1000)}


def _metric(alert: AlertRow, device: Device | None) -> bool:
    """Whether the alert is about a probe's temperatures."""
    probe = device is not None and device.kind is DeviceKind.PROBE
    return probe and alert.facts.get("metric", charts.METRIC) == charts.METRIC


def _near(conn: Connection, alert: AlertRow, scope: Scope) -> list[str]:
    """The regions around: all below the one above the alert's, as far as the officer sees them."""
    path = regions.ancestors(conn, alert.region)
    around = path[1] if len(path) > 1 else alert.region
    return sorted(scope.regions & frozenset(regions.subtree(conn, around)))
