"""Samples and the room's book on the wire: read as written, bounded, and the ids of facts."""

import json
from datetime import UTC, datetime

import pytest

from contracts.envelope import EnvelopeError, decode, encode
from contracts.fact_ids import fact_id
from contracts.room import Attached, BookStall, BookTask, RoomBook, SampleRecord
from contracts.topics import identity
from contracts.words import AttachedHow

AGENT = identity("440703", "market1", "agent")
AT = datetime(2026, 11, 26, 1, 2, 3, tzinfo=UTC)
SAMPLE = SampleRecord(
    sample_id="0b54a1ce-62a6-4c0f-9d2a-3f7f5a8f4c11",
    revision=3,
    number="B26-0417",
    registered_at=AT,
    product="韭菜",
    stall="A-12",
    attached=(Attached("lz", fact_id(AGENT.sibling("lz"), "e1", 7), AttachedHow.CHOSEN, AT, "陈"),),
)
BOOK = RoomBook(
    revision=9,
    made_at=AT,
    site_name_zh="白沙市场",
    stalls=(BookStall("A-12", "李记蔬菜", "江门批发"),),
    tasks=(BookTask("t1", "蔬菜 20 批", "蔬菜", ("pesticide_inhibition",), 20, 3, AT),),
)


def test_sample_and_book_are_read_as_written() -> None:
    sample = encode("samples", AGENT, SAMPLE, event_id="e-1", at=AT, epoch="e", sequence=1)
    assert decode(sample).data == SAMPLE
    assert decode(encode("room", AGENT, BOOK, event_id="x", at=AT)).data == BOOK


@pytest.mark.parametrize(
    ("field", "value"), [("revision", 0), ("number", ""), ("voided", "yes"), ("note", "x" * 2049)]
)
def test_what_cannot_be_a_sample_is_refused(field: str, value: object) -> None:
    table = json.loads(encode("samples", AGENT, SAMPLE, event_id="e-1", at=AT))
    table["data"][field] = value
    with pytest.raises(EnvelopeError, match=field):
        decode(json.dumps(table).encode())


def test_a_facts_id_follows_from_its_number_alone() -> None:
    # What the ledger has stored since its first release: it may never change.
    assert fact_id(AGENT, "9f", 7) == "f7008a13097d494de980"
