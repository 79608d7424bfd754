"""Attempts to reach 100 % by hiding, cancelling, deleting, retiring, re-dating, and quick tests."""

from datetime import datetime, timedelta
from typing import Any

import case_steps
import indicator_town as town_of
import pytest
from case_parts import WORK
from indicator_town import DAYS, NOW, TRUTH, A, C, figures, march, shares
from ledger_town import alert
from sqlalchemy import delete, update

from contracts.casework import CaseKind, Given
from contracts.periods import read_period
from contracts.topics import Identity
from contracts.words import Verdict
from contracts.workdays import CHINA
from ledger import alerts, cases, officers, results, samplings
from ledger.cases import CaseRow
from ledger.engine import Connection, Engine, LedgerRefused, reading, writing
from ledger.indicators import Figure
from ledger.schema import cases as cases_table
from ledger.schema import devices, establishments, sites
from ledger.schema import samplings as samplings_table
from ledger.sheets.plan import apply_plan, plan_of_rows
from ledger.sheets.retire import bring_back, retire

POSITIVES = [town_of.TESTS[5].result_id, town_of.TESTS[15].result_id]


@pytest.fixture
def city(book: Engine) -> Engine:
    with writing(book) as conn:
        town_of.build(conn)
        town_of.tell(conn)
    return book


def told(city: Engine, name: str, **asked: Any) -> tuple[float, float]:
    with reading(city) as conn:
        found: Figure = figures(conn, **asked)[name]
    return found.part, found.whole


def opened(conn: Connection, result_id: str, by: str = "wang") -> CaseRow:
    officer = officers.get(conn, by)
    assert officer is not None
    return cases.open_from_result(conn, WORK, result_id, officer, march(12))[0]


def moved(conn: Connection, row: CaseRow, move: str, by: str, **given: Any) -> CaseRow:
    officer = officers.get(conn, by)
    assert officer is not None
    return cases.move(
        conn, WORK, row.case_id, move, Given(**given), officer, march(13), version=row.version
    )


def moved_at(conn: Connection, row: CaseRow, move: str, at: datetime, **given: Any) -> CaseRow:
    officer = officers.get(conn, "wang")
    assert officer is not None
    return cases.move(
        conn, WORK, row.case_id, move, Given(**given), officer, at, version=row.version
    )


def reviewed(conn: Connection, row: CaseRow) -> CaseRow:
    row = case_steps.dispose(conn, row, "li", "wang", march(13))
    return case_steps.establish(conn, row, "li", "wang", march(14))


def test_a_positive_is_done_when_its_case_was_reviewed(city: Engine) -> None:
    with writing(city) as conn:
        row = opened(conn, POSITIVES[0])
    assert told(city, "quick_test_disposal") == (0, 2)
    assert told(city, "case_disposal") == (0, 1)
    with writing(city) as conn:
        row = reviewed(conn, row)
    assert row.state == "reviewed"
    assert told(city, "quick_test_disposal") == (1, 2)
    assert told(city, "case_disposal") == (1, 1)


def test_a_cancelled_case_keeps_counting_and_does_nothing_for_its_test(city: Engine) -> None:
    with writing(city) as conn:
        row = moved(conn, opened(conn, POSITIVES[0]), "cancel", "wang", note="误建")
    assert row.state == "cancelled"
    assert told(city, "case_disposal") == (0, 1)
    assert told(city, "quick_test_disposal") == (0, 2)


def test_a_quick_test_is_not_dismissed_without_a_laboratory(city: Engine) -> None:
    with writing(city) as conn:
        row = moved(conn, opened(conn, POSITIVES[0]), "dismiss", "wang", note="误报", second="zhao")
    assert row.state == "not_founded"
    assert told(city, "case_disposal") == (0, 1)
    assert told(city, "quick_test_disposal") == (0, 2)


def test_what_two_officers_dismiss_of_a_scene_is_done(city: Engine) -> None:
    with writing(city) as conn:
        who = Identity(A, "k1", "cam0")
        alert_id, _ = alerts.raise_alert(conn, alert("s", march(3), who=who), march(3))
        officer = officers.get(conn, "wang")
        assert officer is not None
        row, _ = cases.open_from_alert(conn, WORK, alert_id, officer, march(4))
        assert row.kind is CaseKind.SCENE
        moved(conn, row, "dismiss", "wang", note="是猫", second="zhao")
    assert told(city, "case_disposal") == (1, 1)


def test_a_returned_case_is_done_no_more(city: Engine) -> None:
    with writing(city) as conn:
        reviewed(conn, opened(conn, POSITIVES[0]))
    assert told(city, "case_disposal") == (1, 1)
    for state, part in (("disposing", 0), ("annulled", 1), ("withdrawn", 1), ("lead", 0)):
        with writing(city) as conn:
            conn.execute(update(cases_table).values(state=state))
        assert told(city, "case_disposal") == (part, 1), state


