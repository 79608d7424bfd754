"""Property: the set of alerts does not depend on order across devices, duplication or batching."""

import shutil
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

from contracts.words import Phase, Verdict
from gateway.alerts.evaluate import RuleBook
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
    # One series in one message: readings are judged in order of measurement.
    warm = [(after_s, 9.5) for after_s in range(0, 661, 60)]
    return [*made, inbound(COLD, readings(*warm), 4)]


EXPECTED = sorted(
    [
        ("pesticide_positive", "firing", 1),
        ("pesticide_suspect", "firing", 1),
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
def test_same_alerts_in_any_order(town_file: Path, book: RuleBook, data: st.DataObject) -> None:
    base = messages()
    order = data.draw(st.permutations(base + data.draw(st.lists(st.sampled_from(base)))))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order)), max_size=4)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        shutil.copy(town_file, path)
        engine = open_engine(f"sqlite:///{path}")
        for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True):
            unpacked = [unpack(message, registry()) for message in order[start:end]]
            with writing(engine) as conn:
                accepted = [one for one in unpacked if isinstance(one, Accepted)]
                take_in(conn, accepted, [], book, NOON)
        with reading(engine) as conn:
            rows = alerts.list_in(conn, None)
        engine.dispose()
    assert sorted((row.rule, row.state.value, row.count) for row in rows) == EXPECTED
