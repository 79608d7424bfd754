"""Alerts: one open one per fingerprint, a timeline of what happened, and rules' memory."""

import alert_steps
import pytest
from ledger_town import AT, MARKET, OFFICER, READER, after, alert

from contracts.words import AlertState, Severity
from ledger import alerts, journal, rule_state
from ledger.alerts import AlertConflict, AlertRow
from ledger.engine import Connection, Engine, reading, writing


def _get(conn: Connection, alert_id: str) -> AlertRow:
    row = alerts.get(conn, alert_id)
    assert row is not None
    return row


def test_one_open_alert_per_fingerprint(town: Engine) -> None:
    with writing(town) as conn:
        first, created = alerts.raise_alert(conn, alert(), after(1))
        assert created
        assert alerts.raise_alert(conn, alert(at=after(5), facts={"value": 61}), after(6)) == (
            first,
            False,
        )
        other, created = alerts.raise_alert(conn, alert("f2"))
        assert created and other != first
        row = _get(conn, first)
        assert (row.count, row.state, row.establishment_id) == (2, AlertState.FIRING, MARKET)
        assert (row.raised_at, row.changed_at, row.last_event_at) == (AT, after(6), after(5))
        # Facts stay those that raised it; the timeline has the later ones.
        assert row.facts == {"value": 50.0, "limit": "< 50 %", "依据": "GB/T 5009.199"}
        raised, again = alerts.timeline(conn, first)
        assert (raised.kind, again.kind) == ("raised", "again")
        assert again.body["facts"] == {"value": 61}
        # An event that is older than the newest one does not turn the clock back.
        alerts.raise_alert(conn, alert(at=after(2)), after(7))
        assert _get(conn, first).last_event_at == after(5)


def test_a_life(town: Engine) -> None:
    with writing(town) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert())
        assert alerts.acknowledge(conn, alert_id, OFFICER, after(10))
        assert not alerts.acknowledge(conn, alert_id, OFFICER, after(11))
        assert alerts.resolve(conn, "f1", after(20), "复检合格")
        assert not alerts.resolve(conn, alert_id, after(21))
        alert_steps.review(conn, alert_id, OFFICER, after(25))
        assert alerts.close(conn, alert_id, OFFICER, after(30), "已下架")
        assert not alerts.close(conn, alert_id, OFFICER, after(31))
        row = _get(conn, alert_id)
        assert row.state is AlertState.CLOSED
        assert (row.acknowledged_at, row.acknowledged_by) == (after(10), OFFICER)
        assert (row.resolved_at, row.closed_at, row.close_note) == (after(20), after(30), "已下架")
        told = [(entry.kind, entry.actor, entry.note) for entry in alerts.timeline(conn, alert_id)]
        assert told == [
            ("raised", "", ""),
            ("acknowledged", OFFICER, ""),
            ("resolved", "", "复检合格"),
            ("disposing", OFFICER, "已处置"),
            ("reviewed", alert_steps.REVIEWER, ""),
            ("closed", OFFICER, "已下架"),
        ]
        noted = journal.after(conn, 0)
        assert [row.kind for row in noted] == [
            "alert.raised",
            "alert.acknowledged",
            "alert.resolved",
            "alert.disposing",
            "alert.reviewed",
            "alert.closed",
        ]
        assert noted[-1].body["state"] == "closed" and noted[-1].ref == alert_id
        # Closed is closed: the same fingerprint is a new alert.
        assert alerts.raise_alert(conn, alert(at=after(40)))[1]


def test_what_was_resolved_fires_again_and_asks_to_be_acknowledged_again(town: Engine) -> None:
    with writing(town) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert())
        alerts.acknowledge(conn, alert_id, OFFICER, after(10))
        alerts.resolve(conn, alert_id, after(20))
        assert alerts.raise_alert(conn, alert(at=after(30))) == (alert_id, False)
        row = _get(conn, alert_id)
        assert (row.state, row.acknowledged_at, row.acknowledged_by, row.resolved_at) == (
            AlertState.FIRING,
            None,
            None,
            None,
        )
        assert alerts.timeline(conn, alert_id)[-1].kind == "reopened"
        assert alerts.acknowledge(conn, alert_id, OFFICER, after(31))


