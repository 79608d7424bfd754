"""Samples of a testing room on their way in: with their results, once, never a dead letter."""

from gateway_town import MARKET, NOON, READER, inbound, market, registry, result

from contracts.room import Attached, SampleRecord
from contracts.words import AttachedHow, Verdict
from gateway.alerts.book import RuleBook
from gateway.intake.store import take_in
from gateway.unpack import Accepted, unpack
from ledger import results, samples
from ledger.engine import Engine, reading, writing
from ledger.ids import fact_id

AGENT = market("agent")


def record(revision: int, *numbers: int, **changes: object) -> SampleRecord:
    attached = tuple(
        Attached(READER.device, fact_id(READER, "e1", number), AttachedHow.WINDOW, NOON)
        for number in numbers
    )
    said = {"number": "0302-001", "product": "菜心", "registered_at": NOON} | changes
    return SampleRecord(sample_id="s1", revision=revision, attached=attached, **said)  # type: ignore[arg-type]


def test_a_batch_with_samples_and_results_and_the_same_again(
    ledger: Engine, book: RuleBook
) -> None:
    first = inbound(AGENT, record(1, 7), 1)
    test = inbound(READER, result(Verdict.PASS, "4.1"), 7)
    second = inbound(AGENT, record(2, 7, task_id="t1"), 2)
    for batch in ([first], [test, second], [second, first, test]):
        unpacked = [unpack(message, registry()) for message in batch]
        accepted = [one for one in unpacked if isinstance(one, Accepted)]
        assert len(accepted) == len(batch)
        with writing(ledger) as conn:
            taken = take_in(conn, accepted, [], book, NOON)
    assert (taken.fresh, taken.duplicates) == ([], 3)
    with reading(ledger) as conn:
        (kept,) = samples.list_at(conn, MARKET)
        row = results.get(conn, fact_id(READER, "e1", 7))
    assert (kept.id, kept.revision, kept.task_id, kept.agent) == ("s1", 2, "t1", "agent")
    assert row is not None and row.sample_id == "s1"
