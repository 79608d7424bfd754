"""Property: no order across devices, duplication, batching or restart changes the set of alerts."""

import shutil
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from gateway_town import (
    CAMERA,
    COLD,
    NOON,
    READER,
    inbound,
    observation,
    readings,
    registry,
    result,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.events import TestResult
from contracts.words import Phase, Severity, Verdict
from gateway.alerts.book import RuleBook
from gateway.alerts.kinds import Combination, Part
from gateway.alerts.rule import Rule
from gateway.broker import Inbound
from gateway.intake.store import take_in
from gateway.unpack import Accepted, unpack
from ledger import alerts
from ledger.engine import open_engine, reading, writing


def messages() -> list[Inbound]:
    made = [
        inbound(READER, result(), 1),
        inbound(READER, result(Verdict.PASS, "3.00"), 2),
        inbound(READER, result(Verdict.SUSPECT, "45.00"), 3),
        inbound(CAMERA, observation("o1"), 1),
        inbound(CAMERA, observation("o1", Phase.CLOSED), 2),
        inbound(CAMERA, observation("o2", kind="no_mask", zone_kind="special_room"), 3),
    ]
    made += [inbound(READER, of_supplier(place * 3600), 10 + place) for place in range(3)]
    # One series in one message: readings are judged in order of measurement.
    warm = [(after_s, 9.5) for after_s in range(0, 661, 60)]
    return [*made, inbound(COLD, readings(*warm), 4)]


def of_supplier(after_s: float) -> TestResult:
    """A suspect of one supplier; three within a week are an alert of their own."""
    found = result(Verdict.SUSPECT, "45.00", NOON + timedelta(seconds=after_s))
    return replace(found, sample=replace(found.sample, supplier="甲公司"))


def together(rule_id: str, *parts: str) -> Rule:
    """A rule that combines others."""
    when = Combination(tuple(Part((part,)) for part in parts))
    words = dict.fromkeys(("title_zh", "title_en", "summary_zh", "summary_en"), "x")
    return Rule(id=rule_id, version="1", severity=Severity.DEADLINE, when=when, **words)


@pytest.fixture(scope="module")
def combining(book: RuleBook) -> RuleBook:
    more = together("at_once", "no_mask", "cold_store_warm")
    return RuleBook((*book.rules, more), book.limits)


EXPECTED = sorted(
    [
        ("pesticide_positive", "firing", 1),
        *[("pesticide_suspect", "firing", 1)] * 4,
        ("supplier_suspects", "firing", 1),
        ("at_once", "firing", 1),
        ("no_hat", "resolved", 1),
        ("no_mask", "firing", 1),
        ("cold_store_warm", "firing", 1),
    ]
)


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_same_alerts_in_any_order(
    town_file: Path, combining: RuleBook, data: st.DataObject
) -> None:
    base = messages()
    order = data.draw(st.permutations(base + data.draw(st.lists(st.sampled_from(base)))))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order)), max_size=4)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        shutil.copy(town_file, path)
        for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True):
            unpacked = [unpack(message, registry()) for message in order[start:end]]
            engine = open_engine(f"sqlite:///{path}")  # another gateway, or the same one again
            with writing(engine) as conn:
                accepted = [one for one in unpacked if isinstance(one, Accepted)]
                take_in(conn, accepted, [], combining, NOON)
            engine.dispose()
        engine = open_engine(f"sqlite:///{path}")
        with reading(engine) as conn:
            rows = alerts.list_in(conn, None)
        engine.dispose()
    assert sorted((row.rule, row.state.value, row.count) for row in rows) == EXPECTED
