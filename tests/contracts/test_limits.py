"""Verdicts by the rule pack: 49.99 is grey, 50.00 is positive, censored values stay censored."""

from datetime import date
from pathlib import Path

import pytest

from contracts.events import Value
from contracts.limits import Limits, load_limits
from contracts.settings import SettingsError
from contracts.words import Verdict

FOLDER = Path(__file__).parents[2] / "firmware_configs" / "limits"
DAY = date(2026, 11, 23)
HEADING = (FOLDER / "quick_tests.csv").read_text("utf-8").splitlines()[0]


@pytest.fixture(scope="module")
def limits() -> Limits:
    return load_limits(FOLDER)


@pytest.mark.parametrize(
    ("text", "number", "comparator", "verdict"),
    [
        ("39.99", 39.99, "", Verdict.PASS),
        ("40.00", 40.0, "", Verdict.SUSPECT),
        ("49.99", 49.99, "", Verdict.SUSPECT),
        ("50.00", 50.0, "", Verdict.POSITIVE),
        ("100.00", 100.0, "", Verdict.POSITIVE),
        ("100.01", 100.01, "", Verdict.INVALID),
        ("-3.2", -3.2, "", Verdict.PASS),
        ("<5.0", 5.0, "<", Verdict.PASS),
        ("<40", 40.0, "<", Verdict.PASS),
        ("<60", 60.0, "<", Verdict.SUSPECT),
        (">60", 60.0, ">", Verdict.POSITIVE),
        (">10", 10.0, ">", Verdict.SUSPECT),
        ("?", None, "", Verdict.INVALID),
    ],
)
def test_inhibition(
    limits: Limits, text: str, number: float | None, comparator: str, verdict: Verdict
) -> None:
    if comparator:
        value = Value(text, None, comparator, number, "%")
    else:
        value = Value(text, number, unit="%")
    judged = limits.judge("抑制率", "", value, DAY)
    assert judged.verdict is verdict
    assert judged.item_code == "pesticide_inhibition"
    assert judged.limit_text == "< 50 %"
    assert "GB/T 5009.199" in judged.rule


def test_at_most_means_that_the_bound_passes(limits: Limits) -> None:
    def judge(number: float) -> Verdict:
        value = Value(str(number), number, unit="%")
        return limits.judge("极性组分", "", value, DAY).verdict

    assert judge(27.0) is Verdict.PASS
    assert judge(27.1) is Verdict.POSITIVE


def test_words_units_days_and_unknown_items(limits: Limits) -> None:
    strip = limits.judge("^^^克伦特罗", "", Value("阴性", qualitative="negative"), DAY)
    assert strip.verdict is Verdict.PASS
    unknown = limits.judge("钠", "", Value("3", 3.0), DAY)
    assert unknown.verdict is Verdict.NONE
    other_unit = limits.judge("酸价", "", Value("9", 9.0, unit="mg/kg"), DAY)
    assert other_unit.verdict is Verdict.NONE
    too_early = limits.judge("抑制率", "", Value("60", 60.0, unit="%"), date(1999, 1, 1))
    assert too_early.verdict is Verdict.NONE


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("x,x,,m,high,40,fifty,,,,%,s,S,2020-01-01,", "positive_at"),
        ("x,x,,m,higher,40,50,,,,%,s,S,2020-01-01,", "kind"),
        ("x,x,,m,high,40,50,,,,%,s,S,soon,", "effective_from"),
        ("x,x,,m,high", "cells"),
    ],
)
def test_errors_name_line_and_column(tmp_path: Path, row: str, word: str) -> None:
    (tmp_path / "quick_tests.csv").write_text(f"{HEADING}\n{row}\n", "utf-8")
    with pytest.raises(SettingsError, match=rf"quick_tests.csv: line 2: .*{word}"):
        load_limits(tmp_path)
