"""Samples, results, observations and evidence: what is told is stored once, and read back whole."""

import hashlib
from datetime import timedelta

import pytest
from ledger_town import (
    AT,
    CAMERA,
    MARKET,
    OFFICER,
    READER,
    after,
    observation,
    picture,
    result,
)

from contracts.events import Box, ModelRef, Sample, Value
from contracts.topics import Identity
from contracts.words import Phase, Verdict
from ledger import evidence, journal, observations, results, samples
from ledger.engine import Engine, reading, writing
from ledger.evidence import EvidenceMismatch
from ledger.ids import fact_id


def test_a_result_is_stored_whole(town: Engine) -> None:
    registered = samples.RegisteredSample(
        site=READER.site, number="S-1", product="菜心", registered_at=AT, registered_by=OFFICER
    )
    new = result(5, value=Value(text="<5.0", comparator="<", bound=5.0, unit="%"))
    with writing(town) as conn:
        samples.add(conn, registered)
        results.add(conn, [new])
    with reading(town) as conn:
        row = results.get(conn, new.result_id)
        assert row is not None
        assert row.result_id == fact_id(READER, "e1", 5)
        assert row.sample_id == registered.id
        assert row.establishment_id == MARKET
        assert (row.value_text, row.value_number, row.comparator) == ("<5.0", None, "<")
        assert row.verdict is Verdict.POSITIVE
        assert row.flags == ("name_cut",)
        assert (row.captured_at, row.received_at) == (after(5), after(5.5))
        assert row.measured_at is None
        assert row.raw == "记录 5".encode("gb2312")
        assert hashlib.sha256(row.raw).hexdigest() == row.raw_sha256
        (noted,) = journal.after(conn, 0)
        assert (noted.kind, noted.ref, noted.site) == ("result", new.result_id, READER.site)
        assert noted.body["verdict"] == "positive"
        assert results.get(conn, "nothing") is None
        assert samples.get(conn, registered.id) == registered
        assert samples.list_at(conn, READER.site) == [registered]


def test_the_same_result_again_changes_nothing(town: Engine) -> None:
    with writing(town) as conn:
        results.add(conn, [result(1), result(2), result(1)])
    with writing(town) as conn:
        results.add(conn, [result(2), result(3)])
        results.add(conn, [])
    with reading(town) as conn:
        assert len(results.for_establishment(conn, MARKET)) == 3
        assert [row.ref for row in journal.after(conn, 0)] == [
            result(n).result_id for n in (1, 2, 3)
        ]


def test_a_result_of_an_unknown_device_is_refused_whole(town: Engine) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"), writing(town) as conn:
        results.add(conn, [result(1), result(2, who=Identity("440703", "nowhere", "x"))])
    with reading(town) as conn:
        assert results.list_in(conn, ["440703", "440703-tangxia"]) == []
        assert journal.last_id(conn) == 0


def test_results_come_in_pages_by_time_of_capture(town: Engine) -> None:
    with writing(town) as conn:
        # Two share a time; one comes late.
        results.add(conn, [result(n, captured_at=after(n // 2)) for n in (2, 3, 4, 1)])
    with reading(town) as conn:
        seen: list[int] = []
        before: str | None = None
        while page := results.for_establishment(conn, MARKET, 1, before):
            assert page[0].raw == b""
            seen.append(page[0].sequence)
            before = page[0].result_id
        assert seen == [4, 3, 2, 1]
        assert results.for_establishment(conn, MARKET, 5, "nothing") == []
        listed = results.list_in(conn, [READER.region], 2)
        assert [row.sequence for row in listed] == [4, 3]


def test_a_nul_in_a_text_is_no_end(town: Engine) -> None:
    """PostgreSQL's text cannot hold NUL; the ledger keeps a sign in its place."""
    new = result(1, sample=Sample(name="菜\0心"), operator="\0")
    with writing(town) as conn:
        results.add(conn, [new])
        row = results.get(conn, new.result_id)
        assert row is not None and row.sample_name == "菜\N{REPLACEMENT CHARACTER}心"


def test_an_observation_opens_and_closes(town: Engine) -> None:
    box = Box("head", 1.5, 2, 3, 4, 0.9, {"hat": 0.02})
    model = ModelRef("hygiene", "1", "0" * 64)
    opened = observation(boxes=(box,), models=(model,), evidence=("p1",))
    closed = observation(phase=Phase.CLOSED, ended_at=after(9), captured_at=after(9))
    with writing(town) as conn:
        assert observations.put(conn, CAMERA, opened, after(4))
        assert not observations.put(conn, CAMERA, opened, after(5))
        row = observations.get(conn, CAMERA, "o1")
        assert row is not None
        assert (row.boxes, row.models, row.evidence) == ((box,), (model,), ("p1",))
        assert (row.phase, row.establishment_id) == (Phase.OPEN, MARKET)
        later = observation(captured_at=after(6), people=2)
        assert observations.put(conn, CAMERA, later, after(7))
        assert observations.put(conn, CAMERA, closed, after(10))
        # What comes late does not open it again.
        assert not observations.put(conn, CAMERA, observation(captured_at=after(20)), after(21))
        assert not observations.put(conn, CAMERA, closed, after(22))
        row = observations.get(conn, CAMERA, "o1")
        assert row is not None
        assert (row.phase, row.ended_at, row.started_at) == (Phase.CLOSED, after(9), AT)
        assert [r.body["phase"] for r in journal.after(conn, 0)] == ["open", "open", "closed"]


def test_closed_before_open_stays_closed(town: Engine) -> None:
    with writing(town) as conn:
        closed = observation(phase=Phase.CLOSED, ended_at=after(9), captured_at=after(9))
        assert observations.put(conn, CAMERA, closed, after(10))
        assert not observations.put(conn, CAMERA, observation(), after(11))
        assert observations.get(conn, CAMERA, "o1").phase is Phase.CLOSED  # type: ignore[union-attr]


def test_observations_come_in_pages(town: Engine) -> None:
    with writing(town) as conn:
        for n in range(5):
            told = observation(f"o{n}", started_at=AT + timedelta(minutes=n // 2))
            observations.put(conn, CAMERA, told, after(9))
        seen: list[str] = []
        before: int | None = None
        while page := observations.for_establishment(conn, MARKET, 2, before):
            seen += [row.observation_id for row in page]
            before = page[-1].number
        assert seen == ["o4", "o3", "o2", "o1", "o0"]
        assert len(observations.list_in(conn, [CAMERA.region], 50)) == 5


def test_equal_pictures_are_kept_once(town: Engine) -> None:
    with writing(town) as conn:
        assert evidence.put(conn, CAMERA, picture("p1"), after(3)).new
        assert evidence.put(conn, CAMERA, picture("p2", captured_at=after(1)), after(3)).new
        assert not evidence.put(conn, CAMERA, picture("p1"), after(4)).new
    with reading(town) as conn:
        found = evidence.get(conn, "p1")
        assert found is not None
        assert (found.content, found.size, found.received_at) == (b"jpeg", 4, after(3))
        assert [row.evidence_id for row in evidence.for_observation(conn, "o1")] == ["p2", "p1"]
        assert evidence.for_observation(conn, "o1", site="elsewhere") == []
        assert evidence.get(conn, "p1", site="elsewhere") is None


def test_a_picture_that_is_not_what_it_says_is_refused(town: Engine) -> None:
    with (
        pytest.raises(EvidenceMismatch, match=r"camera-1: evidence p1: content has SHA-256 "),
        writing(town) as conn,
    ):
        evidence.put(conn, CAMERA, picture("p1", sha256="0" * 64), after(3))
