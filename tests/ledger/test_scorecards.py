"""Scorecards and times: every number is counted from the alerts behind it."""

from datetime import timedelta

import alert_steps
import pytest
from ledger_town import AT, CAMERA, MARKET, OFFICER, READER, after, alert, observation
from sqlalchemy import update

from contracts.events import ModelRef
from contracts.words import AlertVerdict, Severity
from ledger import alert_times, alerts, notifications, observations, scorecards, verdicts
from ledger.alert_times import spread
from ledger.engine import Connection, Engine, reading, writing
from ledger.notifications import NewNotification
from ledger.schema import devices
from ledger.scorecards import Card, Key

TRUE, FALSE, UNSURE = AlertVerdict.TRUE, AlertVerdict.FALSE, AlertVerdict.UNSURE
HERE = ["440703-tangxia"]
DAY = 86_400
OLD, NEW = ModelRef("hygiene", "1", "ab" * 32), ModelRef("hygiene", "2", "cd" * 32)


def seen(conn: Connection, number: int, at_s: float, model: ModelRef, **facts: object) -> str:
    """An alert that a camera's observation raised."""
    key = f"o{number}"
    observations.put(
        conn, CAMERA, observation(key, started_at=after(at_s), models=(model,)), after(at_s)
    )
    new = alert(
        f"hat|{key}", after(at_s), rule="no_hat", severity=Severity.GUIDANCE, who=CAMERA,
        observation_id=key, facts=facts,
    )  # fmt: skip
    return alerts.raise_alert(conn, new)[0]


def judged(conn: Connection) -> list[str]:
    """Ten alerts of a camera, three of a reader, most of them judged."""
    made = [seen(conn, n, n * 3600, OLD if n < 6 else NEW, zone="切配间") for n in range(10)]
    for n in range(4):
        verdicts.give(conn, made[n], OFFICER, FALSE, after(DAY), cause="cat" if n else "glare")
    verdicts.give(conn, made[4], OFFICER, TRUE, after(DAY))
    verdicts.give(conn, made[5], OFFICER, FALSE, after(DAY), cause="test", counts=False)
    for n in (6, 7):
        verdicts.give(conn, made[n], OFFICER, TRUE, after(DAY))
    verdicts.give(conn, made[8], OFFICER, UNSURE, after(DAY))
    for n in range(3):
        alert_id, _ = alerts.raise_alert(conn, alert(f"t{n}", after(60 + n)), after(90 + n))
        alerts.acknowledge(conn, alert_id, OFFICER, after(90 + n + (n + 1) * 100))
        made.append(alert_id)
    return made


OF_OLD = Key("no_hat", "pj-market-1", "hygiene 1")


def _by_key(found: list[Card]) -> dict[Key, Card]:
    return {one.key: one for one in found}


def test_a_retired_camera_counts_for_its_time(town: Engine) -> None:
    with writing(town) as conn:
        judged(conn)
        conn.execute(
            update(devices).where(devices.c.device == CAMERA.device).values(retired_at=after(DAY))
        )
    with reading(town) as conn:
        told = scorecards.cards(conn, HERE, AT, AT + timedelta(days=4))
    assert _by_key(told)[OF_OLD].camera_days == pytest.approx(1.0)


