"""The desk: numbers, submits that come again, results that come again, what the page is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from room_parts import AGENT, READER, Place, result

from contracts.envelope import encode
from contracts.room import BookStall, BookTask, RoomBook
from edge_agent.doctor import examine
from edge_agent.doctor_words import Cause
from edge_agent.ports import OutboxError
from edge_agent.room import views
from edge_agent.room.desk import Fields
from edge_agent.room.words import SAID, Refusal, Refused
from edge_agent.settings import load_edge_settings


def test_numbers_go_on_after_a_restart_and_begin_anew_with_the_rooms_day(place: Place) -> None:
    numbers = []
    for day in range(2):
        for start in range(2):
            opened = place.open()
            for count in range(2):
                name = f"submit-{day}-{start}-{count}"
                numbers.append(opened.desk.register(name, Fields("菜心"), "陈").number)
            opened.close()
        place.later(hours=16)  # 0:30 at the market, still the day before in UTC
    assert [one[:-1] for one in numbers] == [
        f"{day}-{running:03d}" for day in ("261126", "261127") for running in (1, 2, 3, 4)
    ]


def test_a_file_that_is_broken_gives_no_number_twice(place: Place) -> None:
    opened = place.open()
    first = opened.desk.register("submit-1", Fields("菜心"), "陈").number
    opened.close()
    for end in ("-wal", "-shm"):
        (place.folder / f"state/room.sqlite{end}").unlink(missing_ok=True)
    (place.folder / "state/room.sqlite").write_bytes(b"not a database at all, " * 200)
    opened = place.open()
    with pytest.raises(Refused) as told:
        opened.desk.register("submit-2", Fields("菜心"), "陈")
    assert told.value.why is Refusal.SOON, "the number of this second may have been given"
    place.later(seconds=1)
    again = opened.desk.register("submit-2", Fields("菜心"), "陈").number
    assert again[:-1] == "261126-30602" and again != first
    assert list((place.folder / "state").glob("room.sqlite.broken-*"))
    opened.close()


def test_one_submit_by_many_threads_is_one_sample(place: Place) -> None:
    opened = place.open()
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: opened.desk.register("submit-1", Fields("菜心"), "陈"), range(24))
        )
    assert len(set(answers)) == 1
    assert len(opened.room.store.samples_since(0)) == 1
    opened.close()


def test_refusals_change_nothing(place: Place) -> None:
    opened = place.open()
    desk = opened.desk
    made = desk.register("submit-1", Fields("菜心"), "陈")
    for refused, act in [
        (Refusal.PRODUCT, lambda: desk.register("submit-2", Fields("  "), "陈")),
        (Refusal.PRODUCT, lambda: desk.correct("submit-3", made.sample_id, {"product": ""}, "陈")),
        (Refusal.FIELDS, lambda: desk.correct("submit-3", made.sample_id, {"number": "1"}, "陈")),
        (Refusal.FIELDS, lambda: desk.correct("submit-3", made.sample_id, {"lot": "x" * 600}, "")),
        (Refusal.REASON, lambda: desk.void("submit-4", made.sample_id, " ", "陈")),
        (Refusal.NO_SAMPLE, lambda: desk.void("submit-4", "none", "why", "陈")),
        (Refusal.NO_RESULT, lambda: desk.choose("submit-5", "none", made.sample_id, "陈")),
    ]:
        with pytest.raises(Refused) as told:
            act()
        assert told.value.why is refused
    desk.void("submit-4", made.sample_id, "登记错误", "陈")
    with pytest.raises(Refused) as told:
        desk.correct("submit-6", made.sample_id, {"lot": "1"}, "陈")
    assert told.value.why is Refusal.VOIDED
    assert all(zh and en for zh, en in SAID.values())
    (kept,) = opened.room.store.samples_since(0)
    assert (kept.record.revision, kept.record.voided) == (2, True)
    opened.close()


def test_the_same_record_sent_again_attaches_once(place: Place) -> None:
    opened = place.open()
    opened.desk.register("submit-1", Fields("菜心"), "陈")
    at = place.later(minutes=15)
    for _ in range(3):
        opened.tell(result(at, name="菜心", record=7))
        opened.room.exchange.sweep()
    opened.close()
    opened = place.open()
    opened.tell(result(at, name="菜心", record=7))
    opened.room.exchange.sweep()
    (kept,) = opened.room.store.samples_since(0)
    assert len(kept.record.attached) == 1
    assert opened.room.store.results_open() == []
    opened.close()


def test_a_choice_can_be_taken_back_and_leaves_the_other_sample(place: Place) -> None:
    opened = place.open()
    one = opened.desk.register("submit-1", Fields("豆角"), "陈")
    other = opened.desk.register("submit-2", Fields("豆角"), "陈")
    opened.tell(result(place.later(minutes=15), name="豆角", record=1))
    opened.room.exchange.sweep()
    (asked,) = opened.room.store.results_open()
    name = asked.told.result_id
    for place_no, (chosen, holds) in enumerate([(one, [1, 0]), (other, [0, 1]), (None, [0, 0])]):
        sample_id = chosen.sample_id if chosen else ""
        opened.desk.choose(f"choose-{place_no}", name, sample_id, "陈")
        kept = {k.record.sample_id: k.record for k in opened.room.store.samples_since(0)}
        assert [len(kept[a.sample_id].attached) for a in (one, other)] == holds
    assert opened.room.store.results_open() == []
    opened.close()


def test_an_outbox_that_was_lost_is_told_everything_again(place: Place) -> None:
    opened = place.open()
    opened.desk.register("submit-1", Fields("菜心"), "陈")
    assert opened.room.exchange.sweep()
    assert not opened.room.exchange.sweep()
    opened.close()
    for end in ("-wal", "-shm"):
        (place.folder / f"outbox.sqlite{end}").unlink(missing_ok=True)
    (place.folder / "outbox.sqlite").write_bytes(b"broken " * 1000)
    opened = place.open()
    assert opened.room.exchange.sweep(), "the sample was put into the new outbox"
    opened.close()


def test_the_page_is_told_what_to_do_what_waits_and_what_is_asked(place: Place) -> None:
    opened = place.open()
    book = RoomBook(
        revision=4,
        made_at=place.now,
        site_name_zh="江会市场",
        stalls=(BookStall("A-1", "李记", "江门批发"),),
        tasks=(BookTask("t1", "蔬菜", wanted=9, done=2),),
    )
    for revision in (4, 3):  # an older one that comes late changes nothing
        table = encode("room", AGENT, book, event_id="x", at=place.now)
        table = table.replace(b'"revision":4', f'"revision":{revision}'.encode())
        opened.room.exchange.take_room_message(table)
    opened.room.exchange.take_room_message(b"{}")
    fields = Fields("韭菜", stall="A-1", supplier="新会批发", task_id="t1")
    opened.desk.register("submit-1", fields, "陈")
    opened.tell(result(place.later(minutes=15), name="韭菜", value=62, record=1))
    opened.tell(result(place.now, name="菜心", value=3, record=2))
    opened.room.exchange.sweep()
    told = views.state(opened.desk, place.now.astimezone())
    (sample,) = told["samples"]
    assert [step["code"] for step in sample["next"]] == ["rerun"]
    assert "整株" in sample["next"][0]["hint"]["zh"]
    assert (sample["in_city"], told["on_way"], told["asked"]) == (False, 1, 1)
    (candidate,) = told["asks"][0]["candidates"]
    assert candidate.items() <= sample.items()
    assert told["tasks"][0] | {"done": 2, "here": 1} == told["tasks"][0]
    assert told["last"]["A-1"]["supplier"] == "新会批发"
    assert told["site"]["zh"] == "江会市场"
    opened.outbox.remove([(0, 1 << 62)])
    opened.room.exchange.sweep()
    assert views.state(opened.desk, place.now.astimezone())["on_way"] == 0
    opened.close()


def test_old_samples_leave_once_they_are_in_the_city(place: Place) -> None:
    opened = place.open()
    opened.desk.register("submit-1", Fields("菜心"), "陈")
    opened.room.exchange.sweep()
    place.later(days=200)
    opened.close()
    opened = place.open()
    opened.room.exchange.sweep()
    assert len(opened.room.store.samples_since(0)) == 1, "it was not in the city"
    opened.outbox.remove([(0, 1 << 62)])
    opened.room.exchange.sweep()
    opened.close()
    opened = place.open()
    opened.room.exchange.sweep()
    assert opened.room.store.samples_since(0) == []
    opened.close()


def test_a_closed_store_says_so(place: Place) -> None:
    opened = place.open()
    opened.close()
    with pytest.raises(OutboxError):
        opened.desk.register("submit-1", Fields("菜心"), "陈")


moves = st.lists(
    st.one_of(
        st.tuples(st.just("register"), st.sampled_from(["菜心", "豆角"])),
        st.tuples(st.just("tell"), st.integers(0, 5)),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("choose"), st.integers(0, 3)),
        st.tuples(st.just("void"), st.integers(0, 3)),
    ),
    max_size=14,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(moves)
def test_whatever_happens_a_result_is_at_one_sample_at_most(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, object]]
) -> None:
    place = Place(tmp_path_factory.mktemp("room"))
    opened = place.open()
    for count, (kind, value) in enumerate(moves):
        place.now += timedelta(minutes=2)
        kept = [one.record for one in opened.room.store.samples_since(0)]
        asked = opened.room.store.results_open()
        if kind == "register":
            opened.desk.register(f"submit-{count}", Fields(str(value)), "陈")
        elif kind == "tell" and isinstance(value, int):
            name = ("菜心", "豆角", "")[value % 3]
            opened.tell(result(place.now, name=name, record=value, value=40.0 + 3 * value), READER)
            opened.room.exchange.sweep()
        elif kind == "restart":
            opened.close()
            opened = place.open()
        elif kind == "choose" and asked and isinstance(value, int):
            standing = [one for one in kept if not one.voided]
            chosen = standing[value % len(standing)].sample_id if standing and value else ""
            opened.desk.choose(f"submit-{count}", asked[0].told.result_id, chosen, "陈")
        elif kind == "void" and isinstance(value, int):
            for one in [one for one in kept[value : value + 1] if not one.voided]:
                opened.desk.void(f"submit-{count}", one.sample_id, "错", "陈")
    kept = [one.record for one in opened.room.store.samples_since(0)]
    attached = [one.result_id for sample in kept for one in sample.attached]
    assert len(attached) == len(set(attached))
    assert len({one.number for one in kept}) == len(kept)
    known = opened.room.store.results_of([one.sample_id for one in kept])
    assert sorted(attached) == sorted(one.told.result_id for one in known)
    opened.close()


def test_the_doctor_says_what_waits_in_the_room(place: Place) -> None:
    path = place.folder / "edge.toml"
    path.write_text(
        '[agent]\nregion = "440703"\nsite = "market1"\n[room]\nport = 1\n'
        '[outbox]\npath = "outbox.sqlite"\n[folders]\nstate = "state"\n',
        "utf-8",
    )
    opened = place.open()
    opened.tell(result(place.now, name="菜心", record=2))
    opened.room.exchange.sweep()
    found = load_edge_settings(path)
    diagnosis = examine(found, path, place.now, lambda _endpoint, _topic: "")
    causes = {one.cause: one for one in diagnosis.findings}
    assert Cause.ROOM_NO_BOOK in causes
    assert causes[Cause.ROOM_ASKS].since == place.now
    opened.close()
    (place.folder / "state/room.sqlite").write_bytes(b"nothing" * 1000)
    diagnosis = examine(found, path, place.now, lambda _endpoint, _topic: "")
    assert Cause.ROOM_UNREADABLE in {one.cause for one in diagnosis.findings}


def test_an_instruments_wrong_clock_that_is_known_is_set_right(place: Place) -> None:
    opened = place.open()
    for count, offset_s in enumerate((3600.0, None)):
        made = opened.desk.register(f"submit-{count}", Fields("菜心"), "陈")
        at = place.later(minutes=15)
        told = result(at, name="菜心", record=count, measured_at=at + timedelta(hours=1))
        opened.tell(msgspec.structs.replace(told, clock_offset_s=offset_s))
        opened.room.exchange.sweep()
        kept = opened.room.store.sample(made.sample_id)
        assert kept is not None and len(kept.record.attached) == (1 if offset_s else 0)
    midnight = place.now.replace(hour=16, minute=0) - timedelta(days=1)
    opened.tell(result(place.now, name="菜心", record=9, measured_at=midnight))
    opened.room.exchange.sweep()
    kept = opened.room.store.sample(made.sample_id)
    assert kept is not None and len(kept.record.attached) == 1, "it says the day and no more"
    opened.close()
