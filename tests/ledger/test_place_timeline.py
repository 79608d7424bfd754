"""The timeline of an establishment: one order, pages that lose nothing, and a document to check."""

import argparse
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from contracts.events import Observation, Status
from contracts.settings import SettingsError
from contracts.topics import Identity
from contracts.words import DeviceState, Phase, Severity
from ledger import (
    alert_life,
    alerts,
    cards,
    devices,
    establishments,
    observations,
    place_dossier,
    regions,
    sites,
)
from ledger import place_timeline as timeline
from ledger.alerts import NewAlert
from ledger.commands import add_commands
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection, Engine, reading, writing
from ledger.establishments import Establishment, EstablishmentKind
from ledger.place_dossier import Period
from ledger.place_lines import Line, LineKind, Place, Window
from ledger.regions import Region
from ledger.schema import alerts as alerts_table
from ledger.sheets.plan import apply_plan, plan_of_rows
from ledger.sheets.retire import bring_back, retire
from ledger.sites import Site, SiteKind

NOW = datetime(2026, 3, 12, 2, 45, tzinfo=UTC)
CAMERA = Identity("t", "kitchen", "cam")
PLACE, OTHER = "school", "next-door"
ROW = {"id": PLACE, "name": "学校", "kind": "canteen", "region": "t"}


def at(**ago: float) -> datetime:
    return NOW - timedelta(**ago)


def fill(engine: Engine) -> Engine:
    """A school with a camera and a probe, and a neighbour."""
    with writing(engine) as conn:
        regions.add(conn, Region("t", "镇", "T"))
        licence = {
            "licence_number": "JY34407050000001", "licence_from": "2021-03-01",
            "licence_until": "2026-03-01", "risk_grade": "B",
        }  # fmt: skip
        take(conn, ROW | licence, at(days=90))
        establishments.add(conn, Establishment("邻", EstablishmentKind.CANTEEN, "t", OTHER))
        for site, owner in (("kitchen", PLACE), ("far", OTHER)):
            sites.add(conn, Site(site, "t", "后厨", SiteKind.CANTEEN, owner))
            for name, kind in (("cam", DeviceKind.CAMERA), ("probe", DeviceKind.PROBE)):
                devices.add(conn, Device("t", site, name, kind, name, at(days=80)))
    return engine


@pytest.fixture
def town(book: Engine) -> Engine:
    return fill(book)


@pytest.fixture
def small(file_book: Engine) -> Engine:
    return fill(file_book)


def take(conn: Connection, row: dict[str, str], when: datetime) -> None:
    apply_plan(conn, plan_of_rows(conn, "establishments", [row]), "t", when)


def found(conn: Connection, *kinds: LineKind, place: str = PLACE, **asked: Any) -> list[Line]:
    one = establishments.get(conn, place)
    assert one is not None
    return timeline.lines(conn, one, Window(limit=500), NOW, kinds=kinds or LineKind, **asked)


def says(
    conn: Connection, who: Identity, state: DeviceState, when: datetime, why: str = ""
) -> None:
    devices.set_status(conn, who, Status(state=state, at=when, detail=why), when)


def alert(key: str, when: datetime, **facts: object) -> NewAlert:
    return NewAlert(
        fingerprint=key, rule="r", rule_version="1", severity=Severity.DEADLINE,
        title_zh=f"标题{key}", title_en=key, who=CAMERA.sibling("probe"), raised_at=when,
        facts=facts,
    )  # fmt: skip


def test_the_register_is_told_with_what_changed(town: Engine) -> None:
    with writing(town) as conn:
        take(conn, ROW | {"risk_grade": "C"}, at(days=5))
        take(conn, ROW | {"name": "新学校"}, at(days=4))
        retire(conn, "establishments", OTHER, "t", at(days=3))
        bring_back(conn, "establishments", OTHER, "t", at(days=2))
    with reading(town) as conn:
        lines = found(conn, LineKind.LICENCE, LineKind.SCORE)
        others = found(conn, LineKind.LICENCE, place=OTHER)
    assert [(one.kind.value, one.event) for one in lines] == [
        ("licence", "changed"), ("score", "graded"), ("licence", "over"), ("score", "graded"),
        ("licence", "registered"), ("licence", "begins"),
    ]  # fmt: skip
    changed, graded, over, _, registered, _ = lines
    assert changed.values == {"after.name": "新学校", "before.name": "学校"}
    assert graded.values == {"after": "C", "before": "B"}
    assert over.at == datetime(2026, 3, 1, 16, tzinfo=UTC), "its last day is a good one"
    assert registered.values["after.licence_until"] == "2026-03-01"
    assert [one.event for one in others] == ["brought_back", "retired"]


