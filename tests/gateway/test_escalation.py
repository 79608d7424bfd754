"""The keeper of deadlines on a ledger: levels, cards, appeals, restarts, two gateways at once."""

import shutil
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from facts import FakeClock
from gateway_town import CANTEEN, REGION, canteen

from contracts.words import AlertState, Due, Severity
from contracts.workdays import CHINA
from gateway.deadlines.keeper import Keeper
from gateway.escalate import CONFIGS, Escalation, read_keeper
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.settings import AlertSettings
from ledger import alerts, cards, deadlines, journal, officers
from ledger.alerts import AlertRow
from ledger.cards import Colour
from ledger.engine import Engine, LedgerDown, open_engine, reading, writing
from ledger.officers import Role

MINUTE = timedelta(minutes=1)
NIGHT = datetime(2026, 10, 1, 3, 0, tzinfo=CHINA)
OWNER = f"e-{CANTEEN}"
LI, HE, CHEN = "o-li", "o-he", "o-chen"


def people(engine: Engine) -> None:
    """A town officer, a county one, one of the city, and the canteen's manager."""
    with writing(engine) as conn:
        for id_, role, owner in (
            (LI, Role.TOWN, None),
            (HE, Role.COUNTY, None),
            (CHEN, Role.CITY, None),
            ("p-zhou", Role.OPERATOR, OWNER),
        ):
            officers.add(
                conn, officers.Officer(id_, id_, role, REGION, id=id_, establishment_id=owner)
            )


@pytest.fixture
def town(ledger: Engine) -> Engine:
    people(ledger)
    return ledger


@pytest.fixture
def keeper(town: Engine) -> Keeper:
    return read_keeper(AlertSettings(), Path(), town)


def raise_one(
    engine: Engine, at: datetime, severity: int = 1, fingerprint: str = "rat|cam1"
) -> str:
    new = alerts.NewAlert(
        fingerprint=fingerprint,
        rule="rat",
        rule_version="1",
        severity=Severity(severity),
        title_zh="鼠",
        title_en="rodent",
        who=canteen("cam1"),
        raised_at=at - 5 * MINUTE,
    )
    with writing(engine) as conn:
        return alerts.raise_alert(conn, new, at)[0]


def get(engine: Engine, alert_id: str) -> AlertRow:
    with reading(engine) as conn:
        row = alerts.get(conn, alert_id)
    assert row is not None
    return row


def told(engine: Engine, alert_id: str) -> list[tuple[str, datetime]]:
    """The escalations that followers of the journal are told of: town→county …, and when."""
    with reading(engine) as conn:
        rows = journal.after(conn, 0, 100_000)
        steps = alerts.timeline(conn, alert_id)
    heard = [one for one in rows if one.kind == journal.ALERT_ESCALATED and one.ref == alert_id]
    found = [one for one in steps if one.kind == "escalated"]
    assert [one.at for one in found if one.body["told"]] == [one.at for one in heard]
    return [
        (f"{one.body['due_kind']} {one.body['from']}>{one.body['to']}", one.at) for one in found
    ]


def colours(engine: Engine) -> list[tuple[str, datetime]]:
    with reading(engine) as conn:
        found = cards.of_establishment(conn, OWNER)
    return [(one.colour.value, one.at) for one in reversed(found)]


def test_a_new_alert_has_its_deadline_at_the_next_look(town: Engine, keeper: Keeper) -> None:
    alert_id = raise_one(town, NIGHT)
    assert get(town, alert_id).due_at is None
    assert keeper.look(NIGHT + MINUTE).missed == ()
    row = get(town, alert_id)
    # From when it was known, not from when it happened at the site.
    assert (row.due_at, row.due_kind, row.level) == (NIGHT + 15 * MINUTE, Due.ACKNOWLEDGE, 0)
    with reading(town) as conn:
        last = journal.after(conn, 0)[-1]
        assert (last.kind, last.body["due_kind"]) == (journal.ALERT_DUE, "acknowledge")
        before = journal.last_id(conn)
    keeper.look(NIGHT + 2 * MINUTE)
    with reading(town) as conn:
        assert journal.last_id(conn) == before, "a look at what stands writes nothing"


