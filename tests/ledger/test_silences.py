"""Silences and rule modes: what they fit, what is refused, what one would have hidden."""

from datetime import timedelta
from typing import Any

import pytest
from ledger_town import AT, MARKET, OFFICER, after, alert
from msgspec.structs import replace

from contracts.words import Severity
from ledger import alerts, journal, rule_modes, silences
from ledger.engine import Engine, LedgerRefused, reading, writing
from ledger.rule_modes import RuleMode
from ledger.silences import Matchers, Silence, SilenceRefused

ABOVE = ("440703", "440700")


def _silence(**changes: Any) -> Silence:
    told = {
        "matchers": Matchers(rule="cold_*"),
        "starts_at": AT,
        "ends_at": after(3600),
        "reason": "检修",
        "author": OFFICER,
        "created_at": AT,
    }
    return Silence(**(told | changes))


@pytest.fixture
def row(town: Engine) -> alerts.AlertRow:
    with writing(town) as conn:
        new = alert(rule="cold_store_warm", severity=Severity.DEADLINE)
        found = alerts.get(conn, alerts.raise_alert(conn, new)[0])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("matchers", "fits"),
    [
        (Matchers(rule="cold_store_warm"), True),
        (Matchers(rule="cold_*", severity=(Severity.DEADLINE,)), True),
        (Matchers(rule="cold"), False),
        (Matchers(severity=(Severity.GUIDANCE,)), False),
        (Matchers(site="pj-market-1", device="reader-*"), True),
        (Matchers(site="pj-market"), False),
        (Matchers(device="reader-2"), False),
        (Matchers(establishment=MARKET), True),
        (Matchers(establishment="other"), False),
        (Matchers(region="440703-tangxia"), True),
        (Matchers(region="440703"), True),
        (Matchers(region="440703-tang"), False),
        (Matchers(region="440700"), True),
        (Matchers(region="440705"), False),
    ],
)
def test_all_that_is_given_must_fit(row: alerts.AlertRow, matchers: Matchers, fits: bool) -> None:
    assert matchers.fit(row, ABOVE) is fits


def test_it_hides_from_its_beginning_to_its_end_and_never_class_1(row: alerts.AlertRow) -> None:
    silence = _silence()
    assert not silence.hides(row, AT - timedelta(microseconds=1))
    assert silence.hides(row, AT) and silence.hides(row, after(3599.99))
    assert not silence.hides(row, after(3600))
    grave = _grave(row)
    assert not silence.hides(grave, after(1))
    assert _silence(kind="maintenance", includes_class_1=True).hides(grave, after(1))


def _grave(row: alerts.AlertRow) -> alerts.AlertRow:
    return replace(row, severity=Severity.AT_ONCE)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"matchers": Matchers()}, "every alert"),
        ({"reason": "  "}, "reason"),
        ({"ends_at": AT}, "end after"),
        ({"starts_at": after(-7200), "ends_at": after(-3600)}, "past"),
        ({"includes_class_1": True}, "never silenced"),
        ({"matchers": Matchers(severity=(Severity.AT_ONCE,))}, "never silenced"),
    ],
)
def test_what_must_not_be_is_refused(town: Engine, changes: dict[str, Any], why: str) -> None:
    with writing(town) as conn, pytest.raises(SilenceRefused, match=why):
        silences.add(conn, _silence(**changes))


def test_an_author_is_an_officer(town: Engine) -> None:
    with pytest.raises(LedgerRefused), writing(town) as conn:
        silences.add(conn, _silence(author="nobody"))


def test_a_life_of_one(town: Engine) -> None:
    soon = _silence(id="soon", starts_at=after(60), ends_at=after(120))
    grave = _silence(id="grave", kind="maintenance", includes_class_1=True)
    with writing(town) as conn:
        silences.add(conn, soon)
        silences.add(conn, grave)
        assert [one.id for one in silences.active(conn, after(30))] == ["grave"]
        assert [one.id for one in silences.active(conn, after(60))] == ["soon", "grave"]
        assert silences.get(conn, "soon") == soon
        due = lambda at: [one.id for one in silences.untold(conn, after(at), after(at + 30))]  # noqa: E731
        assert due(0) == ["grave"]
        silences.mark_told(conn, "grave", "city_told_at", after(0))
        assert due(0) == [] and due(90) == ["soon"]
        silences.mark_told(conn, "soon", "ending_told_at", after(90))
        assert due(91) == [] and due(120) == ["soon"]
        silences.mark_told(conn, "soon", "expired_told_at", after(120))
        assert due(121) == []
        assert silences.end(conn, "grave", after(130))
        assert not silences.end(conn, "grave", after(131))
        assert silences.list_all(conn, after(131)) == []
        assert [one.id for one in silences.list_all(conn, after(131), ended=True)] == [
            "grave",
            "soon",
        ]
        noted = [(one.kind, one.ref) for one in journal.after(conn, 0)]
        assert noted == [("silence", "soon"), ("silence", "grave"), ("silence", "grave")]


def test_a_preview_says_what_it_would_have_hidden(town: Engine) -> None:
    with writing(town) as conn:
        for number, (rule, severity) in enumerate([("cold_a", 2), ("hot_b", 2), ("cold_c", 1)]):
            new = alert(f"f{number}", after(number), rule=rule, severity=Severity(severity))
            alerts.raise_alert(conn, new)
    with reading(town) as conn:
        rules = lambda matchers, **how: [  # noqa: E731
            one.rule for one in silences.preview(conn, matchers, AT, after(60), **how)
        ]
        assert rules(Matchers(rule="cold_*")) == ["cold_a"]
        assert rules(Matchers(region="440700")) == ["hot_b", "cold_a"]
        assert rules(Matchers(region="440700"), includes_class_1=True, limit=2) == [
            "cold_c",
            "hot_b",
        ]
        assert rules(Matchers(region="440705", rule="*")) == []


def test_a_rule_goes_to_the_digest_for_a_place_and_a_time(
    town: Engine, row: alerts.AlertRow
) -> None:
    mode = RuleMode(
        id="m1",
        rule="cold_store_warm",
        region="440703",
        starts_at=AT,
        until=after(60),
        author=OFFICER,
        reason="误报多",
        created_at=AT,
    )
    with writing(town) as conn:
        rule_modes.add(conn, mode)
        known = rule_modes.active(conn, after(1))
        assert known == [mode]
        assert rule_modes.mode_of(known, row, after(1), ABOVE) == mode
        assert rule_modes.mode_of(known, _grave(row), after(1), ABOVE) is None
        assert rule_modes.mode_of(known, row, after(60), ABOVE) is None
        assert rule_modes.end(conn, "m1", after(2)) and not rule_modes.end(conn, "m1", after(2))
        assert rule_modes.active(conn, after(2)) == []
        with pytest.raises(ValueError, match="reason"):
            rule_modes.add(conn, replace(mode, reason=" "))
