"""What nobody is told of, and why: explained by another alert, silenced, by its rule."""

from datetime import timedelta
from typing import Any

import pytest
from telling_town import CANTEEN, CHEN, LI, MARKET, WANG, ZHAO, Town, policy

from gateway.notify.inhibit import Inhibition
from ledger import silences
from ledger.engine import writing
from ledger.silences import Matchers, Silence

HOUR = 3600.0
BOTH = [("alert", CHEN, 1), ("alert", LI, 1)]


def test_devices_of_an_offline_site_are_one_alert(town: Town) -> None:
    devices = [town.fire("device_silent", 3, device=f"d{number}") for number in range(30)]
    town.wait(20)
    cause = town.fire("agent_offline", 2, device="agent")
    town.wait(60)
    assert town.told() == BOTH
    assert town.rows()[-1].alert_ids == (cause,)
    for one in devices:
        assert town.timeline(one) == [("held", "explained by: agent_offline agent")]
    town.wait(48 * HOUR, every=1800)
    assert {kind for kind, _, _ in town.told()} == {"alert"}
    assert {one for row in town.rows() for one in row.alert_ids} == {cause}


def test_it_is_per_site(town: Town) -> None:
    town.fire("agent_offline", 2, device="agent")
    town.fire("device_silent", 3, site=MARKET)
    town.wait(30)
    assert town.told() == [*BOTH, ("alert", WANG, 1)]


def test_what_still_fires_when_the_cause_is_over_is_told_then(town: Town) -> None:
    cause = town.fire("agent_offline", 2, device="agent")
    back, gone = (town.fire("device_silent", 3, device=name) for name in ("a", "b"))
    town.wait(60)
    town.told()
    town.resolve(cause)
    town.wait(10)
    town.resolve(back)  # heard again soon after its agent
    town.wait(19)
    assert town.told() == []
    town.wait(1)
    assert town.told() == BOTH
    assert town.rows()[-1].alert_ids == (gone,)


def test_the_cause_explains_while_somebody_works_on_it_and_not_after_it_was_closed(
    town: Town,
) -> None:
    from ledger import alerts

    cause = town.fire("agent_offline", 2, device="agent")
    town.acknowledge(cause)
    town.fire("camera_offline", 2, device="cam1")
    town.wait(HOUR, every=60)
    assert town.told() == []
    with writing(town.engine) as conn:
        alerts.dispose(conn, cause, LI, town.at, "换了电源")
        alerts.review(conn, cause, WANG, town.at)
        alerts.close(conn, cause, WANG, town.at)
    town.run()
    assert town.told() == BOTH


def test_class_1_is_never_explained_away(town: Town) -> None:
    town.policy = policy(inhibits={"agent_offline": ("*",)})
    town.fire("agent_offline", 2, device="agent")
    town.fire("pesticide_positive", 1)
    assert town.told() == BOTH


def test_of_rules_that_inhibit_each_other_one_is_told(town: Town) -> None:
    circle = {"power": ("*",), "agent_offline": ("power", "device_silent"), "uplink": ("power",)}
    town.policy = policy(inhibits=circle)
    first = town.fire("agent_offline", 2, device="a")
    town.wait(1)
    town.fire("power", 2, device="b")
    town.wait(1)
    town.fire("uplink", 2, device="c")
    town.fire("device_silent", 3, device="d")
    town.wait(40)
    assert {one for row in town.rows() for one in row.alert_ids} == {first}


def test_no_circle_hides_everything() -> None:
    circle = Inhibition({"a": ("b",), "b": ("c",), "c": ("a",)})
    assert circle.rules == {"a", "b", "c"}


def silence(town: Town, **changes: Any) -> str:
    told = {
        "matchers": Matchers(site=CANTEEN, rule="cold_*"),
        "starts_at": town.at,
        "ends_at": town.at + timedelta(hours=3),
        "reason": "冷库检修",
        "author": LI,
        "created_at": town.at,
    }
    new = Silence(**(told | changes))
    with writing(town.engine) as conn:
        silences.add(conn, new)
    town.run()
    return new.id