def test_a_device_that_is_silent_is_one_line_until_it_is_heard(town: Engine) -> None:
    with writing(town) as conn:
        says(conn, CAMERA, DeviceState.ONLINE, at(hours=9))
        says(conn, CAMERA, DeviceState.OFFLINE, at(hours=8), "断电 / no power")
        says(conn, CAMERA, DeviceState.UNKNOWN, at(hours=7))
        says(conn, CAMERA, DeviceState.DEGRADED, at(hours=6))
        says(conn, CAMERA, DeviceState.ONLINE, at(hours=5))
        says(conn, CAMERA, DeviceState.UNKNOWN, at(hours=4))
        says(conn, Identity("t", "far", "cam"), DeviceState.OFFLINE, at(hours=1))
        retire(conn, "devices", "kitchen/probe", "t", at(hours=3))
    with reading(town) as conn:
        lines = found(conn, LineKind.DEVICE)
    assert [(one.event, one.ended_at) for one in lines] == [
        ("retired", None), ("unknown", None), ("offline", at(hours=6)),
        ("added", None), ("added", None),
    ]  # fmt: skip
    assert lines[2].values["detail"] == "断电 / no power" and lines[2].lasts


def test_limits_alerts_scenes_and_cards_each_have_their_lines(town: Engine) -> None:
    with writing(town) as conn:
        new = alert("warm", at(hours=6), metric="temperature", value=11.4, limit="< 8 °C")
        warm, _ = alerts.raise_alert(conn, new)
        alerts.resolve(conn, warm, at(hours=5), "ok")
        seen = Observation(
            observation_id="o-1", kind="no_hat", phase=Phase.CLOSED, started_at=at(hours=4),
            captured_at=at(hours=3), ended_at=at(hours=3), zone="切配", reason="",
        )  # fmt: skip
        observations.put(conn, CAMERA, seen, at(hours=3))
        row = alerts.get(conn, warm)
        assert row is not None
        cards.give(conn, row, "逾期", at(hours=2), lasts=timedelta(days=90))
    with reading(town) as conn:
        lines = found(conn)
        others = found(conn, LineKind.ALERT, LineKind.OBSERVATION, place=OTHER)
    assert [(one.kind.value, one.event) for one in lines[:3]] == [
        ("score", "given"), ("observation", "no_hat"), ("alert", "resolved"),
    ]  # fmt: skip
    (crossed,) = (one for one in lines if one.kind is LineKind.READING)
    assert crossed.values["value"] == "11.4" and crossed.ended_at == at(hours=5)
    assert lines[1].ended_at == at(hours=3) and lines[1].values["zone"] == "切配"
    assert others == []


def test_without_the_inside_nobody_is_named(town: Engine) -> None:
    with writing(town) as conn:
        one, _ = alerts.raise_alert(conn, alert("x", at(hours=6)))
        for kind in ("judged", "escalated", "answered"):
            alert_life.note_only(conn, one, at(hours=5), kind, actor="chen", note="内部")
    with reading(town) as conn:
        inside = found(conn, LineKind.ALERT)
        outside = found(conn, LineKind.ALERT, internal=False)
    assert {one.event for one in inside} == {"raised", "judged", "escalated", "answered"}
    assert inside[0].note == "内部" and inside[0].actor == "chen"
    assert [one.event for one in outside] == ["answered", "raised"]
    assert all(not one.note and not one.actor for one in outside)


class Undone(Exception):
    """Rolls a transaction back."""


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    times=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    size=st.integers(1, 7),
    kinds=st.sets(st.sampled_from(list(LineKind))),
)
def test_pages_of_any_size_are_the_whole_in_one_order(
    small: Engine, times: list[int], size: int, kinds: set[LineKind]
) -> None:
    """Many things at the same moments: each stands on exactly one page."""
    wanted = kinds or set(LineKind)
    with pytest.raises(Undone), writing(small) as conn:
        for number, hour in enumerate(times):
            when = at(hours=hour)
            facts = {"metric": "temperature", "value": 9} if number % 2 else {}
            alerts.raise_alert(conn, alert(str(number), when, **facts))
            seen = Observation(
                observation_id=f"o-{number}", kind="no_hat", phase=Phase.OPEN, started_at=when,
                captured_at=when, reason="",
            )  # fmt: skip
            observations.put(conn, CAMERA, seen, when)
            state = DeviceState.OFFLINE if number % 2 else DeviceState.ONLINE
            says(conn, CAMERA, state, when)
            take(conn, ROW | {"name": f"校{number}", "risk_grade": "ABCD"[number % 4]}, when)
        one = establishments.get(conn, PLACE)
        assert one is not None
        whole = timeline.lines(conn, one, Window(limit=5000), NOW, kinds=wanted)
        pages: list[Line] = []
        before: Place | None = None
        while page := timeline.lines(
            conn, one, Window(before=before, limit=size), NOW, kinds=wanted
        ):
            pages += page
            before = page[-1].place
        assert pages == whole
        assert len({line.record for line in whole}) == len(whole), "each has a name of its own"
        assert [line.at for line in whole] == sorted((line.at for line in whole), reverse=True)
        assert {line.kind for line in whole} <= wanted
        raise Undone


