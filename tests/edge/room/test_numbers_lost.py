"""No two samples of a day bear one number, whatever is lost: the room's file, or the whole disk."""

import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from room_parts import Place, ask

from edge_agent.room.desk import Fields
from edge_agent.room.numbers import LONGEST_WAIT_S, due_by, number_for
from edge_agent.room.store import NotYet, RoomStore

MARKET = timezone(timedelta(hours=8))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("give"), st.integers(1, 6)),
        st.tuples(st.just("wait"), st.sampled_from([0.2, 0.9, 1.0, 3.0, 600.0, 40_000.0])),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("lose"), st.none()),
        st.tuples(st.just("break"), st.none()),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 86_399), steps)
def test_no_number_comes_twice(
    tmp_path_factory: pytest.TempPathFactory, second: int, steps: list[tuple[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("lost")
    file = folder / "room.sqlite"
    now = datetime(2026, 11, 26, tzinfo=MARKET) + timedelta(seconds=second)
    store = RoomStore(file, now)
    given_out: list[str] = []
    for kind, value in steps:
        if kind == "wait" and isinstance(value, float):
            now += timedelta(seconds=value)
        elif kind == "give" and isinstance(value, int):
            for _ in range(value):
                try:
                    with store.writing():
                        running = store.next_running(now)
                except NotYet as error:
                    assert 0 < error.wait_s <= LONGEST_WAIT_S
                    continue
                given_out.append(number_for(now.date(), running))
        else:
            store.close()
            if kind == "lose":  # with all that is beside it: nothing is remembered anywhere
                shutil.rmtree(folder)
            elif kind == "break":
                for part in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
                    part.write_bytes(b"no database, " * 400)
            store = RoomStore(file, now)
    now += timedelta(seconds=LONGEST_WAIT_S)
    with store.writing():
        given_out.append(number_for(now.date(), store.next_running(now)))
    store.close()
    assert len(set(given_out)) == len(given_out)


@settings(deadline=None)
@given(st.datetimes(), st.datetimes())
def test_later_is_never_less(one: datetime, other: datetime) -> None:
    if one.date() == other.date() and one <= other:
        assert 1 <= due_by(one) <= due_by(other) <= 86_400


def test_a_clock_that_is_set_back_holds_nobody_up(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 26, 12, tzinfo=MARKET)
    store = RoomStore(tmp_path / "room.sqlite", noon)
    numbers = []
    for hours in (1, -3, -3, -40, -40, 2):
        with store.writing():
            at = noon + timedelta(hours=hours)
            numbers.append(number_for(at.date(), store.next_running(at)))
    assert len(set(numbers)) == 6
    assert numbers[3].startswith("261124-86401"), "of a day that is over, none is known to be free"
    store.close()


def test_the_page_asks_again_until_the_number_is_due(place: Place) -> None:
    (place.folder / "state/room.sqlite").unlink()
    opened = place.open()
    port = opened.serve()
    body = {"submit_id": "abcdef-0001", "product": "菜心"}
    status, _, said = ask(port, "/api/samples", body)
    assert (status, said["error"]) == (503, "soon"), "a page keeps what is answered by a 5xx"
    place.later(seconds=1)
    status, _, said = ask(port, "/api/samples", body)
    assert (status, said["number"][:-1]) == (200, "261126-30602")
    place.later(days=1)
    assert opened.desk.register("submit-2", Fields("菜心"), "陈").number[:-1] == "261127-001"
    opened.close()
