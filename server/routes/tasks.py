"""Tasks 快检任务: the list, one with its samples, giving them by form or file, withdrawing one."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from ledger import establishments, regions, sites, tasks
from ledger.engine import Connection, reading
from ledger.sheets.faults import Fault
from ledger.sheets.plan import Plan, PlanRefused
from ledger.sheets.tasks import GROUPS, Tasks
from server.access import Right, may
from server.admin_sheets import RowRefused, keep_upload, look_at, take_over, upload_of
from server.formats import local
from server.needs import Actor, Looker, Need, Viewer
from server.pages import render
from server.routes.admin import Cells
from server.signing import Visit
from server.state import State
from server.task_list import (
    Narrowed,
    find_tasks,
    give_tasks,
    read_task_file,
    sight_of,
    soon_of,
    task_lines,
    withdraw_task,
)

router = APIRouter(include_in_schema=False)
Giver = Annotated[Visit, Depends(Looker(Right.ACT))]
StateName = Literal["open", "soon", "overdue", "met", "withdrawn", "all"]
Mine = Annotated[bool, Query(description="Only those that the officer answers for.")]
MOST_DAYS = 400
CHOICES = 400
USUAL = timedelta(days=7)


def narrowed(asked: StateName, region: str, *, mine: bool, days: int = 0) -> Narrowed:
    """What a list of tasks is asked for; what is over soon is open."""
    found: tasks.State | None = None
    if asked != "all":
        found = "open" if asked == "soon" else asked
    return Narrowed(found, region, asked == "soon", mine, days)


@router.get("/tasks")
def list_tasks(
    request: Request,
    state: Need,
    visit: Viewer,
    asked_state: Annotated[StateName, Query(alias="state")] = "open",
    region: Annotated[str, Query(max_length=64)] = "",
    mine: Mine = False,
    days: Annotated[int, Query(ge=0, le=MOST_DAYS)] = 0,
    before: Annotated[str | None, Query(max_length=512)] = None,
) -> Response:
    """What is due first comes first."""
    now = state.clock()
    wanted = narrowed(asked_state, region, mine=mine, days=days)
    with reading(state.engine) as conn:
        found, more = find_tasks(state, conn, visit, wanted, before)
        lines = task_lines(state, conn, found, now)
        sight = sight_of(conn, visit)
        counts: dict[str, int] = {str(k): n for k, n in tasks.counts(conn, sight, now).items()}
        counts["soon"] = tasks.count_soon(conn, sight, now, soon_of(state))
        below = regions.children(conn, visit.officer.region)
    return render(
        request, "tasks/list.html",
        lines=lines, more=more, first=before is None, figures=counts, chosen=asked_state,
        region=region, mine=mine, days=days, hours=state.settings.task_soon_h,
        districts=below, acts=may(visit.officer, Right.ACT),
        items=state.limit_lines.tests.items,
    )  # fmt: skip


@router.get("/tasks/new")
def new_task(request: Request, state: Need, visit: Giver) -> Response:
    """An empty form; an address may fill it in."""
    names = {column.name for column in Tasks.columns}
    given = {name: text[:500] for name, text in request.query_params.items() if name in names}
    ends = local(state.clock() + USUAL).replace(hour=18, minute=0)
    usual = {"region": visit.officer.region, "due_at": f"{ends:%Y-%m-%dT%H:%M}", "wanted": "30"}
    return _form(request, state, visit, usual | given)


@router.post("/tasks/new")
def give_task(request: Request, state: Need, visit: Actor, cells: Cells) -> Response:
    """Give one."""
    try:
        ids = give_tasks(state, visit, [cells])
    except RowRefused as refused:
        return _form(request, state, visit, cells, status=422, faults=refused.faults)
    return RedirectResponse(f"/tasks/{ids[0]}?done=given" if ids else "/tasks", 303)


@router.get("/tasks/import")
def ask_file(request: Request, visit: Giver) -> Response:
    """Where a file of tasks is chosen."""
    return _file_page(request)


@router.post("/tasks/import")
def look_at_file(
    request: Request,
    state: Need,
    visit: Actor,
    file: Annotated[UploadFile | None, File()] = None,
    text: Annotated[str, Form(max_length=1_000_000)] = "",
) -> Response:
    """What giving the tasks of a file would do; nothing is given yet."""
    content = file.file.read() if file is not None else b""
    name = (file.filename or "") if content and file is not None else ""
    content = content or text.encode()
    if not content:
        return _file_page(request, status=422, trouble="admin.import.nofile")
    plan = look_at(state, visit, "tasks", content)
    if plan.clean and plan.new:
        keep_upload(state, visit, "tasks", name, content, plan.token)
    return _file_page(request, plan=plan, name=name)


@router.post("/tasks/import/apply")
def give_file(
    request: Request,
    state: Need,
    visit: Actor,
    token: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Give the tasks of a file that was looked at."""
    upload = upload_of(state, visit, "tasks", token)
    if upload is None:
        return _file_page(request, status=409, trouble="admin.import.gone")
    try:
        plan = take_over(state, visit, "tasks", upload.name, upload.content, token)
    except PlanRefused as refused:
        trouble = "admin.import.changed"
        return _file_page(
            request, status=409, plan=refused.plan, name=upload.name, trouble=trouble
        )  # fmt: skip
    return _file_page(request, plan=plan, name=upload.name, done=True)