def test_a_decision_counts_when_its_publication_falls_due(city: Engine) -> None:
    """Decided on 27 March; 20 working days later is 24 April: Qingming lies between."""
    april = read_period("2026-04")
    with writing(city) as conn:
        row = reviewed(conn, opened(conn, POSITIVES[0]))
        row = case_steps.close(conn, row, "wang", march(27))
    assert told(city, "case_publication") == (0, 0)
    early, late = (datetime(2026, 4, day, 1, tzinfo=CHINA) for day in (24, 28))
    assert told(city, "case_publication", period=april, at=early) == (0, 0)
    assert told(city, "case_publication", period=april, at=late) == (0, 1)
    with writing(city) as conn:
        row = moved_at(conn, row, "publish", late)
    assert told(city, "case_publication", period=april, at=late) == (1, 1)
    # Annulled: it keeps counting, as what it was.
    with writing(city) as conn:
        document = case_steps.add_file(conn, row, "document", "wang", late, b"")
        annulled = {"note": "复议撤销", "files": (document,), "happened_at": late}
        moved_at(conn, row, "annul", late, **annulled)
    assert told(city, "case_publication", period=april, at=late) == (1, 1)
    assert told(city, "case_disposal") == (1, 1)


def test_nothing_that_counts_can_be_deleted(city: Engine) -> None:
    with writing(city) as conn:
        opened(conn, POSITIVES[0])
    for table in (cases_table, samplings_table):
        with pytest.raises(LedgerRefused), writing(city) as conn:
            conn.execute(delete(table))
    for table in (establishments, devices, sites):
        with pytest.raises(LedgerRefused), writing(city) as conn:
            conn.execute(delete(table))


def test_retiring_what_is_blind_changes_nothing_of_the_past(city: Engine) -> None:
    with writing(city) as conn:
        for name in ("k2", "k3", "m3"):
            retire(conn, "establishments", name, "wang", NOW - timedelta(days=1))
    with reading(city) as conn:
        assert shares(figures(conn)) == TRUTH


def test_retiring_within_the_month_leaves_what_was_owed_before(city: Engine) -> None:
    # The blind kitchen is retired before its second lunch: it owed the first, and did not prove it.
    with writing(city) as conn:
        retire(conn, "establishments", "k2", "wang", march(3, 9))
    assert told(city, "kitchens_live") == (2, 4)
    assert told(city, "camera_truth") == (TRUTH["camera_truth"][0], town_of.WHOLE + 8 * 150)


def test_a_camera_that_was_brought_back_owes_what_it_was_in_use_for(city: Engine) -> None:
    """The blind camera is away from the 9th to the 13th, five school days, and once more."""
    part, whole = TRUTH["camera_truth"]
    with writing(city) as conn:
        retire(conn, "devices", "k2/cam0", "wang", march(9, 8))
    assert told(city, "camera_truth") == (part, whole - 150 * sum(d.day >= 9 for d in DAYS))
    with writing(city) as conn:
        bring_back(conn, "devices", "k2/cam0", "wang", march(14, 8))
    assert told(city, "camera_truth") == (part, whole - 5 * 150)
    with writing(city) as conn:
        retire(conn, "devices", "k2/cam0", "wang", march(16, 20))
        bring_back(conn, "devices", "k2/cam0", "wang", march(18, 20))
    assert told(city, "camera_truth") == (part, whole - 7 * 150)
    # Its canteen owed every school day all the same.
    assert told(city, "kitchens_live") == TRUTH["kitchens_live"]


def test_a_camera_is_not_taken_out_of_use_for_lunch(city: Engine) -> None:
    """A lunch that begins or ends while it was in use is owed whole."""
    with writing(city) as conn:
        retire(conn, "devices", "k2/cam0", "wang", march(9, 11))
    whole = TRUTH["camera_truth"][1]
    assert told(city, "camera_truth")[1] == whole - 150 * sum(d.day > 9 for d in DAYS)
    with writing(city) as conn:
        bring_back(conn, "devices", "k2/cam0", "wang", march(10, 12, 59))
    assert told(city, "camera_truth")[1] == whole


def test_what_a_camera_told_while_it_was_away_is_owed(city: Engine) -> None:
    with writing(city) as conn:
        retire(conn, "devices", "k2/cam0", "wang", march(9, 8))
        bring_back(conn, "devices", "k2/cam0", "wang", march(14, 8))
        at = march(10, 13)
        who = Identity(A, "k2", "cam0")
        town_of.camera_meals.add(conn, [town_of.camera_meals.Meal(who, at, 20.0, 30.0, at)])
    part, whole = TRUTH["camera_truth"]
    assert told(city, "camera_truth") == (part + 20, whole - 5 * 150 + 30)


def test_a_camera_that_comes_for_the_last_day_proves_that_day_only(city: Engine) -> None:
    with writing(city) as conn:
        who = Identity(A, "k2", "cam9")
        town_of.devices.add(
            conn,
            town_of.Device(
                who.region, who.site, who.device, town_of.DeviceKind.CAMERA, "新", march(31, 8)
            ),
        )
        meal = town_of.camera_meals.Meal(who, march(31, 13), 150.0, 150.0, march(31, 13))
        town_of.camera_meals.add(conn, [meal])
    assert told(city, "kitchens_live") == (2, 4)


