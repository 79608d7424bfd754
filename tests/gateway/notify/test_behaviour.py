"""Who is told what, when: batching, repeating, resolving, escalating, by a clock wound by hand."""

import alert_steps
import pytest
from telling_town import CHEN, LI, MARKET, WANG, ZHAO, Town, policy

from gateway.notify.pipeline_settings import ClassSettings, PipelineSettings, RouteSettings
from ledger import alerts
from ledger.engine import writing

HOUR = 3600.0
BOTH = [("alert", CHEN, 1), ("alert", LI, 1)]


def test_class_1_is_told_at_once_to_the_officer_and_the_establishment(town: Town) -> None:
    alert_id = town.fire("pesticide_positive", 1)
    assert town.told() == BOTH
    (row, _) = town.rows()
    assert row.title_zh == "【一级】pesticide_positive cold1"
    assert "GB 31654-2021" in row.body_zh and "点位canteen1" in row.body_zh
    assert (row.alert_ids, row.state, row.due_at) == ((alert_id,), "queued", town.at)
    assert town.timeline(alert_id) == [("notified", "")]
    town.fire("pesticide_positive", 1, device="cold2")
    assert town.told() == BOTH


def test_class_2_waits_for_others_of_its_group_and_is_told_with_them(town: Town) -> None:
    town.fire()
    town.wait(20)
    town.fire(device="cold2")
    town.wait(9)
    assert town.told() == []
    town.wait(1)
    assert town.told() == BOTH
    # The second one has not waited its time yet: what explains it may still come.
    town.wait(269)
    town.fire(device="cold3")
    town.wait(31)
    assert town.told() == [("alert", CHEN, 2), ("alert", LI, 2)]
    body = town.rows()[-1].body_en
    assert "cold2" in body and "cold3" in body


def test_it_is_told_again_until_somebody_acknowledges(town: Town) -> None:
    alert_id = town.fire()
    town.wait(30)
    assert town.told() == BOTH
    town.wait(4 * HOUR - 1, every=60)
    assert town.told() == []
    town.wait(1)
    assert town.told() == BOTH
    assert town.rows()[-1].title_en.startswith("[class 2, again]")
    town.wait(4 * HOUR - 5, every=60)
    town.acknowledge(alert_id)
    town.wait(24 * HOUR, every=600)
    assert town.told() == []


def test_class_1_repeats_every_half_hour_and_class_3_every_day(town: Town) -> None:
    town.fire("positive", 1)
    town.fire("no_hat", 3)
    town.wait(24 * HOUR + 1800, every=1800)
    kinds = [row.severity for row in town.rows(recipient=LI)]
    assert (kinds.count(1), kinds.count(3)) == (50, 2)


def test_those_who_were_told_are_told_that_it_is_over_once_for_the_group(town: Town) -> None:
    first = town.fire()
    second = town.fire(device="cold2")
    town.wait(30)
    assert town.told() == [("alert", CHEN, 2), ("alert", LI, 2)]
    town.resolve(first)
    town.wait(60)
    town.resolve(second)
    assert town.told() == []
    town.wait(240)
    assert town.told() == [("resolved", CHEN, 2), ("resolved", LI, 2)]
    town.wait(24 * HOUR, every=600)
    assert town.told() == []


def test_what_nobody_was_told_of_is_not_told_to_be_over_but_in_the_days_digest(town: Town) -> None:
    alert_id = town.fire()
    town.wait(10)
    town.resolve(alert_id)
    town.wait(HOUR, every=60)
    assert town.told() == []
    assert [(who, hold) for who, hold, _ in town.held()] == [(LI, "day"), (CHEN, "day")]
    assert town.timeline(alert_id)[-1][0] == "held"
    town.wait(4 * HOUR, every=60)
    assert town.told() == [("digest", CHEN, 1), ("digest", LI, 1)]
    assert town.held() == []


def test_class_1_that_is_over_already_is_told_all_the_same(town: Town) -> None:
    alert_id = town.fire("positive", 1, run=False)
    town.resolve(alert_id)
    assert town.told() == BOTH
    town.wait(60)
    assert town.told() == [("resolved", CHEN, 1), ("resolved", LI, 1)]


def test_flapping_within_the_interval_is_not_told(town: Town) -> None:
    alert_id = town.fire()
    town.wait(30)
    town.told()
    for _ in range(10):
        town.wait(10)
        town.resolve(alert_id)
        town.wait(10)
        town.fire()
    town.wait(600)
    assert town.told() == []


def test_what_fires_again_after_it_was_told_over_is_told_anew(town: Town) -> None:
    alert_id = town.fire()
    town.wait(30)
    town.resolve(alert_id)
    town.wait(300)
    town.told()
    assert town.fire() == alert_id
    town.wait(299)
    assert town.told() == []
    town.wait(1)
    assert town.told() == BOTH


@pytest.mark.parametrize("looks_between", [True, False])
def test_what_was_acknowledged_and_fires_again_is_told_anew(
    town: Town, looks_between: bool
) -> None:
    alert_id = town.fire()
    town.wait(30)
    town.told()
    town.wait(600)
    town.acknowledge(alert_id)
    if looks_between:
        town.run()
    town.resolve(alert_id, run=looks_between)
    town.fire()
    town.wait(30)
    assert town.told() == BOTH


