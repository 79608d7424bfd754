"""Which of the city's open tasks a sample may count to, by its food group and what the room tests.

A suggestion and no more: the city counts by what a sample names (docs/testing-room.md).
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from contracts.names import name_key
from contracts.room import BookTask

_NEVER = datetime.max.replace(tzinfo=UTC)


def is_open(task: BookTask, now: datetime) -> bool:
    """True while samples are wanted; a task that wants no number is open until it is due."""
    in_time = task.due_at is None or now <= task.due_at
    return in_time and (task.wanted == 0 or task.done < task.wanted)


def fitting(
    tasks: Sequence[BookTask], group: str, tested: Collection[str], now: datetime
) -> list[str]:
    """Ids of the open tasks that ask for this food group, the first due first.

    `tested` are items, by code or name, that the room's instruments measured lately; empty: nobody
    knows, then no task is left out for its items. A food of no known group fits only tasks that
    take any.
    """
    known = {name_key(item) for item in tested}
    found = [
        task
        for task in tasks
        if is_open(task, now)
        and task.product_group in ("", group)
        and (not task.items or not known or known & {name_key(item) for item in task.items})
    ]
    found.sort(key=lambda task: (task.due_at or _NEVER, task.task_id))
    return [task.task_id for task in found]
