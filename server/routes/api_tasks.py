"""The JSON API's tasks: list, one, give, withdraw."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ledger import tasks
from ledger.engine import reading
from ledger.sheets.sheet import written
from server.admin_sheets import RowRefused
from server.api_models import Page
from server.api_tasks import TaskItem, TaskRequest, TaskSample, TaskWhole, WithdrawRequest
from server.needs import Need, acts, reads
from server.problems import Problem, at_field
from server.routes.api_parts import PREFIX, Before, Limit, problems
from server.routes.tasks import Mine, StateName, narrowed
from server.signing import Visit
from server.state import State
from server.task_list import (
    TaskLine,
    find_tasks,
    give_tasks,
    read_task_file,
    task_lines,
    withdraw_task,
)

router = APIRouter(prefix=PREFIX, responses=problems(401, 422, 503), tags=["tasks"])
Reader = Annotated[Visit, reads("tasks:read")]
Giver = Annotated[Visit, acts("tasks:write")]


@router.get("/tasks", summary="Quick-test tasks")
def list_tasks_of_api(
    state: Need,
    visit: Reader,
    asked_state: Annotated[StateName, Query(alias="state")] = "all",
    region: Annotated[str, Query(max_length=64)] = "",
    mine: Mine = False,
    limit: Limit = 50,
    before: Before = None,
) -> Page[TaskItem]:
    """Those of the officer's region and below, and those from above that reach there."""
    wanted = narrowed(asked_state, region, mine=mine)
    with reading(state.engine) as conn:
        found, following = find_tasks(state, conn, visit, wanted, before, limit)
        lines = task_lines(state, conn, found, state.clock())
    return Page[TaskItem](items=[_item(line) for line in lines], next=following)


@router.post("/tasks", summary="Give a task", responses=problems(403), status_code=201)
def give_task_by_api(state: Need, visit: Giver, body: TaskRequest, response: Response) -> TaskItem:
    """Give one; 200: it was given just so already."""
    cells = {
        "title": body.title, "region": body.region, "establishment": body.establishment,
        "site": body.site, "officer": body.officer, "food_group": body.food_group,
        "items": ",".join(body.item_codes), "wanted": str(body.wanted), "note": body.note,
        "starts_at": written(body.starts_at) if body.starts_at else "",
        "due_at": written(body.due_at),
    }  # fmt: skip
    try:
        ids = give_tasks(state, visit, [cells])
    except RowRefused as refused:
        faults = [at_field(one.column, detail=one.en) for one in refused.faults]
        said = "; ".join(f"{one.column}: {one.en}" for one in refused.faults)
        raise Problem(422, "invalid-request", said, faults=faults) from None
    with reading(state.engine) as conn:
        if ids:
            found = tasks.get(conn, ids[0])
        else:
            response.status_code = 200
            found = tasks.like(conn, body.title.strip(), body.region, body.due_at)
        if found is None:
            raise Problem(409, "row-changed", "it was given, and withdrawn meanwhile")
        (line,) = task_lines(state, conn, [found], state.clock())
    return _item(line)


@router.get("/tasks/{task_id}", summary="One task", responses=problems(404))
def get_task(state: Need, visit: Reader, task_id: str) -> TaskWhole:
    """With its samples: which count, and why the others do not."""
    return _whole(state, visit, task_id)


@router.post(
    "/tasks/{task_id}/withdraw", summary="Withdraw a task", responses=problems(403, 404, 409)
)
def withdraw_by_api(state: Need, visit: Giver, task_id: str, body: WithdrawRequest) -> TaskWhole:
    """It stays with its reason; the rooms are not asked for it any more."""
    withdraw_task(state, visit, task_id, body.reason.strip())
    return _whole(state, visit, task_id)


def _whole(state: State, visit: Visit, task_id: str) -> TaskWhole:
    with reading(state.engine) as conn:
        file = read_task_file(state, conn, visit, task_id, acts=False)
    told = [
        TaskSample(
            sample_id=one.sample.id,
            number=one.sample.number,
            product=one.sample.product,
            site=one.sample.site,
            registered_at=one.sample.registered_at,
            counts=one.counts,
            why=one.why,
            results=[test.result_id for test in one.tests],
        )
        for one in (*file.counted, *file.others)
    ]
    return TaskWhole(**_item(file.line).model_dump(), samples=told)


def _item(line: TaskLine) -> TaskItem:
    task = line.task
    return TaskItem(
        id=task.id, title=task.title, state=line.state, region=task.region,
        establishment_id=task.establishment_id, site=task.site, food_group=task.food_group,
        item_codes=list(task.items), wanted=task.wanted, done=task.done, late=task.late,
        starts_at=task.starts_at, due_at=task.due_at, note=task.note, created_at=task.created_at,
        withdrawn_at=task.withdrawn_at, withdraw_reason=task.withdraw_reason,
    )  # fmt: skip
