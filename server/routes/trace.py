"""Trace 追溯: from a lot or supplier to every stall that had such goods, and what to do there."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from contracts.workdays import CHINA
from ledger import audit, regions, samples, trace
from ledger.engine import Connection, reading, writing
from ledger.trace import Goods, Trace
from server import case_moves
from server.access import Right
from server.admin_sheets import RowRefused
from server.case_moves import CaseProblem, visible_result
from server.desk import Names
from server.formats import local
from server.needs import Changer, Costly, Looker, Need
from server.pages import render, words_of
from server.problems import Problem, not_found
from server.signing import Visit
from server.state import State
from server.task_list import give_tasks

router = APIRouter(include_in_schema=False)
Tracer = Annotated[Visit, Depends(Looker(Right.ACT))]
Doer = Annotated[Visit, Depends(Changer(Right.ACT))]
MOST_DAYS = 60
MOST_CASES = 50
TASK_H = 72
"""Hours that a task of a trace has, unless the form says otherwise."""


class Wish(msgspec.Struct, frozen=True):
    """What the form asks for; kept in the page's address."""

    result: str = ""
    sample: str = ""
    product: str = ""
    lot: str = ""
    supplier: str = ""
    match: trace.Match = "any"
    days: int = 0
    day: str = ""

    @property
    def asked(self) -> bool:
        """Whether anything is asked at all."""
        return bool(self.result or self.sample or self.lot or self.supplier)

    def query(self) -> str:
        """The address's query."""
        told = {name: text for name, text in msgspec.structs.asdict(self).items() if text}
        return urlencode(told)


Text = Annotated[str, Query(max_length=200)]
Sent = Annotated[str, Form(max_length=200)]
Days = Annotated[int, Query(ge=0, le=MOST_DAYS)]


def _of_query(
    result: Text = "", sample: Text = "", product: Text = "", lot: Text = "", supplier: Text = "",
    match: trace.Match = "any", days: Days = 0, day: Annotated[str, Query(max_length=10)] = "",
) -> Wish:  # fmt: skip
    return Wish(result, sample, product, lot, supplier, match, days, day)


def _of_form(
    result: Sent = "", sample: Sent = "", product: Sent = "", lot: Sent = "", supplier: Sent = "",
    match: Annotated[trace.Match, Form()] = "any",
    days: Annotated[int, Form(ge=0, le=MOST_DAYS)] = 0,
    day: Annotated[str, Form(max_length=10)] = "",
) -> Wish:  # fmt: skip
    return Wish(result, sample, product, lot, supplier, match, days, day)


Asked = Annotated[Wish, Depends(_of_query)]
Told = Annotated[Wish, Depends(_of_form)]


@router.get("/trace", dependencies=[Costly])
def show_trace(
    request: Request,
    state: Need,
    visit: Tracer,
    wish: Asked,
    done: Literal["", "tasks", "cases"] = "",
    n: Annotated[int, Query(ge=0, le=9999)] = 0,
) -> Response:
    """The form, and what it finds as a tree; that somebody traced is audited."""
    return _page(request, state, visit, wish, done=done, n=n)


