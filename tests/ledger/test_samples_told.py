"""Samples as rooms tell them: in any order, however often, and beside their results, one ledger."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_town import AGENT, AT, READER, after, build, result
from sqlalchemy import event, text

from contracts.events import Sample
from contracts.room import Attached, SampleRecord
from contracts.topics import Identity
from contracts.words import AttachedHow
from ledger import journal, migrate, results, sample_links, samples
from ledger.engine import Engine, LedgerRefused, open_engine, reading, writing
from ledger.results import NewResult
from ledger.samples import ToldSample

LZ, OTHER_AGENT = "reader-1", "agent-2"


def told(
    sample_id: str = "s1", revision: int = 1, *names: str, agent: str = "agent", **changes: Any
) -> ToldSample:
    at = after(revision * 10)
    attached = tuple(Attached(LZ, one, AttachedHow.NUMBER, at) for one in names)
    said = {"number": "S-1", "registered_at": AT, "product": "菜心", "stall": "A12"} | changes
    record = SampleRecord(sample_id=sample_id, revision=revision, attached=attached, **said)
    return ToldSample(AGENT, agent, record, at)


def name_of(sequence: int) -> str:
    return result(sequence).result_id


def take(engine: Engine, *facts: ToldSample | NewResult) -> None:
    with writing(engine) as conn:
        samples.take_in(conn, [one for one in facts if isinstance(one, ToldSample)])
        results.add(conn, [one for one in facts if isinstance(one, NewResult)])


def sample_of(engine: Engine, sequence: int) -> str | None:
    with reading(engine) as conn:
        found = results.get(conn, name_of(sequence))
    assert found is not None
    return found.sample_id


def test_of_two_agents_that_say_the_same_one_stays_whichever_comes_first(town: Engine) -> None:
    facts = [told("s1", 3), told("s1", 3, agent=OTHER_AGENT)]
    stayed = set()
    for order in (facts, facts[::-1]):
        for calls in ([order], [order[:1], order[1:]]):
            empty(town)
            for call in calls:
                take(town, *call)
            with reading(town) as conn:
                stayed.add(conn.scalar(text("SELECT agent FROM samples")))
    assert len(stayed) == 1


def test_a_result_finds_its_sample_whichever_comes_first(town: Engine) -> None:
    take(town, told("s1", 1, name_of(1), name_of(2)), result(1))
    take(town, result(2), result(3))
    assert [sample_of(town, n) for n in (1, 2, 3)] == ["s1", "s1", None]
    take(town, told("s1", 2, name_of(3)))  # moved on: the others are nobody's now
    assert [sample_of(town, n) for n in (1, 2, 3)] == [None, None, "s1"]
    with reading(town) as conn:
        stored = samples.get(conn, "s1")
        kinds = [(row.kind, row.ref) for row in journal.after(conn, 0) if row.kind == "sample"]
    assert stored is not None and (stored.revision, stored.agent) == (2, "agent")
    assert kinds == [("sample", "s1"), ("sample", "s1")]


def test_an_older_word_and_the_same_word_change_nothing(town: Engine) -> None:
    take(town, told("s1", 3, name_of(1), voided=True, void_reason="取样错误"), result(1))
    take(town, told("s1", 2), told("s1", 3, name_of(1), voided=True, void_reason="取样错误"))
    with reading(town) as conn:
        stored = samples.get(conn, "s1")
        assert stored is not None and stored.voided and stored.void_reason == "取样错误"
        assert len([row for row in journal.after(conn, 0) if row.kind == "sample"]) == 1
    assert sample_of(town, 1) == "s1"


def test_a_number_speaks_only_where_nobody_else_does(town: Engine) -> None:
    elsewhere = told("s9", 1, agent=OTHER_AGENT, number="S-1")
    take(town, elsewhere, result(1))
    assert sample_of(town, 1) == "s9"  # told by another agent, which did not see the result
    take(town, told("s1", 1, name_of(1), number="S-7"))
    assert sample_of(town, 1) == "s1"  # who names it has it
    take(town, told("s1", 2, number="S-7"))
    assert sample_of(town, 1) == "s9"
    take(town, told("s8", 1, agent=OTHER_AGENT, number="S-1"))
    assert sample_of(town, 1) is None  # two with one number: not guessed
    take(town, told("s8", 2, agent=OTHER_AGENT, number="S-1", voided=True))
    assert sample_of(town, 1) == "s9"


def test_an_agents_own_word_is_not_undone_by_a_number(town: Engine) -> None:
    take(town, told("s1", 1, name_of(1)), result(1))
    take(town, told("s1", 2))  # the operator took it away; the number still says S-1
    assert sample_of(town, 1) is None
    take(town, result(2))
    assert sample_of(town, 2) is None


def test_a_sample_of_another_site_is_refused_and_its_results_are_not_reached(town: Engine) -> None:
    take(town, told("s1", 1), result(1))
    stranger = Identity("440703-tangxia", "elsewhere", "agent")
    with pytest.raises(LedgerRefused, match="s1 is of another site"), writing(town) as conn:
        samples.take_in(conn, [ToldSample(stranger, "agent", told("s1", 2).record, AT)])
    with reading(town) as conn:
        stored = samples.get(conn, "s1")
    assert stored is not None and (stored.site, stored.revision) == (AGENT.site, 1)


def test_results_alone_cost_no_statement_more(town: Engine) -> None:
    seen: list[str] = []
    event.listen(town, "before_cursor_execute", lambda *told: seen.append(told[2]))
    take(town, *(result(n) for n in range(1, 40)))
    asked = [one for one in seen if one.startswith("SELECT") and " sample" in one]
    written = [one for one in seen if one.startswith("INSERT INTO results")]
    # Owners of sites with who names the results; numbers. As many as before there were rooms.
    assert (len(asked), len(written)) == (2, 1)


def test_what_two_gateways_missed_is_settled_later(town: Engine) -> None:
    take(town, result(1))
    with writing(town) as conn:  # as if the other gateway had not seen the result
        samples.take_in(conn, [told("s1", 1, name_of(1))])
        conn.execute(text("UPDATE results SET sample_id = NULL"))
    with writing(town) as conn:
        loose, numbers = sample_links.unsettled(conn, AT)
        assert (loose, numbers) == ({name_of(1)}, set())
        assert sample_links.settle(conn, results=loose) == 1
        assert sample_links.unsettled(conn, AT) == (set(), set())
    assert sample_of(town, 1) == "s1"


def test_samples_of_before_and_their_results_are_kept(tmp_path: Path) -> None:
    """SQLite's table is made anew, below results that refer to it."""
    engine = open_engine(f"sqlite:///{tmp_path}/old.db")
    migrate.upgrade(engine, "0020")
    with writing(engine) as conn:
        for statement in OLD:
            conn.exec_driver_sql(statement)
    migrate.upgrade(engine)
    with reading(engine) as conn:
        assert list(conn.exec_driver_sql("PRAGMA foreign_key_check")) == []
        kept = samples.get(conn, "old")
        held = conn.exec_driver_sql("SELECT sample_id, lot_key FROM results").one()
    assert kept is not None and (kept.number, kept.revision) == ("S-1", 0)
    assert tuple(held) == ("old", "l7")
    engine.dispose()


