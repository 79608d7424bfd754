"""Voiding samples: hides nothing that was found, and helps no number."""

from datetime import datetime
from pathlib import Path

import indicator_town as town_of
import msgspec
import pytest
from indicator_town import NOW, TRUTH, A, B, figures, march, result, shares

from contracts.indicators import FOLDER, read_indicators
from contracts.room import Attached, SampleRecord
from contracts.settings import SettingsError
from contracts.topics import Identity
from contracts.words import AttachedHow, Verdict
from ledger import results, samples
from ledger.engine import Engine, reading, writing
from ledger.results import NewResult
from ledger.samples import ToldSample

TESTED = {"quick_tests", "quick_test_pass", "quick_test_disposal"}


@pytest.fixture
def city(book: Engine) -> Engine:
    with writing(book) as conn:
        town_of.build(conn)
        town_of.tell(conn)
    return book


def tell(
    city: Engine, sample: str, own: list[NewResult], region: str = A, site: str = "m1",
    *, voided: bool, at: datetime = NOW, revision: int = 1,
) -> None:  # fmt: skip
    """The room's word on a sample with these results."""
    record = SampleRecord(
        sample_id=sample, revision=revision, number=sample, registered_at=march(2), product="菜心",
        voided=voided, void_reason="误登记" if voided else "",
        attached=tuple(
            Attached(one.who.device, one.result_id, AttachedHow.NUMBER, one.result.captured_at)
            for one in own
        ),
    )  # fmt: skip
    who = Identity(region, site, "reader")
    with writing(city) as conn:
        samples.take_in(conn, [ToldSample(who, "agent", record, at)])


def told(city: Engine) -> dict[str, tuple[float, float]]:
    with reading(city) as conn:
        return shares(figures(conn))


def test_a_sample_that_was_voided_before_anything_was_measured_is_no_batch(city: Engine) -> None:
    tell(city, "v0", [], voided=True)
    assert told(city) == TRUTH


def test_a_sample_that_passed_and_was_voided_counts_for_nothing(city: Engine) -> None:
    tell(city, "v1", [town_of.TESTS[4]], voided=False)
    assert told(city) == TRUTH
    tell(city, "v1", [town_of.TESTS[4]], voided=True, revision=2)
    assert told(city) == TRUTH | {"quick_tests": (5, 7), "quick_test_pass": (5, 7)}


@pytest.mark.parametrize(("place", "site", "region"), [(5, "m1", A), (7, "m1", A), (15, "m2", B)])
def test_voiding_after_a_finding_hides_nothing(
    city: Engine, place: int, site: str, region: str
) -> None:
    """A positive, a suspect one, and a positive that came in too late to be a batch."""
    own = [town_of.TESTS[place]]
    tell(city, "v2", own, region, site, voided=False)
    before = told(city)
    tell(city, "v2", own, region, site, voided=True, revision=2)
    after = told(city)
    assert {name: after[name] for name in TESTED} == {name: before[name] for name in TESTED}


def test_voiding_first_and_measuring_then_hides_no_finding_either(city: Engine) -> None:
    late = result(80, A, "m1", Verdict.POSITIVE, march(7), "v3")
    tell(city, "v3", [late], voided=True, at=march(6))
    with writing(city) as conn:
        results.add(conn, [late])
    after = told(city)
    assert after["quick_test_pass"] == (6, 9) and after["quick_test_disposal"] == (0, 3)


def test_a_rerun_that_passed_washes_nothing_away_when_its_sample_is_voided(city: Engine) -> None:
    own = [town_of.TESTS[5], town_of.TESTS[6]]
    tell(city, "v4", own, voided=False)
    before = told(city)
    tell(city, "v4", own, voided=True, revision=2)
    assert told(city) == before


def test_a_voided_sample_is_no_proof_that_a_room_works(city: Engine) -> None:
    for place in (13, 14, 15, 16):
        tell(city, f"v{place}", [town_of.TESTS[place]], B, "m2", voided=True)
    assert TRUTH["market_rooms"] == (2, 3)
    assert told(city)["market_rooms"] == (1, 3)


def test_a_definition_that_lets_voiding_hide_is_refused(tmp_path: Path) -> None:
    text = (FOLDER / "tests.toml").read_text("utf-8")
    (tmp_path / "tests.toml").write_text(
        text.replace('voided_keep = ["suspect", "positive"]', 'voided_keep = ["suspect"]', 1),
        "utf-8",
    )
    with pytest.raises(SettingsError, match=r"quick_tests\.voided_keep: a voided sample"):
        read_indicators(tmp_path)


def test_what_is_kept_of_voided_samples_is_told_by_the_data(city: Engine) -> None:
    """A stricter definition may keep what passed, too."""
    own = [town_of.TESTS[4]]
    tell(city, "v5", own, voided=True)
    strict = tuple(
        msgspec.structs.replace(one, voided_keep=("pass", *one.voided_keep))
        if one.id in TESTED
        else one
        for one in town_of.INDICATORS.all
    )
    question = town_of.Question(town_of.MARCH, NOW)
    with reading(city) as conn:
        given = msgspec.structs.replace(town_of.INDICATORS, all=strict)
        found = town_of.Figures(conn, given, town_of.BASIS, question)
        one = next(one for one in found.definitions if one.id == "quick_tests")
        assert found.of(one, [town_of.CITY])[0].records == TRUTH["quick_tests"][1]