def test_to_the_minute_up_to_the_city_with_yellow_and_red(town: Engine, keeper: Keeper) -> None:
    alert_id = raise_one(town, NIGHT)
    for minute in range(60):
        keeper.look(NIGHT + minute * MINUTE)
        row = get(town, alert_id)
        assert row.level == min(minute // 15, 2), minute
        assert (row.overdue_since is not None) == (minute >= 15)
        assert len(colours(town)) == min(minute // 15, 2)
    marks = [NIGHT + n * MINUTE for n in (15, 30, 45)]
    assert told(town, alert_id) == list(
        zip(["acknowledge 0>1", "acknowledge 1>2", "acknowledge 2>2"], marks, strict=True)
    )
    assert colours(town) == [("yellow", marks[0]), ("red", marks[1])]
    with reading(town) as conn:
        (red, yellow) = cards.of_establishment(conn, OWNER)
        assert "逾期未签收：鼠 / class 1 alert not acknowledged in time: rodent" in yellow.reason
        kinds = [one.kind for one in alerts.timeline(conn, alert_id)]
    assert kinds.count("card") == 2 and red.alert_id == alert_id
    # Acknowledged at last: the disposal has its time, the level stays.
    with writing(town) as conn:
        alerts.acknowledge(conn, alert_id, HE, NIGHT + 60 * MINUTE)
    row = get(town, alert_id)
    assert (row.due_at, row.due_kind, row.overdue_since) == (None, None, None)
    keeper.look(NIGHT + 61 * MINUTE)
    row = get(town, alert_id)
    due = NIGHT + 60 * MINUTE + timedelta(hours=72)
    assert (row.due_kind, row.due_at, row.level) == (Due.DISPOSE, due, 2)
    with reading(town) as conn:
        assert deadlines.overdue_in(conn, None) == []


def test_one_late_look_finds_what_many_find_and_tells_only_what_still_stands(
    town: Engine, keeper: Keeper
) -> None:
    often, late = raise_one(town, NIGHT, 1, "often"), raise_one(town, NIGHT, 1, "late")
    with writing(town) as conn:  # only the first is looked at minute by minute
        conn.exec_driver_sql("UPDATE alerts SET unwound = 0 WHERE fingerprint = 'late'")
    for minute in range(20):
        keeper.look(NIGHT + minute * MINUTE)
    for alert_id in (often, late):
        with writing(town) as conn:
            alerts.acknowledge(conn, alert_id, LI, NIGHT + 20 * MINUTE)
    keeper.look(NIGHT + 25 * MINUTE)
    rows = [get(town, alert_id) for alert_id in (often, late)]
    assert rows[0].level == rows[1].level == 1
    assert rows[0].due_at == rows[1].due_at == NIGHT + 20 * MINUTE + timedelta(hours=72)
    assert told(town, often) == told(town, late) == [("acknowledge 0>1", NIGHT + 15 * MINUTE)]
    with reading(town) as conn:
        (entry,) = [one for one in alerts.timeline(conn, late) if one.kind == "escalated"]
        assert entry.body["told"] is False, "it was acknowledged before anybody looked"
        # What was overdue costs the card whenever it is looked at; the second one was the red.
        assert sorted(one.colour for one in cards.of_establishment(conn, OWNER)) == [
            "red",
            "yellow",
        ]


def test_an_appeal_stops_the_clock_and_a_card_can_be_annulled(town: Engine, keeper: Keeper) -> None:
    alert_id = raise_one(town, NIGHT)
    keeper.look(NIGHT + 15 * MINUTE)
    with writing(town) as conn:
        alerts.pause(conn, alert_id, LI, NIGHT + 20 * MINUTE, "店主提出申诉")
    keeper.look(NIGHT + timedelta(days=3))
    assert len(told(town, alert_id)) == 1
    resumed = NIGHT + timedelta(days=3)
    with writing(town) as conn:
        (yellow,) = cards.of_alert(conn, alert_id)
        assert cards.annul(conn, yellow.id, LI, resumed, "是猫，不是鼠")
        alerts.resume(conn, alert_id, LI, resumed, "申诉成立")
    keeper.look(resumed)
    row = get(town, alert_id)
    assert row.paused_s == (resumed - NIGHT - 20 * MINUTE).total_seconds()
    assert row.due_at == resumed + 10 * MINUTE
    keeper.look(resumed + 10 * MINUTE - timedelta(seconds=1))
    assert len(told(town, alert_id)) == 1
    keeper.look(resumed + 10 * MINUTE)
    assert [what for what, _ in told(town, alert_id)] == ["acknowledge 0>1", "acknowledge 1>2"]
    assert [colour for colour, _ in colours(town)] == ["yellow"], "no red on an annulled yellow"


def test_another_overdue_alert_within_a_year_is_red(town: Engine, keeper: Keeper) -> None:
    first = raise_one(town, NIGHT)
    keeper.look(NIGHT + 15 * MINUTE)
    with writing(town) as conn:
        alerts.acknowledge(conn, first, LI, NIGHT + 16 * MINUTE)
    again = NIGHT + timedelta(days=30)
    raise_one(town, again, 1, "another")
    keeper.look(again + 15 * MINUTE)
    assert [colour for colour, _ in colours(town)][-1] == "red"


def test_no_card_for_those_who_could_not_be_told(town: Engine, keeper: Keeper) -> None:
    with writing(town) as conn:
        officers.set_active(conn, "p-zhou", False)
    alert_id = raise_one(town, NIGHT)
    keeper.look(NIGHT + 60 * MINUTE)
    assert len(told(town, alert_id)) == 3 and colours(town) == []


def test_where_no_town_officer_is_the_county_is_asked_and_it_is_put_on_record(
    town: Engine, keeper: Keeper
) -> None:
    with writing(town) as conn:
        officers.set_active(conn, LI, False)
    alert_id = raise_one(town, NIGHT)
    keeper.look(NIGHT)
    assert get(town, alert_id).level == 0, "no deadline was missed"
    with reading(town) as conn:
        (entry,) = [one for one in alerts.timeline(conn, alert_id) if one.kind == "orphan"]
    assert entry.body == {"level": 1, "nobody": False}
    keeper.look(NIGHT + 15 * MINUTE)
    assert told(town, alert_id) == [("acknowledge 1>2", NIGHT + 15 * MINUTE)]


def test_across_octobers_holiday_in_working_hours(town: Engine, keeper: Keeper) -> None:
    raised = datetime(2026, 9, 30, 15, 0, tzinfo=CHINA)
    alert_id = raise_one(town, raised, severity=2)
    due = datetime(2026, 10, 8, 10, 0, tzinfo=CHINA)
    at = raised
    while at < due:
        assert keeper.look(at).missed == ()
        at += timedelta(hours=1)
    assert keeper.look(due - MINUTE).missed == ()
    assert len(keeper.look(due).missed) == 1
    assert get(town, alert_id).due_at == datetime(2026, 10, 8, 16, 0, tzinfo=CHINA)


def test_what_was_in_the_ledger_before_has_no_deadline_until_it_is_moved(
    town: Engine, keeper: Keeper
) -> None:
    alert_id = raise_one(town, NIGHT)
    with writing(town) as conn:  # as the migration leaves it
        newest = "SELECT max(id) FROM alert_timeline"
        conn.exec_driver_sql(f"UPDATE alerts SET unwound = 0, wound_to = ({newest})")
    later = NIGHT + timedelta(days=40)
    assert keeper.look(later).missed == ()
    with writing(town) as conn:
        alerts.acknowledge(conn, alert_id, LI, later)
    assert keeper.look(later).missed == ()
    assert get(town, alert_id).due_at == later + timedelta(hours=72)


def test_a_year_without_a_calendar_is_told_and_the_other_alerts_go_on(
    town: Engine, keeper: Keeper, tmp_path: Path
) -> None:
    new_year = datetime(2026, 12, 31, 17, 0, tzinfo=CHINA)
    stuck, other = raise_one(town, new_year, 2, "a"), raise_one(town, new_year, 1, "b")
    clock, health, metrics = FakeClock(new_year + 15 * MINUTE), Health(), Metrics()
    thread = _thread(keeper, clock, health, metrics)
    thread.look_once()
    assert "no working calendar for 2027" in health.report().reasons["deadlines"]
    assert get(town, stuck).due_at is None and get(town, other).level == 1
    assert b'deadlines_missed_total{due="acknowledge",level="1"} 1.0' in metrics.text()
    assert b'cards_total{colour="yellow"} 1.0' in metrics.text()
    file = tmp_path / "cn_2027.toml"
    file.write_text('year = 2027\nsource = "test"\nmark = "U"\nholiday = []\n', "utf-8")
    for known in (CONFIGS / "calendars").glob("*.toml"):
        shutil.copy(known, tmp_path)
    settings = AlertSettings(calendars=str(tmp_path))
    thread = _thread(read_keeper(settings, Path(), town), clock, health, metrics)
    thread.look_once()
    assert health.report().reasons == {}
    assert get(town, stuck).due_at == datetime(2027, 1, 1, 12, 0, tzinfo=CHINA)


def test_the_thread_lives_through_an_absent_ledger_and_ends_when_asked(
    town: Engine, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    health, looks = Health(), []
    stop = threading.Event()
    look = keeper.look

    def sometimes(now: datetime, rest: Callable[[float], object]) -> object:
        looks.append(now)
        if len(looks) == 1:
            raise LedgerDown("away")
        if len(looks) == 3:
            stop.set()
        return look(now, rest)

    monkeypatch.setattr(keeper, "look", sometimes)
    alert_id = raise_one(town, NIGHT)
    thread = threading.Thread(
        target=_thread(keeper, FakeClock(NIGHT + 15 * MINUTE), health, Metrics()).run, args=[stop]
    )
    thread.start()
    thread.join(20)
    assert not thread.is_alive() and len(looks) == 3
    assert health.report().reasons == {} and len(told(town, alert_id)) == 1


def _thread(
    keeper: Keeper, clock: Callable[[], datetime], health: Health, metrics: Metrics
) -> Escalation:
    return Escalation(
        keeper, every_s=0.01, on_alerts=lambda: None, metrics=metrics, health=health, clock=clock
    )


@pytest.mark.real
def test_two_gateways_escalate_each_deadline_once(town_database: str) -> None:
    """Both look at the same alerts at the same time; one of them begins anew each time."""
    book = open_engine(town_database)
    people(book)
    ids = [raise_one(book, NIGHT, 1, f"f{n}") for n in range(24)]
    failures: list[BaseException] = []
    minutes = (0, 14, 15, 15, 31, 45, 46)
    meet = threading.Barrier(2)

    def gateway(restarts: bool) -> None:
        engine = open_engine(town_database)
        try:
            keeper = read_keeper(AlertSettings(), Path(), engine)
            for minute in minutes:
                meet.wait(60)
                keeper.look(NIGHT + minute * MINUTE)
                if restarts:
                    keeper = read_keeper(AlertSettings(), Path(), engine)
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(error)
            meet.abort()
        finally:
            engine.dispose()

    threads = [threading.Thread(target=gateway, args=[restarts]) for restarts in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    read_keeper(AlertSettings(), Path(), book).look(NIGHT + 50 * MINUTE)
    expected = [
        ("acknowledge 0>1", NIGHT + 15 * MINUTE),
        ("acknowledge 1>2", NIGHT + 30 * MINUTE),
        ("acknowledge 2>2", NIGHT + 45 * MINUTE),
    ]
    for alert_id in ids:
        assert told(book, alert_id) == expected
        assert get(book, alert_id).state is AlertState.FIRING
    with reading(book) as conn:
        given = cards.of_establishment(conn, OWNER)
    assert sorted(one.colour for one in given) == [Colour.RED, Colour.YELLOW]
    book.dispose()