def test_a_card_counts_what_was_said(town: Engine) -> None:
    with writing(town) as conn:
        made = judged(conn)
    until = AT + timedelta(days=4)
    with reading(town) as conn:
        told = scorecards.cards(conn, HERE, AT, until)
        by_rule = scorecards.cards(conn, HERE, AT, until, split=False)
        assert scorecards.cards(conn, ["440705"], AT, until) == []
    old, new = (
        _by_key(told)[Key("no_hat", "pj-market-1", f"hygiene {version}")] for version in "12"
    )
    test = _by_key(told)[Key("pesticide-positive", "pj-market-1")]
    assert told[0] is old, "most false ones first"
    assert (old.raised, old.true, old.false, old.unsure, old.left_out) == (6, 1, 4, 0, 1)
    assert (new.raised, new.true, new.false, new.unsure, new.judged) == (4, 2, 0, 1, 3)
    assert dict(old.causes) == {"cat": 3, "glare": 1}
    assert old.precision is not None and old.precision.share == pytest.approx(0.2)
    assert old.precision.high == pytest.approx(0.6245, abs=1e-4)
    # One camera, registered when the period began: four days.
    assert old.camera_days == pytest.approx(4.0)
    assert old.false_per_camera_day == pytest.approx(1.0)
    assert (test.camera_days, test.false_per_camera_day, test.precision) == (None, None, None)
    # Booked 30 s after the fact; the clock starts when it was booked.
    assert (test.acknowledge.count, test.acknowledge.median_s) == (3, pytest.approx(200.0))
    assert test.severity is Severity.AT_ONCE
    whole = _by_key(by_rule)
    assert set(whole) == {Key("no_hat"), Key("pesticide-positive")}
    assert (whole[Key("no_hat")].raised, whole[Key("no_hat")].false) == (10, 4)
    assert len(made) == 13


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ("", range(6)),
        ("true", [4]),
        ("false", range(4)),
        ("left_out", [5]),
        ("unsure", []),
        ("judged", range(6)),
    ],
)
def test_each_number_opens_its_alerts(town: Engine, said: str, numbers: list[int]) -> None:
    with writing(town) as conn:
        made = judged(conn)
        key = Key("no_hat", "pj-market-1", "hygiene 1")
        until = AT + timedelta(days=4)
        found = scorecards.behind(conn, HERE, AT, until, key, model=True, said=said)
        assert [one.alert_id for one in found] == [made[n] for n in sorted(numbers, reverse=True)]
        # Another establishment's people see none of them.
        assert scorecards.behind(conn, HERE, AT, until, key, establishment_id="other") == []
        assert len(scorecards.behind(conn, HERE, AT, until, key, establishment_id=MARKET)) == 10


def test_a_period_takes_its_first_moment_and_not_its_last(town: Engine) -> None:
    with writing(town) as conn:
        alerts.raise_alert(conn, alert("f1", AT))
        alerts.raise_alert(conn, alert("f2", after(10)))
        for since, until, count in ((0, 10, 1), (0, 10.001, 2), (0.001, 10.001, 1)):
            found = scorecards.read_judged(conn, HERE, after(since), after(until))
            assert len(found) == count


def test_times_are_those_of_the_first_round(town: Engine) -> None:
    with writing(town) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert("f1", AT, who=READER), after(5))
        alerts.raise_alert(conn, alert("f2", after(1)), after(1))
        alerts.acknowledge(conn, alert_id, OFFICER, after(65))
        alerts.resolve(conn, alert_id, after(100))
        alerts.raise_alert(conn, alert("f1", after(200)), after(201))
        alerts.acknowledge(conn, alert_id, OFFICER, after(900))
        alert_steps.close(conn, alert_id, OFFICER, after(3605), "已整改")
        times = alert_times.of_alert(conn, alert_id)
        assert times is not None
        assert (times.told_at, times.acknowledge_s, times.dispose_s) == (after(5), 60.0, 3600.0)
        assert times.notify_s is None
        for number, told_s in enumerate((50, 35)):
            new = NewNotification(
                dedupe=f"d{number}", kind="alert", severity=Severity.AT_ONCE, recipient=OFFICER,
                title_zh="农残", title_en="Residue", body_zh="", body_en="", alert_ids=(alert_id,),
            )  # fmt: skip
            notifications.enqueue(conn, [new], after(6))
            (row,) = notifications.take_due(conn, "sender", 1, after(7))
            notifications.sent(conn, row.id, "sender", after(told_s), "sms")
        told = alert_times.of_alert(conn, alert_id)
        assert told is not None and told.notify_s == 30.0
        found = sorted(alert_times.read(conn, HERE, AT, after(10)))
        assert [one.told_s for one in found] == [
            pytest.approx(at.timestamp(), abs=0.001) for at in (after(1), after(5))
        ]
        assert found[0][1:] == (None, None, None)
        assert found[1][1:] == tuple(pytest.approx(one, abs=0.001) for one in (30.0, 60.0, 3600.0))
        assert alert_times.of_alert(conn, "none") is None


def test_a_spread_says_nothing_of_nothing() -> None:
    assert spread([None, None]).median_s is None
    told = spread([None, 10.0, 30.0, 20.0, None, 40.0])
    assert (told.count, told.median_s, told.p90_s) == (4, 25.0, pytest.approx(37.0))
    assert spread([7.0]).p90_s == 7.0