def test_a_meal_of_one_minute_is_no_meal(city: Engine) -> None:
    with writing(city) as conn:
        who = Identity(A, "k2", "cam0")
        for day in town_of.DAYS:
            at = town_of.march(day.day, 13)
            town_of.camera_meals.add(conn, [town_of.camera_meals.Meal(who, at, 999.0, 1.0, at)])
    part, whole = told(city, "camera_truth")
    assert (part, whole) == (TRUTH["camera_truth"][0] + len(town_of.DAYS), TRUTH["camera_truth"][1])
    assert told(city, "kitchens_live") == (2, 4)


def test_an_establishment_that_is_entered_late_is_none_of_the_month(city: Engine) -> None:
    rows = [{"id": "k9", "name": "新食堂", "kind": "canteen", "region": C}]
    with writing(city) as conn:
        apply_plan(conn, plan_of_rows(conn, "establishments", rows), "wang", NOW)
    assert told(city, "kitchens_live") == TRUTH["kitchens_live"]


def test_redating_a_result_into_the_month_is_late_for_it(city: Engine) -> None:
    late = town_of.result(90, A, "m1", Verdict.PASS, march(30), "z1", late=24.0 * 11)
    with writing(city) as conn:
        results.add(conn, [late])
    with reading(city) as conn:
        assert shares(figures(conn)) == TRUTH


def test_quick_tests_never_move_the_sampling_rate(city: Engine) -> None:
    before = told(city, "sampling_rate")
    many = [
        town_of.result(100 + n, A, "m1", Verdict.PASS, march(25, 8, n % 60), f"q{n}")
        for n in range(200)
    ]
    with writing(city) as conn:
        results.add(conn, many)
    assert told(city, "sampling_rate") == before
    assert told(city, "quick_tests")[1] == TRUTH["quick_tests"][1] + 200


SAMPLING = {
    "id": "GZ-1", "region": A, "kind": "supervision", "sampled_at": "2026-03-03 09:00",
    "food": "生菜", "sampled_from": "甲超市", "lab": "江门市检验中心",
}  # fmt: skip


def faults(city: Engine, **cells: str) -> set[tuple[str, str]]:
    with reading(city) as conn:
        plan = plan_of_rows(conn, "samplings", [SAMPLING | cells])
    return {(one.column, one.kind) for one in plan.faults}


def enter(city: Engine, **cells: str) -> None:
    with writing(city) as conn:
        apply_plan(conn, plan_of_rows(conn, "samplings", [SAMPLING | cells]), "wang", NOW)


def test_a_quick_test_is_not_entered_as_a_sampling(city: Engine) -> None:
    assert faults(city) == set()
    assert faults(city, id="a1") == {("id", "quick_test")}
    assert faults(city, report_number="a2") == {("report_number", "quick_test")}
    assert faults(city, lab="m1 点位") == {("lab", "quick_room")}
    assert faults(city, lab="甲镇快检室") == {("lab", "quick_room")}


def test_what_was_said_of_a_sampling_stays(city: Engine) -> None:
    failed = {
        "verdict": "fail", "failed_items": "毒死蜱", "report_number": "R1",
        "reported_at": "2026-03-12 10:00",
    }  # fmt: skip
    enter(city)
    assert faults(city, sampled_at="2026-02-03 09:00") == {("sampled_at", "said")}
    assert faults(city, kind="monitoring") == {("kind", "said")}
    enter(city, **failed)
    assert told(city, "sampling_disposal") == (0, 2)
    assert faults(city, **{**failed, "verdict": "pass"}) == {("verdict", "said")}
    assert ("reported_at", "said") in faults(city, **{**failed, "reported_at": "2026-04-02 10:00"})
    done = failed | {"disposed_at": "2026-03-20 10:00"}
    assert faults(city, **done) == {("disposal_document", "needed")}
    enter(city, **done, disposal_document="江市监处〔2026〕1号")
    assert told(city, "sampling_disposal") == (1, 2)
    # What is dated ahead has not happened.
    enter(city, **done, disposal_document="江市监处〔2026〕1号", published_at="2026-12-01 10:00")
    assert told(city, "sampling_publication") == (0, 2)
    with reading(city) as conn:
        found = samplings.get(conn, "GZ-1")
    assert found is not None and found.verdict == "fail"


def test_only_what_failed_is_disposed_of(city: Engine) -> None:
    passed = {"verdict": "pass", "report_number": "R2", "reported_at": "2026-03-12"}
    wrong = faults(city, **passed, disposed_at="2026-03-13", disposal_document="x")
    assert wrong == {("disposed_at", "not_failed")}
    assert faults(city, verdict="fail") == {("report_number", "needed")}