@router.post("/trace/tasks")
def give_trace_tasks(
    request: Request,
    state: Need,
    visit: Doer,
    wish: Told,
    due: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """One task for each place that was found: as many samples as it has such stalls."""
    wish, goods, found = _find(state, visit, wish)
    t = words_of(request)
    what = "、".join(filter(None, (goods.product, goods.lot or goods.supplier)))
    rows: list[Mapping[str, str]] = [
        {
            "title": t("trace.task", what=what)[:100],
            "region": branch.region,
            "site": branch.site,
            "food_group": state.products.group_of(goods.product),
            "wanted": str(max(1, len(branch.stalls))),
            "due_at": due.replace("T", " "),
            "note": t(
                "trace.task.note",
                stalls="、".join(one.label for one in branch.stalls if one.label) or "–",
                supplier=goods.supplier or "–",
                lot=goods.lot or "–",
            )[:500],
        }
        for branch in found.branches
    ]
    try:
        ids = give_tasks(state, visit, rows) if rows else []
    except RowRefused as refused:
        why = tuple((one.zh, one.en) for one in refused.faults[:3])
        return _page(request, state, visit, wish, status=422, why=why)
    return RedirectResponse(f"/trace?{wish.query()}&done=tasks&n={len(ids)}", 303)


@router.post("/trace/cases")
def open_cases(request: Request, state: Need, visit: Doer, wish: Told) -> Response:
    """A case for each result above a limit that is in none; its open alerts come along."""
    wish, _, found = _find(state, visit, wish)
    loose = [one for one in found.raised if not _held(found, one.result_id)]
    opened = 0
    for one in loose[:MOST_CASES]:
        try:
            _, new = case_moves.open_from_result(state, visit, one.result_id, None, "")
        except CaseProblem as problem:
            why = tuple((reason.zh, reason.en) for reason in problem.reasons[:3])
            return _page(request, state, visit, wish, status=problem.status, why=why)
        opened += new
    return RedirectResponse(f"/trace?{wish.query()}&done=cases&n={opened}", 303)


def _held(found: Trace, result_id: str) -> bool:
    held = found.held.get(result_id)
    return held is not None and bool(held.case_id)


def _find(state: State, visit: Visit, wish: Wish) -> tuple[Wish, Goods, Trace]:
    """What is traced, filled in from the result or sample that it begins with, and what is found.

    Raises Problem (404) for what is out of sight.
    """
    now = state.clock()
    wish = msgspec.structs.replace(wish, days=wish.days or state.settings.trace_days)
    with reading(state.engine) as conn:
        goods = _goods(conn, visit, wish)
        found = trace.find(
            conn, goods, wish.match, wish.days, now,
            own=visit.officer.region, seen=visit.scope.regions,
        )  # fmt: skip
    return wish, goods, found


def _goods(conn: Connection, visit: Visit, wish: Wish) -> Goods:
    told = Goods(wish.product, wish.lot, wish.supplier, _day(wish.day))
    row: Any = None
    sample_id = wish.sample
    if wish.result:
        row = visible_result(conn, visit, wish.result)
        sample_id = sample_id or row.sample_id or ""
    sample = samples.get(conn, sample_id) if sample_id else None
    if sample is not None:
        places = trace.regions_of(conn, [sample.site])
        if places.get(sample.site) not in visit.scope.regions:
            sample = None
    if wish.sample and sample is None:
        raise not_found("sample")
    if sample is not None:
        told = _filled(told, sample.product, sample.lot, sample.supplier, sample.registered_at)
    if row is not None:
        told = _filled(told, row.sample_name, row.lot, row.supplier, row.captured_at)
    return told


def _filled(told: Goods, product: str, lot: str, supplier: str, at: datetime) -> Goods:
    """What nobody has typed is taken from what is known."""
    return Goods(
        told.product or product, told.lot or lot, told.supplier or supplier, told.at or at
    )  # fmt: skip


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(422, "invalid-request", "day: write it as 2026-03-02") from None
    if not 2000 <= day.year < 2200:
        raise Problem(422, "invalid-request", "day: write it as 2026-03-02")
    return day.replace(hour=12, tzinfo=CHINA)


def _page(
    request: Request,
    state: State,
    visit: Visit,
    wish: Wish,
    *,
    status: int = 200,
    done: str = "",
    n: int = 0,
    why: tuple[tuple[str, str], ...] = (),
) -> Response:
    now = state.clock()
    goods, found, ask = Goods(), None, ("", "")
    names: dict[str, tuple[str, str]] = {}
    if wish.asked:
        wish, goods, found = _find(state, visit, wish)
        with reading(state.engine) as conn:
            known = Names(conn)
            names = {one.region: known.region(one.region) for one in found.branches}
            superior = regions.get(conn, found.ask) if found.ask else None
        if superior is not None:
            ask = (superior.name_zh, superior.name_en)
        if status == 200 and not done:
            with writing(state.engine) as conn:
                told = msgspec.structs.asdict(wish)
                what = f"region/{visit.officer.region}"
                audit.append(conn, visit.actor, "traced", what, told, now)
    else:
        wish = msgspec.structs.replace(wish, days=wish.days or state.settings.trace_days)
    due = local(now + timedelta(hours=TASK_H))
    return render(
        request, "trace/trace.html",
        status=status, wish=wish, goods=goods, found=found, names=names, ask=ask, done=done, n=n,
        why=why, matches=trace.MATCHES, due=f"{due:%Y-%m-%dT%H:%M}",
        loose=sum(not _held(found, one.result_id) for one in found.raised) if found else 0,
    )  # fmt: skip
