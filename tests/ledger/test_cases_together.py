"""Cases when things happen at once or anyhow: one wins, numbers have no gaps, rows equal events."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from case_parts import RULES, WORK, complete
from case_story import OPENED, Story, files_of, populate, who
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_town import AT, MARKET, OFFICER, alert, build, result

from contracts.casework import FileRef, Given
from contracts.casework_clocks import clocks, next_due
from contracts.words import AlertState
from ledger import alerts, audit, case_proof, cases
from ledger.cases import CaseRefused
from ledger.engine import Connection, Engine, LedgerDown, reading, writing

PEOPLE = (OFFICER, "wang", "chen", "stall", "hu", "far")


@pytest.fixture
def office(town: Engine) -> Engine:
    with writing(town) as conn:
        populate(conn, 8)
    return town


@pytest.fixture
def file_office(file_book: Engine) -> Engine:
    with writing(file_book) as conn:
        build(conn)
        populate(conn)
    return file_book


class Enough(Exception):
    """Ends a transaction of which nothing shall stay."""


@contextmanager
def undone(engine: Engine) -> Iterator[Connection]:
    with suppress(Enough), writing(engine) as conn:
        yield conn
        raise Enough


def at_once(engine: Engine, *work: Callable[[Connection], Any]) -> list[Any]:
    """Each in a thread and a transaction of its own, begun together; what came of each."""
    barrier = threading.Barrier(len(work))
    outcomes: list[Any] = [None] * len(work)

    def run(n: int) -> None:
        barrier.wait(30)
        while True:
            try:
                with writing(engine) as conn:
                    outcomes[n] = work[n](conn)
                return
            except LedgerDown:  # a deadlock's victim tries again, as processes do
                continue
            except ValueError as error:
                outcomes[n] = error
                return

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_two_officers_one_moves_the_case(office: Engine) -> None:
    with writing(office) as conn:
        row = Story.of_result(conn).row

    def verify(officer: str) -> Callable[[Connection], Any]:
        second = "wang" if officer != "wang" else "chen"
        return lambda conn: cases.move(
            conn, WORK, row.case_id, "verify", Given(note=officer, second=second),
            who(conn, officer), OPENED, version=row.version,
        )  # fmt: skip

    outcomes = at_once(office, *(verify(one) for one in (OFFICER, "wang", "chen")))
    refused = [one for one in outcomes if isinstance(one, CaseRefused)]
    assert len(refused) == 2
    assert all(one.changed for one in refused)
    with reading(office) as conn:
        assert [one.move for one in cases.events_of(conn, row.case_id)] == ["opened", "verify"]
        assert audit.verify(conn).broken_id is None
        assert case_proof.verify(conn) == (2, [])


def test_of_two_officers_one_opens_the_case(office: Engine) -> None:
    with writing(office) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert(result_id=result().result_id), AT)

    def by_alert(officer: str) -> Callable[[Connection], Any]:
        return lambda conn: cases.open_from_alert(conn, WORK, alert_id, who(conn, officer), OPENED)

    def by_result(officer: str) -> Callable[[Connection], Any]:
        return lambda conn: cases.open_from_result(
            conn, WORK, result().result_id, who(conn, officer), OPENED
        )

    ways = [by_alert(OFFICER), by_result("wang"), by_alert("chen"), by_result(OFFICER)]
    outcomes = at_once(office, *ways)
    assert Counter(new for _, new in outcomes) == {True: 1, False: 3}
    assert len({row.case_id for row, _ in outcomes}) == 1


def test_numbers_have_no_gap_and_no_double(office: Engine) -> None:
    def open_(n: int) -> Callable[[Connection], Any]:
        return lambda conn: Story.of_result(conn, n).row.case_number

    numbers = at_once(office, *(open_(n) for n in range(1, 9)))
    assert sorted(numbers) == [f"440703-2026-{n:04d}" for n in range(1, 9)]


def test_an_alert_is_closed_or_in_a_case_and_never_both(office: Engine) -> None:
    for n in range(4):
        with writing(office) as conn:
            made, _ = alerts.raise_alert(conn, alert(f"f{n}"), AT)
            alerts.acknowledge(conn, made, OFFICER, AT)
            alerts.dispose(conn, made, OFFICER, AT, "x")
            alerts.review(conn, made, "wang", AT, "x")
        opened, closed = at_once(
            office,
            lambda conn, made=made: cases.open_from_alert(conn, WORK, made, who(conn), OPENED),
            lambda conn, made=made: alerts.close(conn, made, "chen", OPENED, "x"),
        )
        with reading(office) as conn:
            row = alerts.get(conn, made)
            held = cases.holding_alert(conn, made)
        assert row is not None
        if row.state is AlertState.CLOSED:
            assert closed is True and isinstance(opened, CaseRefused) and held is None
        else:
            assert isinstance(closed, alerts.AlertConflict) and opened[1] and held is not None


@pytest.mark.parametrize("times", [2])
def test_an_expiry_is_booked_once(office: Engine, times: int) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.close("minor")
        row = one.go("publish", "wang")
        published = cases.publication(conn, row.case_id)
    assert published is not None
    expire = [lambda conn: cases.expire_due(conn, WORK, published.expires_at)] * times
    outcomes = at_once(office, *expire)
    assert sorted(outcomes) == [[], [row.case_id]]


Step = tuple[str, str, str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(list(RULES.moves)),
        st.sampled_from(PEOPLE),
        st.sampled_from(("minor", "warning", "no_penalty")),
        st.sampled_from((1, 600, 4 * 3600, 86400, 20 * 86400)),
        st.integers(0, 9),
    ),
    max_size=25,
)
WAY = (
    *("verify", "order_confirmation", "record_confirmation", "serve_report", "dispatch"),
    *("accept", "destroy", "report", "approve", "close", "publish", "annul", "withdraw"),
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS, st.integers(0, len(WAY)))
def test_whatever_is_sent_rows_equal_events(
    file_office: Engine, steps: list[Step], far: int
) -> None:
    """Any requests by anybody, many sent twice or with an old version, some after a good way."""
    with undone(file_office) as conn:
        story = Story.of_result(conn)
        for n, move in enumerate(WAY[:far]):
            story.at += timedelta(days=15) if move == "close" else timedelta(minutes=1)
            officer = "wang" if move in ("approve", "publish", "annul", "withdraw") else OFFICER
            assert _send(conn, story, f"w{n}", move, officer, "minor", story.row.version)
        made = story.row.version
        for n, (move, officer, outcome, seconds, luck) in enumerate(steps):
            story.at += timedelta(seconds=seconds)
            seen = story.row.version - (luck == 0)
            first = _send(conn, story, f"k{n}", move, officer, outcome, seen)
            again = _send(conn, story, f"k{n}", move, officer, outcome, seen)
            assert first == again or not first
            made += first
        row = cases.get(conn, story.row.case_id)
        assert row is not None
        case = cases.case(conn, row)
        assert case.version == row.version == made
        shown = (row.state, row.finding, row.outcome, row.assignee)
        assert shown == (case.state, case.finding, case.outcome, case.assignee)
        due = next_due(clocks(WORK, case, case.events[-1].at))
        assert row.due_at == (due.due_at if due else None)
        assert case_proof.verify(conn) == (made, [])
        assert [one.case_id for one in cases.list_in(conn, None)] == [row.case_id]
        assert [one.count for one in cases.counts(conn)] == [1]
        seen_by_all = cases.publications(conn, MARKET, story.at)
        published = case.last("publish")
        ended = case.last("annul", "expire")
        assert bool(seen_by_all) <= (row.finding == "established" and row.outcome == "minor")
        assert (len(seen_by_all) == 1) == (
            published is not None and ended is None and story.at < _expires(conn, row.case_id)
        )


def _expires(conn: Connection, case_id: str) -> Any:
    found = cases.publication(conn, case_id)
    assert found is not None
    return found.expires_at


def _send(
    conn: Connection, story: Story, key: str, move: str, officer: str, outcome: str, seen: int
) -> bool:
    """Whether it was taken; sent again, it is taken and changes nothing."""
    given_ = complete(move, story.at, **({"outcome": outcome} if move == "close" else {}))
    changes: dict[str, Any] = {"second": "chen"} if given_.second else {}
    changes |= {"assignee": OFFICER} if given_.assignee else {}
    files = tuple(FileRef(f"f-{file.kind}") for file in given_.files)
    given_ = Given(**{
        name: getattr(given_, name) for name in given_.__struct_fields__
    } | changes | {"files": files})  # fmt: skip
    try:
        story.row = cases.move(
            conn, WORK, story.row.case_id, move, given_, who(conn, officer), story.at,
            version=seen, key=key, files_of=files_of,
        )  # fmt: skip
    except CaseRefused as error:
        assert error.refusal.zh and error.refusal.en
        return False
    return True
