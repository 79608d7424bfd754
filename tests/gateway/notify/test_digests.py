"""Storms, the day's budget, rules in the digest: what is put off is told once, none is lost."""

from collections import Counter
from datetime import timedelta

import pytest
from telling_town import CHEN, LI, NOON, WANG, Town, more_sites, policy

from contracts.words import Severity
from gateway.notify import budget
from gateway.notify.pipeline_settings import PipelineSettings, RouteSettings
from ledger import rule_modes
from ledger.engine import writing
from ledger.notifications import NewNotification
from ledger.pressures import Pressure
from ledger.rule_modes import RuleMode

HOUR = 3600.0


@pytest.mark.slow
def test_5000_alerts_in_a_minute_leave_each_a_readable_digest_and_lose_none(town: Town) -> None:
    with writing(town.engine) as conn:
        more_sites(conn, 250)
    raised = []
    for second in range(60):
        town.at += timedelta(seconds=1)
        some = range(second, 5000, 60)
        raised += town.fire_many([(f"rule{n % 7}", f"s{n % 250}", f"d{n}") for n in some])
        town.run()
    grave = town.fire("pesticide_positive", 1, site="s1")
    assert next(row.alert_ids for row in town.rows() if row.severity == 1) == (grave,)
    town.wait(700, every=5)
    rows = town.rows(recipient=LI)
    digests = [row for row in rows if row.kind == "digest"]
    told = Counter(one for row in rows if row.state == "queued" for one in row.alert_ids)
    assert set(told) == {*raised, grave}
    assert set(told.values()) == {1}
    alone = [row for row in rows if row.state == "queued" and row.kind == "alert"]
    assert len(alone) <= 41 and 1 <= len(digests) <= 3
    for digest in digests:
        assert len(digest.body_zh) < 1500 and len(digest.body_zh.splitlines()) < 30
        assert f"{len(digest.alert_ids)} 条预警" in digest.title_zh
    assert town.held() == []


def test_what_was_acknowledged_is_not_in_the_storms_digest(town: Town) -> None:
    town.policy = policy(PipelineSettings(storm_limit=1))
    first, second, third = (town.fire(f"rule{number}") for number in range(3))
    town.wait(30)
    assert len(town.told()) == 2  # one to each
    town.acknowledge(second)
    town.wait(60)
    assert town.told() == [("digest", CHEN, 1), ("digest", LI, 1)]
    assert town.rows()[-1].alert_ids == (third,)
    assert {row.state for row in town.rows(alert_id=second)} == {"cancelled"}
    assert first


def test_a_storm_over_a_route_has_its_own_digest(town: Town) -> None:
    robot = RouteSettings("robot", channels=("wecom",), classes=(2,))
    town.policy = policy(PipelineSettings(storm_limit=2), routes=[robot])
    for number in range(5):
        town.fire(f"rule{number}")
    town.wait(100)
    of_route = [row for row in town.rows() if row.route == "robot"]
    assert [row.kind for row in of_route if row.state == "queued"] == ["alert", "alert", "digest"]
    assert len(of_route[-1].alert_ids) == 3


def test_beyond_the_budget_it_waits_for_the_evening(town: Town) -> None:
    town.policy = policy(PipelineSettings(day_budget=3))
    ids = [town.fire(f"rule{number}") for number in range(5)]
    town.wait(30)
    assert len([one for one in town.told() if one[1] == LI]) == 3
    assert (LI, "day", "beyond the budget of 3 messages a day") in town.held()
    grave = town.fire("positive", 1)
    assert len(town.told()) == 2
    town.escalate(ids[0], 1)
    assert ("escalated", WANG, 1) in town.told()
    town.wait(5 * HOUR, every=600)
    (digest,) = [row for row in town.rows(recipient=LI) if row.kind == "digest"]
    assert set(ids[3:]) <= set(digest.alert_ids) and grave not in digest.alert_ids
    told = [row for row in town.rows(recipient=LI) if row.state == "held"]
    assert {row.digest_id for row in told if row.created_at < digest.created_at} == {digest.id}
    # A new day, a new budget.
    for one in ids:
        town.acknowledge(one)
    town.wait(12 * HOUR, every=3600)
    town.news()
    town.fire("rule9")
    town.wait(30)
    assert ("alert", LI, 1) in town.told()


def test_a_rule_moved_to_the_digest_for_a_site_until_a_date(town: Town) -> None:
    with writing(town.engine) as conn:
        mode = RuleMode(
            rule="no_hat",
            site="canteen1",
            starts_at=NOON,
            until=NOON + timedelta(days=2),
            author=WANG,
            reason="误报率 40 %",
            created_at=NOON,
        )
        rule_modes.add(conn, mode)
    quiet = town.fire("no_hat", 3)
    grave = town.fire("no_hat", 1, device="other")
    town.wait(30)
    assert {one for row in town.rows() if row.state == "queued" for one in row.alert_ids} == {grave}
    assert town.timeline(quiet)[-1][1].endswith("误报率 40 %")
    town.wait(5 * HOUR, every=600)
    (digest,) = [row for row in town.rows(recipient=LI) if row.kind == "digest"]
    assert digest.alert_ids == (quiet,)
    town.resolve(quiet)
    town.wait(HOUR, every=600)
    assert not [row for row in town.rows() if row.kind == "resolved" and quiet in row.alert_ids]


def test_a_digest_that_was_missed_goes_when_the_gateway_is_back(town: Town) -> None:
    alert_id = town.fire("no_hat", 3)
    town.resolve(alert_id)
    town.at += timedelta(hours=20)
    town.run()
    assert town.told() == [("digest", CHEN, 1), ("digest", LI, 1)]
    town.wait(24 * HOUR, every=3600)
    assert town.told() == []


def _new(number: int, severity: int = 2, kind: str = "alert", who: str = LI) -> NewNotification:
    return NewNotification(
        dedupe=f"{number}",
        kind=kind,  # type: ignore[arg-type]
        severity=Severity(severity),
        recipient=who,
        title_zh="",
        title_en="",
        body_zh="",
        body_en="",
    )


def test_what_passes_the_bounds_and_what_does_not() -> None:
    settings = PipelineSettings(storm_limit=5, day_budget=10)
    had = {(LI, ""): Pressure(recent=4, today=9), (WANG, ""): Pressure(today=10)}
    new = [
        _new(1),
        _new(2),
        _new(3, severity=1),
        _new(4, kind="notice"),
        _new(5, who=WANG),
        _new(6, kind="escalated", who=WANG),
        _new(7, kind="digest"),
    ]
    held = budget.hold_back(new, had, settings)
    holds = {one.dedupe: one.hold for one in held.new}
    assert holds == {"3": "", "1": "storm", "2": "storm", "4": "", "5": "day", "6": "", "7": ""}
    assert held.storms == {(LI, "")}
    running = budget.hold_back([_new(8)], {(LI, ""): Pressure(storm=True)}, settings)
    assert [one.hold for one in running.new] == ["storm"]
