"""Fills an empty ledger with the made-up district, in bulk: `fill`."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from contracts.topics import Identity
from foodsentry.district import facts, lives, messages
from foodsentry.district.casework import open_cases
from foodsentry.district.connected import connect
from foodsentry.district.kitchens import put_kitchens
from foodsentry.district.picture import made_picture, small_picture
from foodsentry.district.places import (
    People,
    Place,
    district_regions,
    put_operator,
    put_people,
    put_places,
)
from foodsentry.district.rooms import put_rooms, put_stalls
from foodsentry.district.rosters import put_rosters
from foodsentry.district.sampled import put_people_of_towns, put_samplings
from ledger import alerts, proposals, silences
from ledger.bulk import past_given_keys, pour
from ledger.engine import Connection, Engine, writing
from ledger.migrate import upgrade
from ledger.silences import Matchers, Silence
from timeseries.port import Point, SeriesStore, to_ns

REGIONS = Path(__file__).resolve().parents[2] / "firmware_configs" / "regions" / "jiangmen.toml"


@dataclass(frozen=True, slots=True)
class Size:
    """How large the district is."""

    establishments: int = 500
    alerts: int = 10_000
    tests_each: int = 20
    """Quick tests of the last 30 days in a place with a reader."""
    years: float = 2.0


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written that others look for."""

    places: list[Place]
    people: People
    newest: list[lives.Life]
    """The last alerts, of every kind."""


def fill(engine: Engine, size: Size, now: datetime, hashed: str) -> Filled:
    """Make the schema and the district. `hashed`: everybody's password, as the ledger keeps it."""
    upgrade(engine)
    with writing(engine) as conn:
        people = put_people(conn, district_regions(REGIONS), hashed)
        places = put_places(conn, size.establishments, people, now)
        put_operator(conn, places[0], hashed)
        pour(conn, "results", facts.RESULT_COLUMNS, facts.results(places, size.tests_each, now))
        made = list(lives.lives(places, people, size.alerts, size.years, now))
        pour(conn, "alerts", lives.ALERT_COLUMNS, map(lives.alert_row, made))
        _beside(conn, made)
        put_kitchens(conn, places, made, people.city, small_picture(), now)
        _tell(conn, made)
        _silence(conn, people, now)
        _propose(conn, made, now)
        open_cases(conn, made, now)
        put_rosters(conn, people, now)
        put_samplings(conn, places, now)
        put_people_of_towns(conn, list(people.town), now)
        connect(conn, people, made, now)
        put_rooms(conn, places, people, now)
        put_stalls(conn, places, now)
    return Filled(places, people, made[-2000:])


def _beside(conn: Connection, made: Sequence[lives.Life]) -> None:
    """What belongs to alerts: timelines, verdicts, the tests and pictures that raised them."""
    entries = (row for one in made for row in lives.timeline_rows(one))
    pour(conn, "alert_timeline", lives.TIMELINE_COLUMNS, entries)
    said = (row for row in map(lives.verdict_row, made) if row)
    pour(conn, "alert_verdicts", lives.VERDICT_COLUMNS, said)
    tested = (facts.result_of(one) for one in made if one.result_id)
    pour(conn, "results", facts.RESULT_COLUMNS, tested)
    seen = [one for one in made if one.observation_id]
    pour(conn, "observations", facts.SEEN_COLUMNS, map(facts.observation_row, seen))
    content, sides = made_picture()
    digest = lives.picture_hash(content)
    pour(conn, "evidence_contents", ("sha256", "content"), [(digest, content)])
    pictures = (row for one in seen for row in facts.picture_rows(one, digest, len(content), sides))
    pour(conn, "evidence", facts.PICTURE_COLUMNS, pictures)


def _tell(conn: Connection, made: Sequence[lives.Life]) -> None:
    rows, links, number = [], [], 1
    for one in made:
        for row in messages.message_rows(one, number):
            rows.append(row)
            links.append((one.alert_id, number))
            number += 1
    pour(conn, "notifications", messages.COLUMNS, rows)
    pour(conn, "notification_alerts", messages.LINK_COLUMNS, links)
    past_given_keys(conn, "notifications", "id")


def _silence(conn: Connection, people: People, now: datetime) -> None:
    whys = (("agent_offline", "网络割接，点位会短时失联"), ("cold_store_warm", "冷库除霜检修"))
    for number, (region, officer) in enumerate(sorted(people.town.items())[::5]):
        rule, why = whys[number % 2]
        begun_at = now - timedelta(hours=number)
        one = Silence(
            id=f"silence-{number}", starts_at=begun_at, ends_at=now + timedelta(days=1),
            author=officer, reason=why, created_at=begun_at, kind="maintenance",
            matchers=Matchers(rule=rule, region=region),
        )  # fmt: skip
        silences.add(conn, one)


def _propose(conn: Connection, made: Sequence[lives.Life], now: datetime) -> None:
    for one in [one for one in made if one.kind.rule == lives.RATS and one.closed_at][-20:]:
        row = alerts.get(conn, one.alert_id)
        if row is not None:
            proposals.renew(conn, row, now)


def fill_series(
    store: SeriesStore, places: Sequence[Place], now: datetime, made: Sequence[lives.Life] = ()
) -> None:
    """Two days' temperatures of these places' probes, warm where one of these alerts says so."""
    dice = random.Random(3)
    warm = {one.who.source: one for one in made if one.kind.where}
    for place in places:
        for device, kind, _ in place.devices:
            if kind == "probe":
                who = Identity(place.region, place.site, device)
                store.write(_temperatures(who, warm.get(who.source), now, dice))


def _temperatures(
    who: Identity, alert: lives.Life | None, now: datetime, dice: random.Random
) -> list[Point]:
    mean = -18.5 if who.device.startswith("freezer") else 4.2
    tags = {"region": who.region, "site": who.site, "device": who.device, "metric": "temperature"}
    points = []
    for minute in range(0, 48 * 60, 4):
        at = now - timedelta(minutes=minute)
        value = mean + 0.8 * math.sin(minute / 23) + dice.gauss(0, 0.12)
        if alert is not None:
            # It climbs for half an hour until the alert, and is well again an hour later.
            since = (at - alert.raised_at).total_seconds() / 60
            share = max(0.0, 1 + since / 30) if since < 0 else max(0.0, 1 - since / 60)
            value += share * (alert.value - mean)
        points.append(Point("readings", tags, {"value": round(value, 1)}, to_ns(at)))
    return points
