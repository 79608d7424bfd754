"""Intake by property, journal, cursors, dead letters and the audit chain with tampered links."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_town import AGENT, AT, after
from sqlalchemy import delete, insert, update

from ledger import audit, cursors, dead_letters, intake, journal
from ledger.engine import Engine, reading, writing
from ledger.schema import audit as audit_table
from ledger.schema import intake as intake_table

OTHER = AGENT.sibling("agent-2")
KEYS = [(AGENT, "e1"), (AGENT, "e2"), (OTHER, "e1")]

batch = st.dictionaries(st.sampled_from(KEYS), st.lists(st.integers(1, 40), max_size=12))


@given(batches=st.lists(batch, max_size=8), together=st.booleans())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_each_number_is_claimed_once(
    file_book: Engine, batches: list[dict[intake.Key, list[int]]], together: bool
) -> None:
    engine = file_book
    with writing(engine) as conn:
        conn.execute(delete(intake_table))
    taken: dict[intake.Key, set[int]] = {key: set() for key in KEYS}
    for wanted in batches:
        with writing(engine) as conn:
            if together:
                fresh = intake.claim_all(conn, wanted)
            else:
                fresh = {key: intake.claim(conn, *key, wanted[key]) for key in wanted}
        assert fresh == {key: set(numbers) - taken[key] for key, numbers in wanted.items()}
        for key, numbers in fresh.items():
            taken[key] |= numbers
    with reading(engine) as conn:
        told = {(p.agent, p.epoch): p for p in intake.progress(conn)}
    for key, numbers in taken.items():
        if numbers:
            missing = set(range(1, max(numbers))) - numbers
            assert told[key].highest == max(numbers)
            assert told[key].missing == len(missing)
            assert told[key].lowest_gap == min(missing, default=max(numbers) + 1)


def test_a_claim_rolled_back_can_be_claimed_again(book: Engine) -> None:
    class Enough(Exception):
        pass

    with pytest.raises(Enough), writing(book) as conn:
        assert intake.claim(conn, AGENT, "e1", [1, 2]) == {1, 2}
        raise Enough
    with writing(book) as conn:
        assert intake.claim(conn, AGENT, "e1", [2, 3]) == {2, 3}
        assert intake.claim(conn, AGENT, "e1", [1, 2, 3]) == {1}
        assert intake.claim(conn, AGENT, "e1", []) == set()
        assert intake.claim_all(conn, {}) == {}


def test_many_agents_at_once(book: Engine) -> None:
    wanted = {(AGENT.sibling(f"agent-{n}"), "e"): range(1, 4) for n in range(2500)}
    with writing(book) as conn:
        assert all(len(fresh) == 3 for fresh in intake.claim_all(conn, wanted).values())
        assert not any(intake.claim_all(conn, wanted).values())


def test_journal_and_cursors(book: Engine) -> None:
    with writing(book) as conn:
        assert (journal.last_id(conn), cursors.get(conn, "publisher")) == (0, 0)
        for n in range(5):
            journal.append(
                conn,
                journal.RESULT,
                at=after(n),
                region="r",
                site="s",
                ref=f"{n}",
                body={"n": n, "名": "值\0", "at": AT},
            )
        cursors.set(conn, "publisher", 2)
        cursors.set(conn, "publisher", 3)
    with reading(book) as conn:
        first = journal.after(conn, 0, 2)
        assert [row.ref for row in first] == ["0", "1"]
        assert first[0].at == AT
        assert first[0].body["名"] == "值\N{REPLACEMENT CHARACTER}"
        assert first[0].body["at"] == "2026-03-02T01:30:00.123456Z"
        rest = journal.after(conn, first[-1].id)
        assert [row.ref for row in rest] == ["2", "3", "4"]
        assert journal.last_id(conn) == rest[-1].id
        assert cursors.get(conn, "publisher") == 3


def test_a_backslash_before_u0000_is_no_nul(book: Engine) -> None:
    texts = ["\\u0000", "\\\\u0000", "\0", "\\\0", "\\\\\0x"]
    with writing(book) as conn:
        journal.append(conn, "device", at=AT, region="r", site="s", ref="x", body={"texts": texts})
    with reading(book) as conn:
        told = journal.after(conn, 0)[0].body["texts"]
        assert told == [text.replace("\0", "\N{REPLACEMENT CHARACTER}") for text in texts]


def test_dead_letters(book: Engine) -> None:
    payload = bytes(range(256))
    with writing(book) as conn:
        ids = [
            dead_letters.add(conn, f"fs/v1/\0{n}", payload, f"原因 {n}", after(n)) for n in range(3)
        ]
        assert ids == sorted(set(ids))
        dead_letters.mark_replayed(conn, ids[1], after(9))
    with reading(book) as conn:
        letter = dead_letters.get(conn, ids[0])
        assert letter is not None
        assert (letter.payload, letter.reason, letter.at) == (payload, "原因 0", AT)
        assert [row.id for row in dead_letters.list(conn)] == ids[::-1]
        assert [row.id for row in dead_letters.list(conn, before=ids[2], limit=1)] == [ids[1]]
        assert [row.id for row in dead_letters.list(conn, waiting_only=True)] == [ids[2], ids[0]]
        assert dead_letters.count_waiting(conn) == 2
        assert dead_letters.get(conn, 10**9) is None


@pytest.fixture
def chain(book: Engine) -> Engine:
    with writing(book) as conn:
        assert audit.verify(conn) == audit.Verification(0, audit.GENESIS)
        for n in range(5):
            detail = {"乙": n, "甲": "\0", "at": AT}
            head = audit.append(conn, "li", "alert.close", f"alert-{n}", detail, after(n))
        assert audit.verify(conn) == audit.Verification(5, head)
    return book


def test_the_chain_reads_back(chain: Engine) -> None:
    with reading(chain) as conn:
        assert [entry.subject for entry in audit.entries(conn, 2)] == ["alert-4", "alert-3"]
        assert [entry.id for entry in audit.entries(conn, 9, before=3)] == [2, 1]
        assert audit.verify(conn).entries == 5


@pytest.mark.parametrize("column", ["actor", "action", "subject", "detail"])
def test_a_changed_text_breaks_the_chain(chain: Engine, column: str) -> None:
    with writing(chain) as conn:
        conn.execute(update(audit_table).where(audit_table.c.id == 3).values({column: "x"}))
        found = audit.verify(conn)
        assert (found.entries, found.broken_id) == (2, 3)
        assert found.reason == "content does not have its hash"


def test_a_changed_time_breaks_the_chain(chain: Engine) -> None:
    with writing(chain) as conn:
        conn.execute(update(audit_table).where(audit_table.c.id == 1).values(at=after(99)))
        assert audit.verify(conn).broken_id == 1


def test_a_removed_entry_breaks_the_chain(chain: Engine) -> None:
    with writing(chain) as conn:
        conn.execute(delete(audit_table).where(audit_table.c.id == 2))
        found = audit.verify(conn)
        assert (found.broken_id, found.reason) == (3, "entry 2 is missing")


def test_an_entry_put_in_breaks_the_chain(chain: Engine) -> None:
    with writing(chain) as conn:
        row = {"id": 6, "at": AT, "actor": "x", "action": "x", "subject": "x", "detail": "{}"}
        forged = row | {"previous_hash": audit.GENESIS, "hash": "f" * 64}
        conn.execute(insert(audit_table).values(forged))
        found = audit.verify(conn)
        assert (found.entries, found.broken_id) == (5, 6)
        assert found.reason == "does not follow the entry before it"