def test_a_resolved_one_can_be_acknowledged_and_stays_resolved(town: Engine) -> None:
    with writing(town) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert())
        alerts.resolve(conn, alert_id, after(1))
        assert alerts.acknowledge(conn, alert_id, OFFICER, after(2))
        row = _get(conn, alert_id)
        assert (row.state, row.acknowledged_by) == (AlertState.RESOLVED, OFFICER)


def test_what_cannot_be_asked(town: Engine) -> None:
    with writing(town) as conn:
        assert not alerts.resolve(conn, "nothing", AT)
        for ask in (alerts.acknowledge, alerts.close):
            with pytest.raises(AlertConflict, match="there is no alert 'nothing'"):
                ask(conn, "nothing", OFFICER, AT)
        alert_id, _ = alerts.raise_alert(conn, alert())
        alert_steps.close(conn, alert_id, OFFICER, AT)
        with pytest.raises(AlertConflict, match="is closed"):
            alerts.acknowledge(conn, alert_id, OFFICER, AT)


def test_lists_pages_and_counts(town: Engine) -> None:
    with writing(town) as conn:
        ids = [
            alerts.raise_alert(
                conn, alert(f"f{n}", after(n // 2), severity=Severity(1 + n % 2), rule=f"r{n}")
            )[0]
            for n in range(5)
        ]
        alerts.acknowledge(conn, ids[0], OFFICER, after(9))
        everywhere = [READER.region]
        seen: list[str] = []
        before: str | None = None
        while page := alerts.list_in(conn, everywhere, None, 2, before):
            seen += [row.alert_id for row in page]
            before = page[-1].alert_id
        assert seen == ids[::-1]
        firing = alerts.list_in(conn, everywhere, [AlertState.FIRING])
        assert [row.alert_id for row in firing] == ids[:0:-1]
        assert alerts.list_in(conn, ["440705"]) == []
        assert alerts.list_in(conn, []) == []
        assert len(alerts.list_in(conn, None, establishment_id=MARKET)) == 5
        counted = {(c.severity, c.state): c.count for c in alerts.counts(conn, everywhere)}
        assert counted == {
            (Severity.AT_ONCE, AlertState.FIRING): 2,
            (Severity.AT_ONCE, AlertState.ACKNOWLEDGED): 1,
            (Severity.DEADLINE, AlertState.FIRING): 2,
        }
        assert alerts.counts(conn, ["440705"]) == []


def test_rules_remember_by_series(town: Engine) -> None:
    keys = [("cold", "/r/s/probe"), ("cold", "/r/s/b"), ("silent", "/r/s/probe")]
    with writing(town) as conn:
        assert rule_state.get(conn, keys) == {key: {} for key in keys}
        rule_state.put(conn, {keys[0]: {"since": "x", "high": True}, keys[2]: {"n": 1.5}}, AT)
        rule_state.put(conn, {keys[2]: {"n": 2}}, after(1))
        rule_state.put(conn, {}, AT)
    with reading(town) as conn:
        found = rule_state.get(conn, keys, lock=False)
        assert found == {keys[0]: {"since": "x", "high": True}, keys[1]: {}, keys[2]: {"n": 2}}
        assert rule_state.series_of(conn, "cold")["/r/s/probe"] == {"since": "x", "high": True}


def test_an_alert_rolled_back_leaves_no_trace(town: Engine) -> None:
    class Enough(Exception):
        pass

    with pytest.raises(Enough), writing(town) as conn:
        alerts.raise_alert(conn, alert())
        raise Enough
    with writing(town) as conn:
        with pytest.raises(Enough), conn.begin_nested():
            alerts.raise_alert(conn, alert("lost"))
            raise Enough
        alerts.raise_alert(conn, alert("kept"))
        with conn.begin_nested():
            alerts.raise_alert(conn, alert("kept too"))
    with reading(town) as conn:
        assert [row.body["fingerprint"] for row in journal.after(conn, 0)] == ["kept", "kept too"]
