"""An alert's life: every move from every state, by whom, and what timeline and journal say."""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_town import AT, OFFICER, after, alert

from contracts.words import AlertState, Severity
from ledger import alerts, journal, officers
from ledger.alert_life import CLOSES_FROM, Move, moves
from ledger.alerts import AlertConflict, AlertRow
from ledger.engine import Connection, Engine, writing
from ledger.officers import Officer, Role
from ledger.schema import alerts as alerts_table

WANG = "officer-wang"
Step = Callable[[Connection, str, str, datetime], bool]
STEPS: dict[str, Step] = {
    "acknowledge": alerts.acknowledge,
    "dispose": lambda conn, one, who, at: alerts.dispose(conn, one, who, at, "已整改"),
    "review": lambda conn, one, who, at: alerts.review(conn, one, who, at, "属实"),
    "return": lambda conn, one, who, at: alerts.review(conn, one, who, at, "重做", accepted=False),
    "close": alerts.close,
    "pause": lambda conn, one, who, at: alerts.pause(conn, one, who, at, "申诉"),
    "resume": alerts.resume,
    "resolve": lambda conn, one, who, at: alerts.resolve(conn, one, at),
    "raise": lambda conn, one, who, at: alerts.raise_alert(conn, alert(), at)[1] is True,
}
WAYS: dict[AlertState, list[str]] = {
    AlertState.FIRING: [],
    AlertState.ACKNOWLEDGED: ["acknowledge"],
    AlertState.DISPOSING: ["acknowledge", "dispose"],
    AlertState.REVIEWED: ["acknowledge", "dispose", "review"],
    AlertState.RESOLVED: ["resolve"],
    AlertState.CLOSED: ["acknowledge", "dispose", "review", "close"],
}
OFFICERS = {"review": WANG, "return": WANG}
"""Who does it: the second officer what the first may not."""


@pytest.fixture
def life(town: Engine) -> Engine:
    with writing(town) as conn:
        officers.add(conn, Officer("wang", "王芳", Role.COUNTY, "440703", id=WANG))
    return town


def _get(conn: Connection, alert_id: str) -> AlertRow:
    row = alerts.get(conn, alert_id)
    assert row is not None
    return row


def _at(conn: Connection, state: AlertState, severity: int = 1) -> str:
    alert_id, _ = alerts.raise_alert(conn, alert(severity=Severity(severity)))
    for n, step in enumerate(WAYS[state]):
        assert STEPS[step](conn, alert_id, OFFICERS.get(step, OFFICER), after(n + 1))
    assert _get(conn, alert_id).state is state
    return alert_id


ALREADY, NO = False, None
EXPECTED: dict[str, dict[AlertState, AlertState | bool | None]] = {
    "acknowledge": {
        AlertState.FIRING: AlertState.ACKNOWLEDGED,
        AlertState.ACKNOWLEDGED: ALREADY,
        AlertState.DISPOSING: ALREADY,
        AlertState.REVIEWED: ALREADY,
        AlertState.RESOLVED: AlertState.RESOLVED,
        AlertState.CLOSED: NO,
    },
    "dispose": {
        AlertState.FIRING: NO,
        AlertState.ACKNOWLEDGED: AlertState.DISPOSING,
        AlertState.DISPOSING: ALREADY,
        AlertState.REVIEWED: NO,
        AlertState.RESOLVED: NO,
        AlertState.CLOSED: NO,
    },
    "review": {
        AlertState.FIRING: NO,
        AlertState.ACKNOWLEDGED: NO,
        AlertState.DISPOSING: AlertState.REVIEWED,
        AlertState.REVIEWED: ALREADY,
        AlertState.RESOLVED: NO,
        AlertState.CLOSED: NO,
    },
    "return": {
        AlertState.FIRING: NO,
        AlertState.ACKNOWLEDGED: NO,
        AlertState.DISPOSING: AlertState.ACKNOWLEDGED,
        AlertState.REVIEWED: NO,
        AlertState.RESOLVED: NO,
        AlertState.CLOSED: NO,
    },
    "close": {
        AlertState.FIRING: NO,
        AlertState.ACKNOWLEDGED: NO,
        AlertState.DISPOSING: NO,
        AlertState.REVIEWED: AlertState.CLOSED,
        AlertState.RESOLVED: NO,
        AlertState.CLOSED: ALREADY,
    },
    "resolve": {
        AlertState.FIRING: AlertState.RESOLVED,
        AlertState.ACKNOWLEDGED: AlertState.RESOLVED,
        AlertState.DISPOSING: AlertState.DISPOSING,
        AlertState.REVIEWED: AlertState.REVIEWED,
        AlertState.RESOLVED: ALREADY,
        AlertState.CLOSED: ALREADY,
    },
    "raise": {
        AlertState.FIRING: ALREADY,
        AlertState.ACKNOWLEDGED: ALREADY,
        AlertState.DISPOSING: ALREADY,
        AlertState.REVIEWED: AlertState.FIRING,
        AlertState.RESOLVED: AlertState.FIRING,
        AlertState.CLOSED: AlertState.CLOSED,  # it stays closed; what was raised is another one
    },
    "pause": {state: NO if state is AlertState.CLOSED else state for state in AlertState},
    "resume": {state: NO if state is AlertState.CLOSED else ALREADY for state in AlertState},
}


