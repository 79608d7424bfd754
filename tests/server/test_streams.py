"""Server-sent events on a real uvicorn: lines, filters, subtree, resuming, endings."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from console_app import NOW, Clock
from console_places import CANTEEN, MARKET, VAN
from console_served import Served, last_id, raise_some, served

from contracts.events import Status
from contracts.words import DeviceState
from ledger import alerts, devices
from ledger.engine import Engine, writing
from timeseries.port import SeriesStore

pytestmark = pytest.mark.slow


@pytest.fixture
def live(engine: Engine, series: SeriesStore, clock: Clock) -> Iterator[Served]:
    with served(engine, series, clock) as console:
        yield console


def test_a_new_alert_comes_as_a_line_with_counts(live: Served, engine: Engine) -> None:
    stream = live.open("shiju", f"/alerts/live?after={last_id(engine)}")
    (alert_id,) = raise_some(engine, "one")
    _, told = stream.next("alert")
    assert told["alert_id"] == alert_id and told["raised"] is True
    assert f'id="alert-{alert_id}"' in told["html"] and "白沙农贸市场" in told["html"]
    assert told["counts"]["firing"] == 6 and told["counts"]["class1"] == 2
    with writing(engine) as conn:
        alerts.acknowledge(conn, alert_id, "officer-baisha", NOW)
    _, told = stream.next("alert")
    assert "黄嘉敏" in told["html"] and told["raised"] is False
    assert told["counts"]["firing"] == 5 and told["counts"]["acknowledged"] == 2
    stream.close()


def test_filters_of_the_address_hold_for_the_stream(live: Served, engine: Engine) -> None:
    after = last_id(engine)
    waiting = live.open("shiju", f"/alerts/live?after={after}&state=firing")
    third = live.open("shiju", f"/alerts/live?after={after}&class=3")
    (alert_id,) = raise_some(engine, "one")
    assert waiting.next("alert")[1]["html"]
    assert third.next("alert")[1]["html"] is None
    with writing(engine) as conn:
        alerts.acknowledge(conn, alert_id, "officer-baisha", NOW)
    assert waiting.next("alert")[1]["html"] is None, "it leaves the list of those that wait"
    waiting.close()
    third.close()


@pytest.mark.parametrize(
    ("login", "sees"),
    [
        ("shiju", "market canteen van"),
        ("baisha", "market"),
        ("tangxia", "canteen"),
        ("xinhui", "van"),
        ("shichang", "market"),
    ],
)
def test_streams_tell_the_subtree_and_nothing_else(
    live: Served, engine: Engine, login: str, sees: str
) -> None:
    stream = live.open(login, f"/alerts/live?after={last_id(engine)}")
    made = {}
    for name, who in (("van", VAN), ("market", MARKET), ("canteen", CANTEEN)):
        (made[name],) = raise_some(engine, name, who=who)
    expected = {made[name] for name in sees.split()}
    got = {stream.next("alert")[1]["alert_id"] for _ in expected}
    assert got == expected
    assert stream.next("alert", "tick")[0] == "tick", "and then nothing more"
    stream.close()


def test_coming_back_misses_nothing_and_repeats_nothing(live: Served, engine: Engine) -> None:
    start = last_id(engine)
    told: list[str] = []
    made: list[str] = []
    last = start
    for round_number in range(5):
        stream = live.open("shiju", f"/alerts/live?after={start}", None if last == start else last)
        made += raise_some(engine, *(f"r{round_number}-{n}" for n in range(3)))
        told += [stream.next("alert")[1]["alert_id"] for _ in range(2)]
        assert stream.last is not None
        last = stream.last
        stream.close()
        made += raise_some(engine, f"r{round_number}-gone")
    stream = live.open("shiju", "/alerts/live", last)
    while len(told) < len(made):
        told.append(stream.next("alert")[1]["alert_id"])
    assert told == made
    stream.close()


def test_one_alerts_page_hears_of_that_alert_only(
    live: Served, engine: Engine, alert_ids: dict[str, str]
) -> None:
    path = f"/alerts/{alert_ids['cold']}/live?after={last_id(engine)}"
    mine, sideways = live.open("tangxia", path), live.open("xinhui", path)
    raise_some(engine, "other", who=CANTEEN)
    with writing(engine) as conn:
        alerts.acknowledge(conn, alert_ids["cold"], "officer-tangxia", NOW)
    assert mine.next("change")[1] == {"ref": alert_ids["cold"]}
    assert sideways.next("change", "tick")[0] == "tick"
    assert sideways.next("change", "tick")[0] == "tick"
    mine.close()
    sideways.close()


def test_the_devices_page_hears_of_devices(live: Served, engine: Engine) -> None:
    stream = live.open("tangxia", f"/devices/live?after={last_id(engine)}")
    with writing(engine) as conn:
        for who in (VAN, CANTEEN.sibling("cam-1")):
            devices.set_status(conn, who, Status(state=DeviceState.OFFLINE, at=NOW), NOW)
    assert stream.next("change")[1] == {"ref": "/440703-tangxia/tangxia-kitchen/cam-1"}
    stream.close()


def test_a_stream_ends_with_its_session_and_keeps_none_alive(
    live: Served, engine: Engine, clock: Clock
) -> None:
    stream = live.open("baisha", f"/alerts/live?after={last_id(engine)}")
    stream.next("tick")
    clock.forward(timedelta(hours=5).total_seconds())
    assert stream.next("reload") == ("reload", {})
    with pytest.raises(EOFError):
        stream.next("tick")
    stream.close()


def test_the_end_of_the_process_tells_streams_to_come_back(
    engine: Engine, series: SeriesStore, clock: Clock
) -> None:
    with served(engine, series, clock) as console:
        streams = [console.open("shiju", "/alerts/live?after=0") for _ in range(3)]
        for stream in streams:
            stream.next("tick", "alert")
    for stream in streams:
        assert stream.next("reconnect") == ("reconnect", {})
        stream.close()