def test_acknowledging_takes_back_what_was_queued_and_nothing_follows(town: Town) -> None:
    one, two = town.fire(), town.fire(device="cold2")
    town.wait(30)
    town.acknowledge(one)
    rows = town.rows()
    assert {row.state for row in rows} == {"queued"} and {row.alert_ids for row in rows} == {(two,)}
    town.acknowledge(two)
    assert {row.state for row in town.rows()} == {"cancelled"}
    town.news()
    town.resolve(one)
    town.wait(24 * HOUR, every=600)
    assert town.told() == []


def test_acknowledged_before_it_was_told_is_never_told(town: Town) -> None:
    alert_id = town.fire()
    town.wait(10)
    town.acknowledge(alert_id)
    town.wait(HOUR, every=60)
    assert town.told() == [] and town.held() == []


def test_a_missed_deadline_is_told_to_the_next_level_at_once(town: Town) -> None:
    alert_id = town.fire()
    town.wait(30)
    town.told()
    town.escalate(alert_id, 1)
    assert town.told() == [("escalated", WANG, 1)]
    assert town.rows()[-1].title_zh.startswith("【二级 超期上报县级】")
    town.acknowledge(alert_id)
    town.run()
    assert town.told() == []
    town.wait(60)
    town.escalate(alert_id, 2)
    assert town.told() == [("escalated", ZHAO, 1)]


def test_an_escalation_that_was_acknowledged_meanwhile_is_not_told(town: Town) -> None:
    alert_id = town.fire()
    town.wait(30)
    town.told()
    with writing(town.engine) as conn:
        alert_steps.escalate(conn, alert_id, 1, town.at)
        alerts.acknowledge(conn, alert_id, LI, town.at)
    town.run()
    assert town.told() == []


def test_it_begins_at_the_level_that_it_has_reached(town: Town) -> None:
    alert_id = town.fire()
    town.escalate(alert_id, 1)
    town.wait(30)
    assert town.told() == [("alert", CHEN, 1), ("alert", LI, 1), ("alert", WANG, 1)]


def test_where_nobody_is_in_charge_the_county_is_told_and_reads_of_it_daily(town: Town) -> None:
    alert_id = town.fire("positive", 1, site=MARKET)
    town.fire("positive", 1, site=MARKET, device="b")
    assert town.told() == [("alert", WANG, 1), ("alert", WANG, 1)]
    ((who, hold, why),) = town.held()
    assert (who, hold) == (WANG, "day") and "nobody in charge" in why
    town.acknowledge(alert_id)
    assert len(town.held()) == 1  # that nobody is in charge stays true
    town.wait(5 * HOUR, every=300)
    digests = [row for row in town.rows(recipient=WANG) if row.kind == "digest"]
    assert len(digests) == 1 and "点位market1" in digests[0].body_zh


def test_routes_bring_a_groups_robot_and_officers_of_other_offices(town: Town) -> None:
    town.policy = policy(
        routes=[
            RouteSettings("town-robot", channels=("wecom",), regions=("440703",), classes=(1,)),
            RouteSettings("lab", officers=(ZHAO, "nobody"), rules=("pesticide_*",)),
            RouteSettings("named", channels=("hook",)),
        ],
        of_rules={"cold_store_warm": ("named", "unknown")},
    )
    town.fire("pesticide_positive", 1)
    assert town.told() == [*BOTH, ("alert", "route:town-robot", 1), ("alert", ZHAO, 1)]
    alert_id = town.fire()
    town.wait(30)
    assert town.told() == [*BOTH, ("alert", "route:named", 1)]
    town.resolve(alert_id)
    town.wait(300)
    assert ("resolved", "route:named", 1) in town.told()


def test_an_appeal_holds_repeats_up(town: Town) -> None:
    alert_id = town.fire()
    town.wait(30)
    town.told()
    with writing(town.engine) as conn:
        alerts.pause(conn, alert_id, LI, town.at, "申诉")
    town.wait(10 * HOUR, every=600)
    assert town.told() == []
    with writing(town.engine) as conn:
        alerts.resume(conn, alert_id, LI, town.at)
    town.run()
    assert town.told() == BOTH


def test_new_settings_count_from_the_next_look(town: Town) -> None:
    quick = ClassSettings(group_wait_s=5, group_interval_s=10, repeat_s=60)
    town.fire()
    town.wait(4)
    town.policy = policy(PipelineSettings(class_2=quick))
    town.run()
    assert town.told() == []
    town.wait(1)
    assert town.told() == BOTH
    town.wait(60)
    assert town.told() == BOTH
    town.policy = policy()
    town.wait(4 * HOUR - 1, every=60)
    assert town.told() == []
    town.wait(1)
    assert town.told() == BOTH


def test_a_new_hour_of_the_digest_counts_on_the_same_day(town: Town) -> None:
    alert_id = town.fire()
    town.resolve(alert_id)
    town.policy = policy(PipelineSettings(digest_at="12:30"))
    town.wait(1799)
    assert town.told() == []
    town.wait(1)
    assert town.told() == [("digest", CHEN, 1), ("digest", LI, 1)]
