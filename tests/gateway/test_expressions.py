"""Tests of CEL expressions in rules: what is refused, what fails on an event, what is asked."""

import logging
from pathlib import Path

import pytest
from gateway_town import CAMERA, READER, device, observation, result
from msgspec.structs import replace
from test_rule_files import RULE

from contracts.events import Value
from contracts.settings import SettingsError
from contracts.words import Verdict
from gateway.alerts.book import RuleBook
from gateway.alerts.evaluate import judge_observation, judge_result
from gateway.alerts.expression import Expression, Scene, WrongExpression
from gateway.alerts.faults import Faults
from gateway.alerts.fields import (
    MAY_BE_NULL,
    SAMPLES,
    observation_fields,
    result_fields,
    samples,
)
from gateway.alerts.limits import StorageLimits
from gateway.alerts.rules import read_rules

TESTS = 'kind = "verdict"\nverdicts = ["pass", "suspect", "positive"]\nif = '


def rule(tmp_path: Path, when: str) -> RuleBook:
    file = tmp_path / "rules.toml"
    head, mark, _ = RULE.partition("[rule.when]\n")
    file.write_text(head + mark + when, "utf-8")
    return RuleBook(read_rules(file), StorageLimits([]))


def refused(tmp_path: Path, when: str) -> str:
    with pytest.raises(SettingsError) as error:
        rule(tmp_path, when)
    assert f"{tmp_path / 'rules.toml'}: rule r: when." in str(error.value)
    return str(error.value)


def test_what_cannot_be_right_is_refused_with_file_rule_and_key(tmp_path: Path) -> None:
    assert "when.if: Failed to parse" in refused(tmp_path, TESTS + "'value >'")
    said = refused(tmp_path, TESTS + "'valu > 3.0'")
    assert "when.if: valu: not known here; there are bound, clock_offset_s" in said
    assert "value may be null: ask first" in refused(tmp_path, TESTS + "'value > 3.0'")
    assert "when.if" in refused(tmp_path, TESTS + "'value + 1.0'")
    assert "neither true nor false" in refused(tmp_path, TESTS + "'item'")
    said = refused(tmp_path, TESTS + "'false && nosuch(item)'")
    assert "nosuch: no such function; there are contains" in said
    until = 'kind = "reading"\nmetrics = ["t"]\nif = "value > 1.0"\nuntil = "valve < 1.0"'
    assert "when.until: valve" in refused(tmp_path, until)
    camera = 'kind = "observation"\nkinds = ["no_hat"]\nif = "verdict == \'x\'"'
    assert "when.if: verdict: not known here" in refused(tmp_path, camera)


@pytest.mark.parametrize(
    ("text", "number", "fires"),
    [("49.99", 49.99, False), ("50.00", 50.0, True), ("50.01", 50.01, True), ("<5.0", None, False)],
)
def test_a_censored_value_is_no_number(
    tmp_path: Path, text: str, number: float | None, fires: bool
) -> None:
    book = rule(tmp_path, TESTS + "'value != null && value >= 50.0'")
    told = replace(result(Verdict.PASS), value=Value(text, number, "" if number else "<", 5.0, "%"))
    assert bool(judge_result(book, device(READER), "e", "r", told)) is fires


def test_a_fault_is_counted_told_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # The instrument's own flags decide: nobody can know before what they are.
    book = rule(tmp_path, TESTS + "'flags[0] == \"x\"'")
    counted: list[str] = []
    book.on_fault = Faults(counted.append)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert judge_result(book, device(READER), "e", "r", result()) == []
    assert counted == ["r"] * 3
    assert len(caplog.records) == 1 and "rule r: an expression failed" in caplog.text
    assert judge_result(book, device(READER), "e", "r", replace(result(), flags=("x",)))


def test_an_episode_is_asked_when_it_begins(tmp_path: Path) -> None:
    book = rule(
        tmp_path, 'kind = "observation"\nkinds = ["no_hat"]\nif = "people > 1 && hour >= 12.0"'
    )
    one = observation("o1")
    assert judge_observation(book, device(CAMERA), one, None) == []
    assert len(judge_observation(book, device(CAMERA), replace(one, people=2), None)) == 1


def test_names_bound_within_an_expression_are_its_own() -> None:
    Expression('flags.exists(flag, flag == "x") || item.startsWith("a")').check(samples("tests"))
    with pytest.raises(WrongExpression, match="flog: not known"):
        Expression('flags.exists(flag, flog == "x")').check(samples("tests"))


@pytest.mark.parametrize(
    "source", ["1 / 0 == 1", "9223372036854775807 + 1 > 0", '"a".matches("(")']
)
def test_whatever_fails_is_said_as_one_error(source: str) -> None:
    with pytest.raises(WrongExpression):
        Expression(source).run(Scene({}, ()))


def test_events_have_the_fields_that_are_promised() -> None:
    assert result_fields(device(READER), result()).keys() == SAMPLES["tests"].keys()
    seen = observation_fields(device(CAMERA), observation())
    assert seen.keys() == SAMPLES["observations"].keys()
    for channel, names in MAY_BE_NULL.items():
        assert set(names) <= SAMPLES[channel].keys()