PERIOD = Period(date(2025, 1, 1), date(2026, 3, 12))


def document(conn: Connection, now: datetime = NOW) -> dict[str, Any]:
    one = establishments.get(conn, PLACE)
    assert one is not None
    made, _ = place_dossier.make(conn, one, PERIOD, now)
    return made


def test_a_document_is_the_same_while_the_ledger_is(town: Engine) -> None:
    with writing(town) as conn:
        alerts.raise_alert(conn, alert("warm", at(hours=6), metric="temperature", value=1e22))
    with reading(town) as conn:
        first, again = document(conn), document(conn, NOW + timedelta(hours=1))
    assert first["sha256"] == again["sha256"] and first["made_at"] != again["made_at"]
    # Anybody can compute it with what every language has.
    read = json.loads(place_dossier.encode(first))
    plain = json.dumps(
        read["content"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()
    assert msgspec.json.encode(read["content"], order="sorted") == plain
    assert place_dossier.digest(read["content"]) == first["sha256"]


def test_a_document_is_held_against_the_ledger(town: Engine) -> None:
    with writing(town) as conn:
        kept, _ = alerts.raise_alert(conn, alert("a", at(hours=6), metric="t", value=1))
        alerts.raise_alert(conn, alert("b", at(hours=5), metric="t", value=2))
    with reading(town) as conn:
        made = json.loads(place_dossier.encode(document(conn)))
        content, lines = made["content"], made["content"]["lines"]
        good = place_dossier.check(conn, made, NOW)
        assert good.holds and good.lines == len(lines)
        cut = made | {"content": content | {"lines": lines[1:]}}
        shown = place_dossier.check(conn, cut, NOW)
        assert not shown.whole and shown.left_out == [lines[0]["record"]]
        forged = content | {"lines": [lines[0] | {"record": "alert/none"}, *lines[1:]]}
        renewed = made | {"content": forged, "sha256": place_dossier.digest(forged)}
        shown = place_dossier.check(conn, renewed, NOW)
        assert shown.whole and shown.missing == ["alert/none"] and not shown.holds
        for broken in ({}, {"format": "x"}, made | {"content": {}}, made | {"content": None}):
            with pytest.raises(ValueError, match=r"format|not a file"):
                place_dossier.check(conn, broken, NOW)
    with writing(town) as conn:
        conn.execute(
            update(alerts_table).where(alerts_table.c.alert_id == kept).values(title_zh="改过")
        )
        alerts.raise_alert(conn, alert("c", NOW + timedelta(minutes=9), metric="t"))
    with reading(town) as conn:
        shown = place_dossier.check(conn, made, NOW + timedelta(hours=1))
    assert f"alert/{kept}" in shown.changed and shown.whole
    assert shown.left_out == [], "what came after it was made is not left out"


def test_a_document_has_a_bound(town: Engine) -> None:
    with reading(town) as conn:
        one = establishments.get(conn, PLACE)
        assert one is not None
        with pytest.raises(place_dossier.TooLong, match="more than 2"):
            place_dossier.make(conn, one, PERIOD, NOW, most=2)


def test_the_command_says_what_does_not_hold(
    small: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with reading(small) as conn:
        made = json.loads(place_dossier.encode(document(conn)))
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())

    def verify(content: bytes) -> int:
        path = tmp_path / "file.json"
        path.write_bytes(content)
        url = small.url.render_as_string()
        given = parser.parse_args(["ledger", "verify-file", "--ledger", url, str(path)])
        status: int = given.run(given)
        return status

    assert verify(json.dumps(made).encode()) == 0
    lines = made["content"]["lines"]
    cut = made | {"content": made["content"] | {"lines": lines[1:]}}
    assert verify(json.dumps(cut).encode()) == 1
    said = capsys.readouterr()
    assert "it was changed" in said.err and f"{lines[0]['record']}: left out" in said.err
    with pytest.raises(SettingsError, match=r"file\.json"):
        verify(b"[")