OLD = (
    "INSERT INTO regions (code, name_zh, name_en, source) VALUES ('r', '镇', 'town', '')",
    "INSERT INTO sites (id, region, name, kind, self_test) VALUES "
    "('s', 'r', 's', 'testing_room', false)",
    "INSERT INTO devices (site, device, region, kind, name, model, registered_at, state, "
    "state_detail, software, epoch, oldest_unsent_age_s, backlog, outbox_bytes, thinned, "
    "discarded_bytes, figures) VALUES ('s', 'd', 'r', 'analyzer', '', '', '2026-03-02', 'online', "
    "'', '', '', 0, 0, 0, 0, 0, '{}')",
    "INSERT INTO samples VALUES ('old', 's', 'S-1', '菜心', '', 'L 7', '', '', "
    "'2026-03-02 01:00:00', NULL)",
    "INSERT INTO results (result_id, region, site, device, agent, epoch, sequence, event_id, "
    "sample_id, received_at, captured_at, measured_text, sample_number, sample_name, "
    "sample_name_cut, stall, lot, supplier, origin, item, item_code, value_text, comparator, unit, "
    "qualitative, verdict, limit_text, rule, instrument_verdict, operator, flags, profile_id, "
    "profile_version, raw, raw_sha256) VALUES ('x', 'r', 's', 'd', 'a', 'e', 1, 'e-1', 'old', "
    "'2026-03-02 01:00:00', '2026-03-02 01:00:00', '', 'S-1', '', false, '', 'Ｌ 7', '', '', 'i', "
    "'', '1', '', '', '', 'pass', '', '', '', '', '[]', 'p', '1', x'00', '')",
)


@pytest.fixture(scope="module")
def one_town(tmp_path_factory: pytest.TempPathFactory) -> Any:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('any')}/ledger.db")
    migrate.upgrade(engine)
    with writing(engine) as conn:
        build(conn)
    yield engine
    engine.dispose()


RECORDS = st.builds(
    lambda sample_id, revision, names, agent, number, voided: told(
        sample_id, revision, *(name_of(n) for n in names), agent=agent, number=number, voided=voided
    ),
    st.sampled_from(["s1", "s2", "s3"]),
    st.integers(1, 3),
    st.lists(st.integers(1, 4), max_size=3, unique=True),
    st.sampled_from(["agent", OTHER_AGENT]),
    st.sampled_from(["S-1", "S-2"]),
    st.booleans(),
)
RESULTS = st.builds(
    lambda n, number: result(n, READER, sample=Sample(number=number, name="菜心")),
    st.integers(1, 4),
    st.just("S-1"),
)


def whole(engine: Engine) -> list[Any]:
    with reading(engine) as conn:
        return [
            conn.execute(text(f"SELECT * FROM {table} ORDER BY {order}")).all()
            for table, order in (("samples", "id"), ("sample_results", "sample_id, result_id"))
        ] + [conn.execute(text("SELECT result_id, sample_id FROM results ORDER BY 1")).all()]


def empty(engine: Engine) -> None:
    with writing(engine) as conn:
        for table in ("sample_results", "results", "samples", "journal"):
            conn.execute(text(f"DELETE FROM {table}"))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(facts=st.lists(RECORDS | RESULTS, min_size=1, max_size=10), data=st.data())
def test_any_order_and_any_repetition_give_one_ledger(
    one_town: Engine, facts: list[ToldSample | NewResult], data: st.DataObject
) -> None:
    empty(one_town)
    for one in facts:
        take(one_town, one)
    first = whole(one_town)
    again = [*facts, *data.draw(st.lists(st.sampled_from(facts), max_size=5))]
    mixed = data.draw(st.permutations(again))
    empty(one_town)
    while mixed:
        count = data.draw(st.integers(1, len(mixed)))
        take(one_town, *mixed[:count])
        mixed = mixed[count:]
    assert whole(one_town) == first
    with writing(one_town) as conn:
        loose, numbers = sample_links.unsettled(conn, AT - timedelta(days=1))
        assert sample_links.settle(conn, results=loose, numbers=numbers) == 0
