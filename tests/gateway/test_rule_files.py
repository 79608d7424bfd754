"""Tests of rule and limit files: the committed ones, and clear errors for broken ones."""

from datetime import date
from pathlib import Path

import pytest

from contracts.effect import in_effect
from contracts.settings import SettingsError
from gateway.alerts.check import check_limits
from gateway.alerts.kinds import BeyondLimit
from gateway.alerts.limits import read_limits
from gateway.alerts.rule import matches
from gateway.alerts.rules import read_rules
from gateway.run import CONFIGS

LIMITS = CONFIGS / "limits" / "storage_temperatures.csv"
RULE = """
[[rule]]
id = "r"
version = "1"
severity = 2
title_zh = "{device}"
title_en = "x"
summary_zh = "x"
summary_en = "x"
[rule.when]
kind = "silence"
device_kinds = ["probe"]
"""


def refused(tmp_path: Path, text: str) -> str:
    file = tmp_path / "rules.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as error:
        read_rules(file)
    assert str(file) in str(error.value)
    return str(error.value)


def test_starter_rules_and_limits_are_sound() -> None:
    rules = read_rules(CONFIGS / "rules")
    limits = read_limits(LIMITS)
    check_limits(rules, limits.ids, "starter")
    by_id = {rule.id: rule for rule in rules}
    assert by_id["pesticide_positive"].severity == 1
    assert by_id["pesticide_suspect"].severity == by_id["cold_store_warm"].severity == 2
    assert by_id["test_invalid"].severity == 3
    cold = limits.on("cold_store", date(2026, 1, 1))
    assert cold is not None and cold.text == "< 8 °C" and cold.mark == "S"
    assert limits.on("cold_store", date(2010, 1, 1)) is None


def test_faults_are_named(tmp_path: Path) -> None:
    assert "rule[0].when.kind" in refused(tmp_path, RULE.replace('"silence"', '"silense"'))
    assert "colour" in refused(tmp_path, RULE.replace('version = "1"', 'version = "1"\ncolour = 1'))
    assert "rule r: title_zh: {wrong}" in refused(tmp_path, RULE.replace("{device}", "{wrong}"))
    assert "rule r: title_zh" in refused(tmp_path, RULE.replace("{device}", "{device"))
    assert "rule r: title_zh" in refused(tmp_path, RULE.replace("{device}", "{device.__class__}"))
    assert "already taken" in refused(tmp_path, RULE + RULE)
    assert "not TOML" in refused(tmp_path, "[[rule")
    assert "severity" in refused(tmp_path, RULE.replace("severity = 2", "severity = 4"))


def test_what_a_rule_inhibits_must_exist_and_is_never_class_1(tmp_path: Path) -> None:
    other = RULE.replace('id = "r"', 'id = "other"')
    inhibiting = RULE.replace('version = "1"', 'version = "1"\ninhibits = ["oth*"]')
    file = tmp_path / "rules.toml"
    file.write_text(inhibiting + other, "utf-8")
    rule, _ = read_rules(file)
    assert rule.inhibits == ("oth*",) and rule.notify == "push" and rule.routes == ()
    assert "rule r: inhibits: 'oth*': there is no such" in refused(tmp_path, inhibiting)
    first = other.replace("severity = 2", "severity = 1")
    assert "class 1 always passes" in refused(tmp_path, inhibiting + first)


def test_missing_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read"):
        read_rules(tmp_path / "nowhere.toml")
    with pytest.raises(SettingsError, match=r"no \*\.toml rule files"):
        read_rules(tmp_path)


def test_unknown_limit_is_named() -> None:
    rules = [rule for rule in read_rules(CONFIGS / "rules") if isinstance(rule.when, BeyondLimit)]
    with pytest.raises(SettingsError, match="rule cold_store_warm: limit 'cold_store' is not"):
        check_limits(rules, [], "here")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",<,", ",!,", "line 2: .*comparator"),
        (",8,Cel", ",warm,Cel", "line 2: .*limit"),
        (",8,Cel", ",8,degC", "line 2: unit 'degC'"),
        (",S,", ",X,", "line 2: .*mark"),
        ("freezer,", "cold_store,", "limit cold_store: two rows hold at the same time"),
    ],
)
def test_faults_in_limits_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "limits.csv"
    file.write_text(LIMITS.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(SettingsError, match=said):
        read_limits(file)


def test_rule_of_its_day(tmp_path: Path) -> None:
    text = RULE.replace(
        'version = "1"',
        'version = "1"\neffective_from = 2026-01-01\neffective_until = 2026-06-30\n'
        'regions = ["4407*"]',
    )
    file = tmp_path / "rules.toml"
    file.write_text(text, "utf-8")
    (rule,) = read_rules(file)

    def holds(day: date, region: str) -> bool:
        return in_effect(rule, day) and matches(rule.regions, region)

    assert holds(date(2026, 1, 1), "440703") and holds(date(2026, 6, 30), "440703")
    assert not holds(date(2025, 12, 31), "440703")
    assert not holds(date(2026, 7, 1), "440703")
    assert not holds(date(2026, 1, 1), "440803")
