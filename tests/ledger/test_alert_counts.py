"""Counts by class and state: what is kept from earlier says the same as counting all again."""

from collections import Counter
from pathlib import Path

import alert_steps
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_town import OFFICER, READER, after, alert

from contracts.words import OPEN_STATES, Severity
from ledger import alert_counts, alerts
from ledger.engine import Engine, open_engine, reading, writing

HERE = [READER.region, "440703"]


def counted_again(engine: Engine) -> Counter[tuple[Severity, str]]:
    with reading(engine) as conn:
        rows = alerts.list_in(conn, None, None, 10_000)
    return Counter((row.severity, row.state.value) for row in rows)


def as_told(engine: Engine) -> Counter[tuple[Severity, str]]:
    with reading(engine) as conn:
        told = alerts.counts(conn, HERE)
    assert len({(one.severity, one.state) for one in told}) == len(told)
    return Counter({(one.severity, one.state.value): one.count for one in told})


STEPS = st.lists(st.sampled_from(["raise1", "raise2", "raise3", "close", "look"]), max_size=40)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_what_is_kept_never_goes_wrong(
    town: Engine, monkeypatch: pytest.MonkeyPatch, steps: list[str]
) -> None:
    monkeypatch.setattr(alert_counts, "UNSURE", 3)
    monkeypatch.setattr(alert_counts, "STEP", 2)
    for number, step in enumerate(steps):
        with writing(town) as conn:
            if step == "close":
                oldest = alerts.list_in(conn, HERE, OPEN_STATES, 10_000)[-1:]
                for row in oldest:
                    alert_steps.close(conn, row.alert_id, OFFICER, after(number))
            elif step != "look":
                severity = Severity(int(step[-1]))
                alerts.raise_alert(conn, alert(f"f{number}", after(number), severity=severity))
        if step == "look":
            assert as_told(town) == counted_again(town)
    assert as_told(town) == counted_again(town)


def test_a_ledger_put_back_from_an_older_copy_is_counted_anew(
    town: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_counts, "UNSURE", 0)
    with writing(town) as conn:
        for number in range(5):
            alerts.raise_alert(conn, alert(f"f{number}", after(number)))
    assert as_told(town).total() == 5
    with writing(town) as conn:
        conn.exec_driver_sql("DELETE FROM alert_timeline")
        conn.exec_driver_sql("DELETE FROM alerts WHERE fingerprint <> 'f0'")
    assert as_told(town) == counted_again(town)


def test_the_rules_of_a_region(town: Engine) -> None:
    with writing(town) as conn:
        for rule in ("warm", "hat", "warm"):
            alerts.raise_alert(conn, alert(f"{rule}|1", rule=rule))
        assert alert_counts.rules_in(conn, HERE) == ["hat", "warm"]
        assert alert_counts.rules_in(conn, ["440705"]) == []


def test_ledgers_are_kept_apart(tmp_path: Path, town: Engine) -> None:
    with writing(town) as conn:
        alerts.raise_alert(conn, alert())
    other = open_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with writing(other) as conn:
        alert_counts.alerts.metadata.create_all(conn)
        assert alerts.counts(conn, HERE) == []
    other.dispose()
    assert as_told(town).total() == 1
