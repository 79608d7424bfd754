"""Officers' verdicts: one stands, the others are history, nothing else moves."""

import threading

import pytest
from ledger_town import OFFICER, after, alert

from contracts.words import AlertState, AlertVerdict
from ledger import alerts, journal, verdicts
from ledger.alerts import AlertConflict
from ledger.engine import Engine, LedgerRefused, reading, writing

TRUE, FALSE, UNSURE = AlertVerdict.TRUE, AlertVerdict.FALSE, AlertVerdict.UNSURE


def test_a_changed_verdict_stands_and_the_one_before_is_history(town: Engine) -> None:
    with writing(town) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert())
        assert verdicts.standing(conn, alert_id) is None
        assert verdicts.give(conn, alert_id, OFFICER, TRUE, after(10))
        assert verdicts.give(conn, alert_id, OFFICER, FALSE, after(20), cause="cat", note="橘猫")
        assert not verdicts.give(
            conn, alert_id, OFFICER, FALSE, after(25), cause="cat", note="橘猫"
        )
        assert verdicts.give(conn, alert_id, OFFICER, UNSURE, after(30))
        told = verdicts.history(conn, alert_id)
        assert [(one.verdict, one.cause, one.note, one.superseded_at) for one in told] == [
            (TRUE, "", "", after(20)),
            (FALSE, "cat", "橘猫", after(30)),
            (UNSURE, "", "", None),
        ]
        assert verdicts.standing(conn, alert_id) == told[-1]
        assert verdicts.standing_on(conn, [alert_id, "none"]) == {alert_id: told[-1]}
        entries = alerts.timeline(conn, alert_id)
        assert [(one.kind, one.actor, one.body.get("verdict")) for one in entries] == [
            ("raised", "", None),
            ("judged", OFFICER, "true"),
            ("judged", OFFICER, "false"),
            ("judged", OFFICER, "unsure"),
        ]
        # What was said changes nothing else, and the journal carries the alert as it stands.
        row = alerts.get(conn, alert_id)
        assert row is not None and row.state is AlertState.FIRING
        noted = journal.after(conn, 0)
        assert [one.kind for one in noted] == ["alert.raised"] + 3 * ["alert.judged"]
        assert noted[-1].body["event"] == "judged" and noted[-1].body["alert_id"] == alert_id


def test_what_cannot_be_said(town: Engine) -> None:
    with writing(town) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert())
        with pytest.raises(AlertConflict, match="no alert 'none'"):
            verdicts.give(conn, "none", OFFICER, TRUE, after(1))
        with pytest.raises(AlertConflict, match="no cause"):
            verdicts.give(conn, alert_id, OFFICER, TRUE, after(1), cause="cat")
        assert verdicts.history(conn, alert_id) == []
    with pytest.raises(LedgerRefused), writing(town) as conn:
        verdicts.give(conn, alert_id, "nobody", TRUE, after(1))


def test_two_who_judge_at_once_leave_one_standing(town: Engine) -> None:
    with writing(town) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert())
    start = threading.Barrier(4)

    def judge(number: int) -> None:
        start.wait(10)
        with writing(town) as conn:
            verdicts.give(conn, alert_id, OFFICER, FALSE, after(number), note=str(number))

    threads = [threading.Thread(target=judge, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    with reading(town) as conn:
        told = verdicts.history(conn, alert_id)
        assert len(told) == 4
        assert [one.superseded_at is None for one in told] == [False, False, False, True]
