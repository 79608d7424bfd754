"""Tasks as the console shows them: the list, one with its samples, and giving and withdrawing."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from ledger import audit, establishments, regions, task_duty, task_progress, tasks
from ledger.engine import Connection, writing
from ledger.sheets.cells import Row
from ledger.sheets.plan import apply_plan, plan_of_rows
from ledger.task_duty import Pressing, Whose
from ledger.task_progress import Judged, Progress, Why
from ledger.tasks import Sight, Task
from server.access import Right, may
from server.admin_sheets import RowRefused, bounds_of
from server.cursors import place_of, sliced
from server.desk import Names
from server.problems import Problem, not_found
from server.signing import Visit
from server.state import State

PAGE = 25
LIST = "tasks"
WHYS: tuple[Why, ...] = (
    "voided", "elsewhere", "food", "untested", "invalid", "late", "early", "after", "items",
)  # fmt: skip


class TaskLine(msgspec.Struct, frozen=True):
    """A task with what its line shows."""

    task: Task
    state: tasks.State
    progress: Progress
    place: str
    region: tuple[str, str]
    officer: str

    @property
    def share(self) -> int:
        """What is done, in percent, at most 100; less than all is never shown as all."""
        return min(100, 100 * self.progress.done // self.task.wanted)


class TaskFile(msgspec.Struct, frozen=True):
    """A task's page."""

    line: TaskLine
    counted: list[Judged]
    others: list[Judged]
    """Those that do not count, each with why."""
    hidden: int
    """Samples of this task outside of what the officer sees: counted, not shown."""
    sites: dict[str, str]
    given_by: str
    withdrawn_by: str
    may_withdraw: bool
    why: dict[str, int]
    """How many do not count, by why."""


def sight_of(conn: Connection, visit: Visit) -> Sight:
    """Which tasks this officer sees."""
    scope = visit.scope
    root = visit.officer.region
    if scope.establishment_id is not None:
        own = establishments.get(conn, scope.establishment_id)
        root = own.region if own is not None else root
        return Sight(
            (), regions.ancestors(conn, root), scope.establishment_id, scope.sites or frozenset()
        )
    return Sight(scope.listed, regions.ancestors(conn, root)[1:])


def whose_of(visit: Visit) -> Whose:
    """This officer, as far as tasks may be theirs."""
    scope, officer = visit.scope, visit.officer
    region = officer.region if may(officer, Right.ACT) else ""
    return Whose(officer.id, region, scope.establishment_id, scope.sites or ())


class Narrowed(msgspec.Struct, frozen=True):
    """What a list of tasks is narrowed to."""

    state: tasks.State | None = None
    region: str = ""
    soon: bool = False
    """Only those that are over before long."""
    mine: bool = False
    """Only those that this officer answers for."""
    days: int = 0
    """Only those that were due within so many days; 0: all."""


def find_tasks(
    state: State,
    conn: Connection,
    visit: Visit,
    wanted: Narrowed,
    before: str | None,
    limit: int = PAGE,
) -> tuple[list[Task], str | None]:
    """A page of tasks, and the cursor of the one after it. Raises Problem (422)."""
    now, region = state.clock(), wanted.region
    after = place_of(LIST, before, tuple[datetime, str])
    below = None
    if region in visit.scope.regions:
        below = [one for one in regions.subtree(conn, region) if one in visit.scope.regions]
    only = [whose_of(visit).condition()] if wanted.mine else []
    if wanted.soon:
        only.append(tasks.due_between(now, now + soon_of(state)))
    if wanted.days:
        only.append(tasks.due_between(now - timedelta(days=wanted.days), now))
    sight = sight_of(conn, visit)
    found = tasks.find(conn, sight, wanted.state, now, limit + 1, after, regions=below, only=only)
    return sliced(found, lambda one: (one.due_at, one.id), LIST, limit)


def soon_of(state: State) -> timedelta:
    """How long before its end a task is told to be over soon."""
    return timedelta(hours=state.settings.task_soon_h)