def test_a_silence_hides_and_what_still_fires_at_its_end_is_told(town: Town) -> None:
    silence(town)
    alert_id = town.fire()
    other = town.fire("hot_holding_cold", 2)
    town.wait(30)
    assert [row.alert_ids for row in town.rows()] == [(other,), (other,)]
    assert town.timeline(alert_id) == [("held", "silenced until 03-02 15:00: 冷库检修")]
    town.wait(3 * HOUR - 31, every=60)
    town.acknowledge(other)
    town.news()
    town.wait(1)
    assert [row.kind for row in town.news()] == ["alert", "alert", "notice"]
    assert town.rows()[0].alert_ids == (other,) and town.rows()[-2].alert_ids == (alert_id,)


def test_its_author_is_reminded_before_its_end_and_told_after_it(town: Town) -> None:
    silence(town)
    town.fire(device="cold1")
    town.fire(device="cold2")
    town.wait(2 * HOUR - 5, every=60)
    assert town.told() == []
    town.wait(5)
    assert town.told() == [("notice", LI, 0)]
    assert "What still fires then will be told" in town.rows()[-1].body_en
    town.wait(HOUR, every=60)
    notices = [row for row in town.news() if row.kind == "notice"]
    assert [(row.recipient, row.title_en) for row in notices] == [
        (LI, "Ended at 03-02 15:00, 2 alert(s) fitted: silenced")
    ]
    town.wait(24 * HOUR, every=3600)
    assert [row for row in town.news() if row.kind == "notice"] == []


def test_of_a_short_one_only_the_end_is_told(town: Town) -> None:
    silence(town, ends_at=town.at + timedelta(minutes=30))
    town.wait(HOUR, every=60)
    assert [row.title_en for row in town.news()] == [
        "Ended at 03-02 12:30, 0 alert(s) fitted: silenced"
    ]


def test_ending_one_early_tells_at_once(town: Town) -> None:
    name = silence(town)
    town.fire()
    town.wait(600, every=60)
    assert town.told() == []
    with writing(town.engine) as conn:
        silences.end(conn, name, town.at)
    town.run()
    assert town.told() == [*BOTH, ("notice", LI, 0)]


def test_it_hides_repeats_and_escalations_of_what_nobody_took_on(town: Town) -> None:
    alert_id = town.fire()
    town.wait(30)
    town.told()
    silence(town, ends_at=town.at + timedelta(hours=9))
    town.escalate(alert_id, 1)
    town.wait(5 * HOUR, every=600)
    assert town.told() == []
    town.wait(4 * HOUR, every=600)
    assert ("escalated", WANG, 1) in town.told()


def test_a_deadline_that_somebody_missed_who_took_it_on_is_not_hidden(town: Town) -> None:
    alert_id = town.fire()
    town.wait(30)
    town.acknowledge(alert_id)
    town.run()
    town.told()
    silence(town)
    town.escalate(alert_id, 1)
    assert town.told() == [("escalated", WANG, 1)]


def test_class_1_passes_a_silence_and_only_a_maintenance_window_may_hide_it(town: Town) -> None:
    matchers = Matchers(site=CANTEEN)
    silence(town, matchers=matchers)
    town.fire("pesticide_positive", 1)
    assert town.told() == BOTH
    silence(town, matchers=matchers, kind="maintenance", includes_class_1=True, reason="仪器校准")
    town.wait(0.1)
    ((kind, who, _),) = town.told()
    assert (kind, who) == ("notice", ZHAO)
    assert "仪器校准" in town.rows()[-1].body_zh and CANTEEN in town.rows()[-1].body_zh
    hidden = town.fire("pesticide_positive", 1, device="b")
    assert town.told() == []
    assert town.timeline(hidden) == [("held", "maintenance until 03-02 15:00: 仪器校准")]


def test_a_rule_may_say_that_nobody_is_told(town: Town) -> None:
    town.policy = policy(modes={"device_silent": "none", "positive": "none"})
    alert_id = town.fire("device_silent", 3)
    town.fire("positive", 1)
    assert town.told() == BOTH  # class 1 all the same
    town.wait(24 * HOUR, every=1800)
    assert town.timeline(alert_id) == [("held", "nobody is told of this rule's alerts")]
    town.policy = policy()
    town.run()
    assert ("alert", LI, 1) in town.told()


@pytest.mark.parametrize("severity", [2, 3])
def test_silenced_and_over_is_over(town: Town, severity: int) -> None:
    silence(town)
    alert_id = town.fire(severity=severity)
    town.wait(60)
    town.resolve(alert_id)
    town.wait(24 * HOUR, every=1800)
    assert [row.kind for row in town.news()] == ["notice", "notice"]
