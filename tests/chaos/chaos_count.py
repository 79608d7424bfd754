"""Counts after a scenario: each number once in ledger and series, alerts once, no false word."""

from collections import Counter
from datetime import UTC, datetime

import msgspec
from chaos_city import REGION, City, Load, Room, ledger_of, until

from contracts.words import Severity
from foodsentry.fleet.check import check
from foodsentry.fleet.report import read_report
from foodsentry.fleet.run import GOODBYE_S
from ledger import alerts, devices, missing, results
from ledger.engine import LedgerDown, reading

EVERY = 10_000_000
_ALWAYS = (datetime(1971, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC))


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What one scenario came to."""

    name: str
    facts: int
    """Facts that agents put into their outboxes."""
    again: int
    """Messages that the fleet sent beyond one for each fact."""
    points: int
    alerts: int
    promises: int
    """Numbers whose receipts were held against the stores while the gateways stood still."""
    missing: int
    twice: int
    unexpected: int
    false: int
    drained_s: float
    """From the fleet's last fact to its last receipt."""
    wrong: list[str] = []


def finish(city: City, load: Load, name: str) -> Row:
    """Wait until all is receipted, then count. Fails if it never is."""
    until(lambda: load.process.poll() is not None, 200, f"the fleet ends ({load.log})")
    told = load.log.read_text("utf-8", "replace")
    assert load.report.exists(), told[-2000:]
    report = read_report(load.report)
    engine = ledger_of(city)
    for room in city.rooms:
        wanted = len(room.instrument.records)
        until(
            lambda room=room, wanted=wanted: len(_booked(city, room)) >= wanted,  # type: ignore[misc]
            90,
            f"{room.agent.site}: all {wanted} records are booked",
        )
    until(lambda: not any(_backlogs(city)), 60, "the rooms have nothing left to send")
    with city.standing():
        pass  # the last promises
    found = check(report, engine, city.series)
    wrong = list(found.examples)
    room_tally = Counter[str]()
    for room in city.rooms:
        room_tally += _count_room(city, room, wrong)
    _await_published(city, load)
    room_tally += _count_told(city, wrong)
    tallies = found.tallies().values()
    promises, false = city.witness.take()
    lost = _lost(city)
    wrong += [f"the ledger itself says: {one}" for one in lost]
    return Row(
        name=name,
        facts=report.told,
        again=report.sent - report.told,
        points=found.points.found,
        alerts=found.alerts.found,
        promises=promises,
        missing=sum(one.missing for one in tallies)
        + report.unreceipted
        + room_tally["missing"]
        + len(lost),
        twice=sum(one.twice for one in tallies) + room_tally["twice"],
        unexpected=sum(one.unexpected for one in tallies) + room_tally["unexpected"],
        false=len(false),
        drained_s=round(max(0.0, report.seconds - GOODBYE_S - load.told_s), 1),
        wrong=wrong + false[:5],
    )


def _booked(city: City, room: Room) -> list[results.ResultRow]:
    try:
        with reading(city.engine) as conn:
            rows = results.list_in(conn, [REGION], EVERY)
    except LedgerDown:
        return []
    return [row for row in rows if row.site == room.agent.site]


def _backlogs(city: City) -> list[int]:
    with reading(city.engine) as conn:
        known = devices.registry(conn)
    return [known[room.agent].backlog for room in city.rooms]


def _lost(city: City) -> list[missing.Missing]:
    """What the city says of itself: receipted to an agent, and not here."""
    with reading(city.engine) as conn:
        agents = [one for one in devices.list_in(conn, [REGION]) if one.device == "agent"]
        return missing.lost(conn, agents)


def _count_room(city: City, room: Room, wrong: list[str]) -> Counter[str]:
    """A room's instrument is the truth: each record once, each positive one alert."""
    site, tally = room.agent.site, Counter[str]()
    rows = _booked(city, room)
    records = {record.number for record in room.instrument.records}
    booked = Counter(row.record_number for row in rows)
    positives = sum(record.inhibition >= 50 for record in room.instrument.records)
    with reading(city.engine) as conn:
        raised = [
            row
            for row in alerts.list_in(conn, [REGION], limit=EVERY)
            if row.site == site and row.rule == "pesticide_positive"
        ]
    tally["missing"] = len(records - set(booked)) + max(0, positives - len(raised))
    tally["twice"] = sum(count - 1 for count in booked.values())
    tally["twice"] += sum(row.count - 1 for row in raised) + max(0, len(raised) - positives)
    tally["unexpected"] = len(set(booked) - records)
    samples = city.series.samples(
        "tests", "number", {"site": site, "device": room.reader.device}, *_ALWAYS
    )
    tally["missing"] += max(0, len(records) - len(samples))
    tally["twice"] += max(0, len(samples) - len(records))
    if tally.total():
        wrong.append(f"{site}: {dict(tally)} of {len(records)} records, {positives} positive")
    return tally


def _count_told(city: City, wrong: list[str]) -> Counter[str]:
    """Whoever hears of every alert of class 1 has heard of each once, whatever was killed."""
    with reading(city.engine) as conn:
        raised = {
            row.alert_id
            for row in alerts.list_in(conn, [REGION], limit=EVERY)
            if row.severity is Severity.AT_ONCE
        }
    until(lambda: raised <= set(city.ear.told()), 90, "every alert of class 1 was told")
    told, tally = city.ear.told(), Counter[str]()
    tally["twice"] = sum(count - 1 for count in told.values())
    tally["unexpected"] = len(told.keys() - raised)
    if tally.total():
        wrong.append(f"told of alerts: {dict(tally)}")
    return tally


def _await_published(city: City, load: Load) -> None:
    """Every alert of the ledger stands on the broker, retained, and was shown by the console."""
    with reading(city.engine) as conn:
        raised = {
            row.alert_id
            for row in alerts.list_in(conn, [REGION], limit=EVERY)
            if row.site.startswith(load.script.prefix)
        }
    until(lambda: raised <= set(city.witness.alerts), 30, "every alert is retained on the broker")
    until(lambda: raised <= set(city.console.first_shown_at), 30, "the console showed every alert")
