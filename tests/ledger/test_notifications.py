"""Notifications: made once, taken by one, taken back when the alert is acknowledged or closed."""

from typing import Any

import alert_steps
from ledger_town import OFFICER, after, alert

from contracts.notices import Part, compose
from contracts.words import Severity
from ledger import alerts, notifications
from ledger.engine import Connection, Engine, reading, writing
from ledger.notifications import NewNotification, NotificationRow


def _part(alert_id: str) -> Part:
    return Part(alert_id, f"题{alert_id}", f"title {alert_id}", f"行{alert_id}", f"line {alert_id}")


def _new(dedupe: str = "d1", *alert_ids: str, **changes: Any) -> NewNotification:
    parts = tuple(_part(one) for one in alert_ids)
    said = compose(parts or (_part("x"),))
    told = {
        "dedupe": dedupe,
        "kind": "alert",
        "severity": Severity.DEADLINE,
        "recipient": OFFICER,
        "title_zh": said.title_zh,
        "title_en": said.title_en,
        "body_zh": said.body_zh,
        "body_en": said.body_en,
        "alert_ids": alert_ids,
        "parts": parts,
    }
    return NewNotification(**(told | changes))


def _states(conn: Connection) -> dict[str, str]:
    return {row.dedupe: row.state for row in notifications.list(conn)}


def _by_key(conn: Connection, dedupe: str) -> NotificationRow:
    (row,) = [row for row in notifications.list(conn) if row.dedupe == dedupe]
    return row


def test_a_key_makes_one_row(town: Engine) -> None:
    with writing(town) as conn:
        made = notifications.enqueue(conn, [_new("a"), _new("b")], after(0))
        assert sorted(made) == ["a", "b"]
        again = notifications.enqueue(conn, [_new("a", title_zh="别的"), _new("c")], after(5))
        assert sorted(again) == ["c"]
        assert _by_key(conn, "a").created_at == after(0)
        assert notifications.enqueue(conn, [], after(6)) == {}


def test_taken_by_one_gravest_first_and_again_when_the_lease_ran_out(town: Engine) -> None:
    with writing(town) as conn:
        notifications.enqueue(conn, [_new("late")], after(0), due_at=after(90))
        notifications.enqueue(conn, [_new("a"), _new("grave", severity=Severity.AT_ONCE)], after(1))
        notifications.enqueue(conn, [_new("held", hold="day", reason="budget")], after(2))
        taken = notifications.take_due(conn, "one", 10, after(3), lease_s=60)
        assert [row.dedupe for row in taken] == ["grave", "a"]
        assert notifications.take_due(conn, "two", 10, after(4)) == []
        assert notifications.next_due(conn) == after(90)
        assert notifications.sent(conn, taken[0].id, "one", after(5), "sms")
        again = notifications.take_due(conn, "two", 10, after(70))
        assert [(row.dedupe, row.attempts) for row in again] == [("a", 2)]
        assert not notifications.sent(conn, taken[1].id, "one", after(71), "sms")
        assert notifications.retry_at(conn, again[0].id, "two", after(72), after(100), "busy")
        assert not notifications.failed(conn, again[0].id, "two", after(73), "lease is gone")
        last = notifications.take_due(conn, "two", 10, after(100))
        assert [row.dedupe for row in last] == ["late", "a"]
        assert notifications.failed(conn, last[0].id, "two", after(101), "no such number")
        assert notifications.held(conn, last[1].id, "two", after(101), "quiet hours")
        assert _states(conn) == {"grave": "sent", "late": "failed", "a": "held", "held": "held"}
        assert notifications.counts(conn, after(0))[-1].channel == "sms"


def test_acknowledging_takes_back_what_waits(town: Engine) -> None:
    with writing(town) as conn:
        one, _ = alerts.raise_alert(conn, alert("f1"))
        two, _ = alerts.raise_alert(conn, alert("f2"))
        new = [
            _new("alone", one),
            _new("both", one, two),
            _new("held", one, hold="storm", reason="storm"),
            _new("notice", one, kind="notice"),
            _new("other", two),
        ]
        notifications.enqueue(conn, new, after(0))
        alerts.acknowledge(conn, one, OFFICER, after(1))
        assert _states(conn) == {
            "alone": "cancelled",
            "both": "queued",
            "held": "cancelled",
            "notice": "queued",
            "other": "queued",
        }
        both = _by_key(conn, "both")
        assert (both.alert_ids, both.title_en) == ((two,), f"title {two}")
        assert both.body_zh == f"行{two}"
        alert_steps.close(conn, two, OFFICER, after(2))
        assert _states(conn)["both"] == _states(conn)["other"] == "cancelled"
        assert _by_key(conn, "other").reason == "acknowledged"
    with reading(town) as conn:
        assert [row.dedupe for row in notifications.list(conn, alert_id=two)] == ["other", "both"]


def test_what_is_being_sent_is_not_tried_again(town: Engine) -> None:
    with writing(town) as conn:
        one, _ = alerts.raise_alert(conn, alert("f1"))
        notifications.enqueue(conn, [_new("a", one), _new("b", one), _new("c", one)], after(0))
        a, b, _ = notifications.take_due(conn, "s", 3, after(1), lease_s=60)
        alerts.acknowledge(conn, one, OFFICER, after(2))
        assert _states(conn) == {"a": "sending", "b": "sending", "c": "sending"}
        assert notifications.sent(conn, a.id, "s", after(3), "sms")
        assert notifications.retry_at(conn, b.id, "s", after(3), after(9), "busy")
        assert notifications.take_due(conn, "s", 3, after(99)) == []
        assert _states(conn) == {"a": "sent", "b": "cancelled", "c": "cancelled"}
        assert _by_key(conn, "c").reason == "acknowledged"


def test_the_journal_is_read_by_officer_day_and_page(town: Engine) -> None:
    with writing(town) as conn:
        for number in range(5):
            new = _new(f"d{number}", recipient="a" if number % 2 else "b", region=f"r{number}")
            notifications.enqueue(conn, [new], after(number))
        keys = lambda **by: [row.dedupe for row in notifications.list(conn, **by)]  # noqa: E731
        assert keys(recipient="a") == ["d3", "d1"]
        assert keys(since=after(1), until=after(3)) == ["d2", "d1"]
        assert keys(regions=["r0", "r4"], states=["queued"]) == ["d4", "d0"]
        page = notifications.list(conn, limit=2)
        assert keys(limit=2, before=page[-1].id) == ["d2", "d1"]