@pytest.mark.parametrize("step", STEPS)
def test_every_move_from_every_state_of_class_1(life: Engine, step: str) -> None:
    for state, expected in EXPECTED[step].items():
        with writing(life) as conn:
            alert_id = _at(conn, state)
            before = _get(conn, alert_id)
            told = journal.last_id(conn)
            who = OFFICERS.get(step, OFFICER)
            if expected is NO:
                with pytest.raises(AlertConflict, match=f"alert {alert_id} "):
                    STEPS[step](conn, alert_id, who, after(60))
                assert (_get(conn, alert_id), journal.last_id(conn)) == (before, told)
            else:
                changed = STEPS[step](conn, alert_id, who, after(60))
                now = _get(conn, alert_id)
                if expected is ALREADY:
                    assert not changed and now.state is state
                    assert step == "raise" or journal.last_id(conn) == told, "no change, no news"
                else:
                    assert now.state is expected
            if step in ("acknowledge", "dispose", "review", "close", "pause"):
                offered = Move(step) in moves(before, who)
                assert offered == (expected not in (ALREADY, NO)), f"{step} from {state}"
            # Every alert of this test has the same fingerprint.
            conn.execute(
                alerts_table.update()
                .where(alerts_table.c.alert_id == alert_id)
                .values(fingerprint=alert_id)
            )


def test_who_disposed_of_it_cannot_review_it(life: Engine) -> None:
    with writing(life) as conn:
        alert_id = _at(conn, AlertState.DISPOSING)
        row = _get(conn, alert_id)
        assert Move.REVIEW not in moves(row, OFFICER) and Move.REVIEW in moves(row, WANG)
        with pytest.raises(AlertConflict, match="reviewed by another officer"):
            alerts.review(conn, alert_id, OFFICER, AT)


@pytest.mark.parametrize("severity", list(Severity))
def test_which_class_may_be_closed_from_where(life: Engine, severity: Severity) -> None:
    for state in WAYS:
        if state is AlertState.CLOSED:
            continue
        with writing(life) as conn:
            alert_id = _at(conn, state, severity)
            row = _get(conn, alert_id)
            may = state in CLOSES_FROM[severity]
            assert (Move.CLOSE in moves(row)) == may
            if may:
                assert alerts.close(conn, alert_id, OFFICER, after(9), "好")
            else:
                with pytest.raises(AlertConflict, match=f"is {state}"):
                    alerts.close(conn, alert_id, OFFICER, after(9), "好")
            renamed = alerts_table.update().where(alerts_table.c.alert_id == alert_id)
            conn.execute(renamed.values(fingerprint=alert_id))


def test_a_whole_life_with_a_return_an_appeal_and_what_the_data_say(life: Engine) -> None:
    with writing(life) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert())
        alerts.acknowledge(conn, alert_id, OFFICER, after(10))
        alerts.pause(conn, alert_id, OFFICER, after(20), "申诉：是猫")
        alerts.resume(conn, alert_id, WANG, after(50), "不成立")
        alerts.dispose(conn, alert_id, OFFICER, after(60), "已灭鼠")
        alerts.review(conn, alert_id, WANG, after(70), "缺照片", accepted=False)
        row = _get(conn, alert_id)
        assert (row.state, row.disposed_at, row.paused_s) == (AlertState.ACKNOWLEDGED, None, 30.0)
        alerts.resolve(conn, alert_id, after(75))
        alerts.dispose(conn, alert_id, OFFICER, after(80), "照片已补")
        assert _get(conn, alert_id).resolved_at == after(75)
        alerts.review(conn, alert_id, WANG, after(90), "合格")
        alerts.close(conn, alert_id, WANG, after(100), "办结")
        row = _get(conn, alert_id)
        assert (row.disposed_by, row.reviewed_by, row.closed_by) == (OFFICER, WANG, WANG)
        told = [(one.kind, one.actor, one.note) for one in alerts.timeline(conn, alert_id)]
        assert told == [
            ("raised", "", ""),
            ("acknowledged", OFFICER, ""),
            ("paused", OFFICER, "申诉：是猫"),
            ("resumed", WANG, "不成立"),
            ("disposing", OFFICER, "已灭鼠"),
            ("returned", WANG, "缺照片"),
            ("resolved", "", ""),
            ("disposing", OFFICER, "照片已补"),
            ("reviewed", WANG, "合格"),
            ("closed", WANG, "办结"),
        ]
        rows = journal.after(conn, 0)
        assert [one.kind for one in rows] == [f"alert.{kind}" for kind, _, _ in told]
        assert rows[-1].body["reviewed_by"] == WANG and rows[-1].body["event"] == "closed"


def test_what_fires_again_after_its_review_begins_anew(life: Engine) -> None:
    with writing(life) as conn:
        alert_id = _at(conn, AlertState.REVIEWED)
        alerts.pause(conn, alert_id, OFFICER, after(10), "申诉")
        again, created = alerts.raise_alert(conn, alert(), after(30))
        assert (again, created) == (alert_id, False)
        row = _get(conn, alert_id)
        assert (row.state, row.count, row.level) == (AlertState.FIRING, 2, 0)
        assert row.paused_since is None
        assert (row.acknowledged_by, row.disposed_by, row.reviewed_by) == (None, None, None)
        assert alerts.timeline(conn, alert_id)[-1].kind == "reopened"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.booleans()), max_size=12))
def test_no_order_of_moves_skips_a_step(life: Engine, steps: list[tuple[str, bool]]) -> None:
    with writing(life) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert())
        for n, (step, first) in enumerate(steps):
            before = _get(conn, alert_id)
            try:
                STEPS[step](conn, alert_id, OFFICER if first else WANG, after(n))
            except AlertConflict:
                assert _get(conn, alert_id) == before
        row = _get(conn, alert_id)
        if row.state is AlertState.CLOSED:  # class 1
            assert row.reviewed_at and row.reviewed_by != row.disposed_by
        if row.state in (AlertState.DISPOSING, AlertState.REVIEWED):
            assert row.acknowledged_at and row.disposed_at
        conn.execute(
            alerts_table.update()
            .where(alerts_table.c.fingerprint == "f1")
            .values(fingerprint=alerts_table.c.alert_id)
        )
