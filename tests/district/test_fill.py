"""The made-up district: the same on both databases, whole, and open to what comes after it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.words import OPEN_STATES, AlertState, Severity
from foodsentry.district.commands import DistrictFailed, make_district
from foodsentry.district.fill import Filled, Size, fill
from foodsentry.pictures.places import find
from ledger import (
    alert_times,
    alerts,
    api_tokens,
    establishments,
    evidence,
    missing,
    notifications,
    regions,
    results,
)
from ledger.engine import Engine, open_engine, reading, writing
from ledger.notifications import NewNotification

NOW = datetime(2026, 3, 12, 2, 45, tzinfo=UTC)
SIZE = Size(establishments=90, alerts=600, tests_each=3)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create_database()
    opened = open_engine(url)
    request.addfinalizer(opened.dispose)
    return opened


@pytest.fixture
def made(engine: Engine) -> Filled:
    return fill(engine, SIZE, NOW, "x")


def test_every_fact_is_there_and_reads_back(engine: Engine, made: Filled) -> None:
    with reading(engine) as conn:
        everywhere = regions.subtree(conn, "440700")
        assert establishments.count_in(conn, everywhere) == SIZE.establishments
        counted = alerts.counts(conn, everywhere)
        assert sum(one.count for one in counted) == SIZE.alerts
        assert {one.severity for one in counted} == set(Severity)
        newest = alerts.list_in(conn, everywhere, OPEN_STATES, 500)
        assert len(newest) >= 10
        assert [one.raised_at for one in newest] == sorted(
            (one.raised_at for one in newest), reverse=True
        )
        told = alert_times.read(conn, everywhere, NOW.replace(year=2023), NOW)
        assert len(told) == SIZE.alerts
        assert all(one.dispose_s is None or one.dispose_s > 0 for one in told)
        for one in made.newest:
            row = alerts.get(conn, one.alert_id)
            assert row is not None and row.raised_at <= NOW
            if row.observation_id:
                pictures = evidence.for_observation(conn, row.observation_id, row.site)
                assert [picture.role for picture in pictures] == ["before", "best", "after"]
            if row.result_id:
                assert results.get(conn, row.result_id) is not None
        assert {gap.kind for gap in missing.find(conn, NOW)} >= {"lost", "silent"}
        assert find(conn).keys() >= {"duty", "contact", "webhook", "case", "agent", "sampling"}
        assert {one.usable(NOW) for one in api_tokens.list_in(conn, everywhere)} == {True, False}


def test_life_goes_on_after_it(engine: Engine, made: Filled) -> None:
    life = next(one for one in made.newest if one.state == "firing")
    with writing(engine) as conn:
        alerts.acknowledge(conn, life.alert_id, life.town, NOW)
        new = NewNotification(
            dedupe="after", kind="notice", severity=Severity.GUIDANCE, recipient=life.town,
            title_zh="后", title_en="after", body_zh="", body_en="", region=life.who.region,
            site=life.who.site,
        )  # fmt: skip
        before = notifications.list(conn, limit=1)[0].id
        assert notifications.enqueue(conn, [new], NOW) == {"after": before + 1}
    with reading(engine) as conn:
        row = alerts.get(conn, life.alert_id)
    assert row is not None and row.state is AlertState.ACKNOWLEDGED


def test_a_folder_with_a_ledger_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").touch()
    with pytest.raises(DistrictFailed, match="another"):
        make_district(tmp_path, SIZE, 0)
    assert [one.name for one in tmp_path.iterdir()] == ["ledger.sqlite"]