def pressing_of(state: State, conn: Connection, visit: Visit) -> Pressing:
    """How many of this officer's tasks are overdue or soon over."""
    sight, whose = sight_of(conn, visit), whose_of(visit)
    return task_duty.pressing(conn, sight, whose, state.clock(), soon_of(state))


def task_lines(
    state: State, conn: Connection, found: list[Task], now: datetime
) -> list[TaskLine]:  # fmt: skip
    """The lines of these tasks, counted now."""
    names = Names(conn)
    progress = task_progress.read(conn, found, state.products.group_of)
    return [_line(names, one, progress[one.id], now) for one in found]


def _line(names: Names, task: Task, progress: Progress, now: datetime) -> TaskLine:
    counted = msgspec.structs.replace(task, done=progress.done, late=progress.late)
    place = ""
    if task.site is not None:
        place = names.site(task.site)
    elif task.establishment_id is not None:
        place = names.place(task.establishment_id, "")
    return TaskLine(
        task=counted,
        state=counted.state(now),
        progress=progress,
        place=place,
        region=names.region(task.region),
        officer=names.officer(task.officer_id),
    )


def visible_task(conn: Connection, visit: Visit, task_id: str) -> Task:
    """The task, if this officer can see it. Raises Problem (404)."""
    found = tasks.get(conn, task_id, sight_of(conn, visit))
    if found is None:
        raise not_found("task")
    return found


def read_task_file(
    state: State, conn: Connection, visit: Visit, task_id: str, *, acts: bool
) -> TaskFile:
    """Gather it. Raises Problem (404)."""
    now = state.clock()
    task = visible_task(conn, visit, task_id)
    (line,) = task_lines(state, conn, [task], now)
    places = tasks.reaches(conn, {one.sample.site for one in line.progress.judged})
    scope = visit.scope

    def seen(one: Judged) -> bool:
        reach = places.get(one.sample.site)
        if scope.sites is not None:
            return one.sample.site in scope.sites
        return reach is not None and bool(reach.above & scope.regions)

    names = Names(conn)
    shown = [one for one in line.progress.judged if seen(one)]
    others = [one for one in line.progress.judged if not one.counts]
    return TaskFile(
        line=line,
        counted=[one for one in shown if one.counts],
        others=[one for one in shown if not one.counts],
        hidden=len(line.progress.judged) - len(shown),
        sites={site: names.site(site) for site in places},
        given_by=names.officer(task.created_by),
        withdrawn_by=names.officer(task.withdrawn_by),
        may_withdraw=acts and task.region in scope.regions and task.withdrawn_at is None,
        why={why: n for why in WHYS if (n := sum(one.why == why for one in others))},
    )


def give_tasks(state: State, visit: Visit, rows: list[Mapping[str, str]]) -> list[str]:
    """Give tasks of forms' or programs' cells; returns the ids of those that are new.

    One that was given just so already is not given again. Raises RowRefused.
    """
    now, bounds = state.clock(), bounds_of(visit)
    cells: list[Row] = [{name: cell.strip() for name, cell in row.items()} for row in rows]
    with writing(state.engine) as conn:
        plan = plan_of_rows(conn, "tasks", cells, bounds)
        if plan.faults:
            raise RowRefused(list(plan.faults), cells[0] if cells else {})
        ids = apply_plan(conn, plan, visit.actor, now, bounds=bounds)
        tasks.note_giver(conn, ids, visit.officer.id)
    return ids


def withdraw_task(state: State, visit: Visit, task_id: str, reason: str) -> Task:
    """Ask for it no more. Raises Problem (404; 409 if it was withdrawn; 422 without a reason)."""
    now = state.clock()
    with writing(state.engine) as conn:
        task = visible_task(conn, visit, task_id)
        if task.region not in visit.scope.regions:
            raise Problem(403, "forbidden", "a task from above is withdrawn there")
        if not reason:
            raise Problem(422, "invalid-request", "reason: say why")
        if not tasks.withdraw(conn, task_id, visit.officer.id, reason, now):
            raise Problem(409, "task-over", "the task is withdrawn already")
        what = f"task/{task_id}"
        audit.append(conn, visit.actor, "task_withdrawn", what, {"reason": reason}, now)
        return visible_task(conn, visit, task_id)
