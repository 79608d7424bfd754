"""How far a task is, from uploads alone: which samples count to it, and why the others do not.

A sample counts once, when it names the task, is not voided, comes from where and of what is asked,
and has for every item that is asked (for any, if none is) a result that is good for a judgement,
was measured within the task's time, and reached the city within `LATE`. Of several for one item the
first such counts; a rerun adds nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import Connection, select

from contracts.names import name_key
from contracts.words import Verdict
from ledger import tasks
from ledger.samples import RegisteredSample
from ledger.schema import results, samples
from ledger.sql import among_these, typed
from ledger.tasks import Reach, Task

LATE = timedelta(hours=24)
"""What reaches the city later after measuring counts to no task [V: a province's rules]."""
VALID = frozenset({Verdict.PASS, Verdict.POSITIVE, Verdict.SUSPECT})
"""Verdicts that say something of the sample."""

Why = Literal[
    "", "voided", "elsewhere", "food", "untested", "invalid", "late", "early", "after", "items"
]
"""Why a sample does not count; empty: it counts."""
GroupOf = Callable[[str], str]
"""The food group that a product's name means; '' where nobody knows."""


class Tested(msgspec.Struct, frozen=True):
    """A result of a task's sample."""

    __test__ = False  # not a pytest class

    result_id: str
    sample_id: str
    item: str
    item_code: str
    value_text: str
    unit: str
    verdict: Verdict
    captured_at: datetime
    received_at: datetime
    measured_at: datetime | None = None
    clock_offset_s: float | None = None

    @property
    def at(self) -> datetime:
        """When it was measured: by the instrument's clock put right, never after it was read."""
        if self.measured_at is None:
            return self.captured_at
        offset = timedelta(seconds=self.clock_offset_s or 0.0)
        return min(self.measured_at - offset, self.captured_at)

    @property
    def late(self) -> bool:
        """Whether it reached the city too late to count."""
        return self.received_at - self.at > LATE


class Judged(msgspec.Struct, frozen=True):
    """A sample that names a task: whether it counts."""

    sample: RegisteredSample
    tests: tuple[Tested, ...]
    why: Why

    @property
    def counts(self) -> bool:
        """Whether it does."""
        return not self.why


class Progress(msgspec.Struct, frozen=True):
    """All samples of a task."""

    judged: tuple[Judged, ...] = ()

    @property
    def done(self) -> int:
        """Samples that count."""
        return sum(one.counts for one in self.judged)

    @property
    def late(self) -> int:
        """Samples that would count, had they come in time."""
        return sum(one.why == "late" for one in self.judged)


def judge(
    task: Task,
    sample: RegisteredSample,
    tests: Sequence[Tested],
    reach: Reach | None,
    group_of: GroupOf,
) -> Why:
    """Why a sample does not count to the task that it names; empty if it does."""
    if sample.voided:
        return "voided"
    if reach is None or not reach.covered_by(task, sample.site):
        return "elsewhere"
    group = group_of(sample.product)
    if task.food_group and group and group != task.food_group:
        return "food"
    if not tests:
        return "untested"
    wanted = {name_key(one) for one in task.items}
    asked = [one for one in tests if not wanted or wanted & _named(one)]
    if not asked:
        return "items"
    valid = [one for one in asked if one.verdict in VALID]
    if not valid:
        return "invalid"
    within = [one for one in valid if task.starts_at <= one.at <= task.due_at]
    if not within:
        return "early" if all(one.at < task.starts_at for one in valid) else "after"
    timely = [one for one in within if not one.late]
    if not timely:
        return "late"
    found = {name for one in timely for name in wanted & _named(one)}
    if found == wanted:
        return ""
    ever = {name for one in within for name in wanted & _named(one)}
    return "late" if ever == wanted else "items"


def read(
    conn: Connection, wanted: Iterable[Task], group_of: GroupOf
) -> dict[str, Progress]:  # fmt: skip
    """How far these tasks are, by id."""
    asked = {task.id: task for task in wanted}
    if not asked:
        return {}
    found = (
        select(samples)
        .where(among_these(samples.c.task_id, sorted(asked)), samples.c.task_id != "")
        .order_by(samples.c.registered_at, samples.c.number, samples.c.id)
    )
    told = [typed(row, RegisteredSample) for row in conn.execute(found)]
    tests = tests_of(conn, [one.id for one in told])
    reach = tasks.reaches(conn, {one.site for one in told})
    judged: dict[str, list[Judged]] = {task_id: [] for task_id in asked}
    for one in told:
        own = tests.get(one.id, ())
        why = judge(asked[one.task_id], one, own, reach.get(one.site), group_of)
        judged[one.task_id].append(Judged(one, tuple(own), why))
    return {task_id: Progress(tuple(of)) for task_id, of in judged.items()}


def tests_of(conn: Connection, sample_ids: Collection[str]) -> Mapping[str, Sequence[Tested]]:
    """The results of these samples, each sample's in order of measuring."""
    made: dict[str, list[Tested]] = {}
    columns = [results.c[name] for name in Tested.__struct_fields__]
    asked = select(*columns).where(among_these(results.c.sample_id, sorted(sample_ids)))
    for row in conn.execute(asked):
        made.setdefault(row.sample_id, []).append(typed(row, Tested))
    for own in made.values():
        own.sort(key=lambda one: (one.at, one.result_id))
    return made


def moved(
    conn: Connection, wanted: Sequence[Task], group_of: GroupOf
) -> dict[str, tuple[int, int]]:
    """What counts now, and came too late, of those of these tasks that say otherwise."""
    counted = read(conn, wanted, group_of)
    return {
        task.id: (now.done, now.late)
        for task in wanted
        if (now := counted[task.id]) and (now.done, now.late) != (task.done, task.late)
    }


def _named(one: Tested) -> set[str]:
    return {name_key(one.item_code), name_key(one.item)} - {""}