@router.get("/tasks/{task_id}")
def one_task(
    request: Request, state: Need, visit: Viewer, task_id: str, done: Literal["", "given"] = ""
) -> Response:
    """A task: how far it is, what counts, and why the rest does not."""
    return _page(request, state, visit, task_id, done=done)


@router.post("/tasks/{task_id}/withdraw")
def withdraw(
    request: Request,
    state: Need,
    visit: Actor,
    task_id: str,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Ask for it no more; it stays with its reason."""
    if not reason.strip():
        return _page(request, state, visit, task_id, status=422, trouble="task.withdraw.why")
    withdraw_task(state, visit, task_id, reason.strip())
    return RedirectResponse(f"/tasks/{task_id}", 303)


def _page(
    request: Request, state: State, visit: Visit, task_id: str, *, status: int = 200, **said: Any
) -> Response:
    acts = may(visit.officer, Right.ACT)
    with reading(state.engine) as conn:
        file = read_task_file(state, conn, visit, task_id, acts=acts)
    items = state.limit_lines.tests.items
    said = {"done": "", "trouble": ""} | said
    return render(request, "tasks/task.html", status=status, file=file, items=items, **said)


def _form(
    request: Request,
    state: State,
    visit: Visit,
    cells: dict[str, str],
    *,
    status: int = 200,
    faults: list[Fault] | None = None,
) -> Response:
    with reading(state.engine) as conn:
        choices = _places(conn, visit)
    wrong = {one.column: one for one in reversed(faults or [])}
    return render(
        request, "tasks/new.html",
        status=status, cells=cells, wrong=wrong, groups=[word for word, _ in GROUPS],
        items=state.limit_lines.tests.items, regions=choices[0], owners=choices[1],
        sites=choices[2],
    )  # fmt: skip


def _places(conn: Connection, visit: Visit) -> tuple[list[Any], list[Any], list[Any]]:
    own = visit.scope.listed
    mine = [one for one in regions.all_regions(conn) if one.code in visit.scope.regions]
    rooms = [one for one in sites.list_in(conn, own) if one.kind != sites.SiteKind.CANTEEN]
    owners = establishments.of_ids(conn, {one.establishment_id or "" for one in rooms})
    return mine, owners[:CHOICES], rooms[:CHOICES]


def _file_page(
    request: Request,
    *,
    status: int = 200,
    plan: Plan | None = None,
    name: str = "",
    trouble: str = "",
    done: bool = False,
) -> Response:
    return render(
        request, "tasks/import.html",
        status=status, plan=plan, name=name, trouble=trouble, done=done,
        columns=Tasks.columns,
    )  # fmt: skip
