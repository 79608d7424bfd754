"""Tasks that fit a sample: by food group, by what the room tests, and only while they are open."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from room_parts import INHIBITION, Place, result

from contracts.room import BookProduct, BookTask, RoomBook
from edge_agent.room import views
from edge_agent.room.desk import Fields
from edge_agent.room.fitting import fitting, is_open

NOW = datetime(2026, 11, 26, 1, tzinfo=UTC)
tasks = st.lists(
    st.builds(
        BookTask,
        task_id=st.sampled_from("abcdefgh"),
        title=st.just("任务"),
        product_group=st.sampled_from(["", "vegetable", "fish"]),
        items=st.lists(st.sampled_from([INHIBITION, "呋喃唑酮"]), max_size=2).map(tuple),
        wanted=st.integers(0, 3),
        done=st.integers(0, 3),
        due_at=st.none() | st.integers(-2, 2).map(lambda days: NOW + timedelta(days=days)),
    ),
    max_size=6,
    unique_by=lambda task: task.task_id,
)


@settings(deadline=None)
@given(tasks, st.sampled_from(["", "vegetable", "fish"]), st.sets(st.sampled_from([INHIBITION])))
def test_what_fits_is_open_and_of_its_kind_and_nothing_else_is_left_out(
    given_tasks: list[BookTask], group: str, tested: set[str]
) -> None:
    found = fitting(given_tasks, group, tested, NOW)
    assert len(set(found)) == len(found)
    for task in given_tasks:
        ours = not tested or not task.items or INHIBITION in task.items
        due = task.due_at is None or task.due_at >= NOW
        more = not task.wanted or task.done < task.wanted
        of_it = task.product_group in ("", group)
        assert (task.task_id in found) == (ours and due and more and of_it)
        assert is_open(task, NOW) == (due and more)
    due_at = {task.task_id: task.due_at for task in given_tasks}
    ends = [due_at[one] for one in found]
    assert [one is None for one in ends] == sorted(one is None for one in ends)
    dated = [one for one in ends if one is not None]
    assert dated == sorted(dated), "the first due comes first"


def test_the_page_is_told_which_tasks_fit_and_a_task_can_be_corrected(place: Place) -> None:
    opened = place.open()
    due = place.now + timedelta(hours=2)
    opened.desk.take_book(
        RoomBook(
            revision=1,
            made_at=place.now,
            products=(BookProduct("菜心", "vegetable"), BookProduct("鲩鱼", "fish")),
            tasks=(
                BookTask("t1", "蔬菜农残", "vegetable", ("抑制率",), 20, 3, due),
                BookTask("t2", "水产品", "fish", ("呋喃唑酮",), 5, 0),
                BookTask("t3", "任何食品", "", (), 5, 0),
            ),
        )
    )
    made = opened.desk.register("submit-1", Fields("通菜", task_id="t3"), "陈")
    told = views.state(opened.desk, place.now)["fits"]
    assert told["groups"]["vegetable"] == ["t1", "t3"]
    assert told["groups"]["fish"] == ["t2", "t3"], "nobody knows yet what this room tests"
    assert told["groups"][""] == ["t3"]
    assert told["kinds"]["通菜"] == "vegetable", "an alias has its food's group"
    opened.tell(result(place.later(minutes=5), name="通菜", record=1))
    opened.room.exchange.sweep()
    told = views.state(opened.desk, place.now)["fits"]
    assert told["groups"]["fish"] == ["t3"], "its instruments measure something else"
    place.later(hours=3)
    now = views.state(opened.desk, place.now)
    assert now["fits"]["groups"]["vegetable"] == ["t3"], "overdue"
    assert [one["open"] for one in now["tasks"]] == [False, True, True]

    opened.desk.correct("submit-2", made.sample_id, {"task_id": "t1"}, "陈")
    kept = opened.room.store.sample(made.sample_id)
    assert kept is not None and (kept.record.task_id, kept.record.revision) == ("t1", 3)
    opened.desk.correct("submit-3", made.sample_id, {"task_id": ""}, "陈")
    kept = opened.room.store.sample(made.sample_id)
    assert kept is not None and kept.record.task_id == ""
    opened.close()
