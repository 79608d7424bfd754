"""Limits that readings crossed: begin, end, peak, gaps, limits that change, where it is shown."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from console_app import TestClient
from hypothesis import given
from hypothesis import strategies as st

from contracts.workdays import CHINA
from ledger.devices import Device, DeviceKind
from server.crossings import GAP, Crossing, of_probe
from server.limit_lines import LimitRow, read_limit_lines
from timeseries.port import Sample, SeriesDown, SeriesStore

PROBE = Device("r", "s", "cold1", DeviceKind.PROBE, "冷库", datetime(2026, 1, 1, tzinfo=UTC))
Enter = Callable[[str], TestClient]
SCHOOL = "/establishments/tangxia-school"
COLD = LimitRow("cold_store", "<", 8.0, "Cel")
COOLER = LimitRow("cold_store", "<", 5.0, "Cel")
START = datetime(2026, 3, 9, 12, tzinfo=CHINA).astimezone(UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def found(
    told: list[tuple[float, float]], limit: LimitRow | None = COLD, until: float = 1000
) -> list[Crossing]:
    samples = [Sample(at(minutes), value) for minutes, value in told]
    return of_probe(PROBE, samples, lambda _: limit, at(until))


def test_a_crossing_begins_beyond_and_ends_within() -> None:
    (one,) = found([(0, 4.0), (5, 8.0), (10, 11.5), (15, 9.0), (20, 7.9), (25, 4.0)])
    assert (one.began_at, one.ended_at, one.ended) == (at(5), at(20), "back")
    assert (one.peak, one.peak_at, one.readings) == (11.5, at(10), 3)


def test_of_a_lower_limit_the_peak_lies_below() -> None:
    warm = LimitRow("hot_holding", ">", 60.0, "Cel")
    (one,) = found([(0, 70.0), (5, 60.0), (10, 41.0), (15, 61.0)], warm)
    assert (one.peak, one.began_at, one.ended_at) == (41.0, at(5), at(15))


def test_where_readings_stop_a_crossing_ends_with_the_last_one_beyond() -> None:
    gap = GAP.total_seconds() / 60 + 1
    first, second = found([(0, 9.0), (5, 10.0), (5 + gap, 12.0), (10 + gap, 12.5)], until=12 + gap)
    assert (first.ended_at, first.ended, first.peak) == (at(5), "gap", 10.0)
    assert (second.began_at, second.ended, second.readings) == (at(5 + gap), "open", 2)
    assert found([(0, 9.0)], until=500)[0].ended == "gap"


def test_each_reading_is_held_against_the_limit_of_its_own_day() -> None:
    """6 °C is well until midnight of China, and beyond the stricter limit of the day after."""
    told = [Sample(at(60 * 11 + minutes), 6.0) for minutes in range(0, 120, 10)]
    days = {date(2026, 3, 9): COLD, date(2026, 3, 10): COOLER}
    (one,) = of_probe(PROBE, told, days.get, at(60 * 13))
    assert one.began_at == datetime(2026, 3, 10, tzinfo=CHINA)
    assert (one.limit, one.ended) == (COOLER, "open")
    # Beyond both: one crossing under each limit.
    both = [Sample(sample.at, 9.0) for sample in told]
    old, new = of_probe(PROBE, both, days.get, at(60 * 13))
    assert (old.limit, old.ended, new.limit) == (COLD, "limit", COOLER)
    assert old.ended_at < new.began_at
    # A day without a limit: nothing can be said of it.
    assert of_probe(PROBE, both, {date(2026, 3, 9): COLD}.get, at(900))[-1].ended == "limit"


def test_without_a_limit_there_is_no_crossing() -> None:
    assert found([(0, 99.0)], None) == []


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.floats(-5, 20, allow_nan=False)), min_size=1, max_size=60
    )
)
def test_crossings_hold_exactly_the_readings_beyond(told: list[tuple[int, float]]) -> None:
    minutes, samples = 0, []
    for step, value in told:
        minutes += step
        samples.append(Sample(at(minutes), value))
    made = of_probe(PROBE, samples, lambda _: COLD, at(minutes + 1))
    beyond = [one for one in samples if not COLD.allows(float(one.value))]
    assert sum(one.readings for one in made) == len(beyond)
    for one in beyond:
        (own,) = [stretch for stretch in made if stretch.began_at <= one.at <= stretch.ended_at]
        assert own.peak >= float(one.value)
    assert all(a.ended_at <= b.began_at for a, b in pairwise(made))


def test_a_rule_and_a_limit_hold_on_their_days(tmp_path: Path) -> None:
    rules, limits = tmp_path / "rules.toml", tmp_path / "limits.csv"
    rules.write_text(
        '[[rule]]\nid = "a"\neffective_from = 2026-03-01\n[rule.when]\nkind = "threshold"\n'
        'metrics = ["temperature"]\ndevices = ["cold*"]\nlimit = "cold"\n',
        "utf-8",
    )
    limits.write_text(
        "id,comparator,limit,unit,source,effective_from,effective_until\n"
        "cold,<,8,Cel,x,,2026-03-09\ncold,<,5,Cel,x,2026-03-10,\n",
        "utf-8",
    )
    lines = read_limit_lines(rules, limits)
    held = {
        day: (found := lines.of("cold1", "temperature", date(2026, *day))) and found.limit
        for day in ((2, 28), (3, 1), (3, 9), (3, 10))
    }
    assert held == {(2, 28): None, (3, 1): 8.0, (3, 9): 8.0, (3, 10): 5.0}


def test_the_page_and_the_file_tell_what_the_readings_say(as_officer: Enter) -> None:
    client = as_officer("tangxia")
    assert f'href="{SCHOOL}/crossings"' in client.get(SCHOOL).text
    page = client.get(f"{SCHOOL}/crossings")
    assert page.status_code == 200 and "不是预警记录" in page.text
    rows = re.findall(r"<tbody>(.*?)</tbody>", page.text, re.S)
    assert rows and "&lt; 8 °C" in rows[0] and "仍在越限" in rows[0]
    whole = client.get(f"{SCHOOL}/file.json").json()
    told = whole["readings"]
    assert told["from"] == "readings" and told["known"] and told["probes"] == 2
    newest = told["crossings"][0]
    assert (newest["device"], newest["ended"], newest["limit"]) == ("cold-1", "open", "< 8 °C")
    assert float(newest["peak"]) > 8.0
    assert "readings" not in client.get(f"{SCHOOL}/file.json?kind=alert").json()
    drawn = client.get(f"{SCHOOL}/charts/temperature").json()["series"]
    assert sum(len(one["crossings"]) for one in drawn) == len(told["crossings"])
    assert client.get(f"{SCHOOL}/file.pdf").status_code == 200
    assert client.get("/establishments/baisha-market/crossings").status_code == 404


def test_without_readings_it_is_not_known_and_said_so(
    as_officer: Enter, series: SeriesStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> list[Sample]:
        raise SeriesDown("away")

    monkeypatch.setattr(series, "samples", down)
    client = as_officer("tangxia")
    page = client.get(f"{SCHOOL}/crossings").text
    assert "是否越限不知道" in page and "没有读数越限" not in page
    told = client.get(f"{SCHOOL}/file.json").json()["readings"]
    assert (told["reached"], told["known"], told["crossings"]) == (False, False, [])
    assert client.get(f"{SCHOOL}/file.pdf").status_code == 200
    monkeypatch.setattr(series, "samples", lambda *_, **__: iter(()))
    assert "没有可比较的读数" in client.get(f"{SCHOOL}/crossings").text
    told = client.get(f"{SCHOOL}/file.json").json()["readings"]
    assert (told["reached"], told["known"], told["readings"]) == (True, False, "0")
