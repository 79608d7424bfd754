"""The JSON API of administration: each sheet's rows listed, added, changed, retired; files."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from ledger.engine import reading
from ledger.sheets.kinds import SHEETS
from ledger.sheets.lists import Listed, Which, get_row, list_rows
from ledger.sheets.plan import Plan, PlanRefused
from ledger.sheets.sheet import Bounds
from server import api_admin as shapes
from server.access import Right
from server.admin_sheets import (
    KEEPS,
    RETIRES,
    RowChanged,
    RowRefused,
    add_row,
    bounds_of,
    bring_row_back,
    look_at,
    retire_row,
    row_of,
    save_row,
    take_over,
)
from server.api_models import Page
from server.cursors import cursor, invalid_cursor, place_of
from server.needs import Need, acts, reads
from server.problems import Problem, at_field, not_found
from server.routes.admin import parts_path, with_parts
from server.routes.api_parts import PREFIX, Before, Limit, problems
from server.signing import Visit

router = APIRouter(prefix=PREFIX, responses=problems(401, 403, 422, 503))
Reader = Annotated[Visit, reads("admin:read", Right.ADMIN)]
Word = Annotated[str, Query(alias="q", max_length=64, description="In names, ids, addresses.")]
Show = Annotated[Literal["in_use", "retired"], Query(description="What is in use, or out of it.")]


def _told(name: str) -> dict[str, Any]:
    return {"tags": ["administration"], "operation_id": name, "name": name}


def _row(one: Listed) -> shapes.AdminRow:
    told = one.standing
    return shapes.AdminRow(
        id=told.id, region=told.region, cells=told.cells, version=one.version,
        retired_at=told.retired_at,
    )  # fmt: skip


def _refused(error: RowRefused) -> Problem:
    faults = [at_field("cells", one.column, detail=one.en) for one in error.faults]
    said = "; ".join(f"{one.column or 'row'}: {one.en}" for one in error.faults)
    return Problem(422, "invalid-request", said, faults=faults)


def _list(kind: str) -> Callable[..., Any]:
    def list_sheet(
        state: Need,
        visit: Reader,
        search: Word = "",
        show: Show = "in_use",
        limit: Limit = 50,
        before: Before = None,
    ) -> Page[shapes.AdminRow]:
        """Rows within the officer's region and below, in the order of a file of the sheet."""
        name = f"admin-{kind}"
        place = place_of(name, before, tuple[str])
        which: Which = show
        with reading(state.engine) as conn:
            try:
                found = list_rows(
                    conn, kind, bounds_of(visit), search=search.strip(), which=which,
                    after=place[0] if place else None, limit=limit,
                )  # fmt: skip
            except ValueError as error:
                raise invalid_cursor() from error
        following = cursor(name, (found.next,)) if found.next else None
        items = [_row(one) for one in found.rows]
        return Page[shapes.AdminRow](items=items, next=following)

    return list_sheet


def _get(kind: str) -> Callable[..., Any]:
    def show_row(state: Need, visit: Reader, row_id: str) -> shapes.AdminRow:
        """One row."""
        with reading(state.engine) as conn:
            return _row(row_of(conn, visit, kind, row_id))

    return with_parts(kind, show_row)


def _add(kind: str, actor: Any) -> Callable[..., Any]:
    def add(state: Need, visit: actor, body: shapes.AdminCells) -> shapes.AdminRow:
        """Add a row."""
        try:
            row_id = add_row(state, visit, kind, body.cells)
        except RowRefused as error:
            raise _refused(error) from None
        with reading(state.engine) as conn:
            # A new region was not in sight when the request came.
            found = get_row(conn, kind, Bounds.below(conn, visit.officer.region), row_id)
        if found is None:
            raise not_found(SHEETS[kind].one)
        return _row(found)

    return add


def _change(kind: str, actor: Any) -> Callable[..., Any]:
    def change(state: Need, visit: actor, row_id: str, body: shapes.AdminChange) -> shapes.AdminRow:
        """Change a row, unless somebody else did since `version`."""
        try:
            return _row(save_row(state, visit, kind, row_id, body.cells, body.version))
        except RowRefused as error:
            raise _refused(error) from None
        except RowChanged as error:
            now = error.now.version
            raise Problem(409, "row-changed", f"somebody changed it; it is {now} now") from None

    return with_parts(kind, change)


def _retire(kind: str, actor: Any) -> Callable[..., Any]:
    def take_out(state: Need, visit: actor, row_id: str) -> shapes.AdminRetired:
        """Take a row out of use, with the sites and devices that hang on it."""
        try:
            also = retire_row(state, visit, kind, row_id)
        except RowRefused as error:
            raise Problem(409, "row-in-use", error.faults[0].en) from None
        return shapes.AdminRetired(sites=also.sites, devices=also.devices)

    return with_parts(kind, take_out)


def _bring_back(kind: str, actor: Any) -> Callable[..., Any]:
    def back(state: Need, visit: actor, row_id: str) -> shapes.AdminRow:
        """Use a row again."""
        try:
            bring_row_back(state, visit, kind, row_id)
        except RowRefused as error:
            raise Problem(409, "row-in-use", error.faults[0].en) from None
        with reading(state.engine) as conn:
            return _row(row_of(conn, visit, kind, row_id))

    return with_parts(kind, back)


def _import(kind: str, actor: Any) -> Callable[..., Any]:
    def take(state: Need, visit: actor, body: shapes.AdminFile) -> shapes.AdminPlan:
        """What a file would do; with the token of that, it is done, in one transaction."""
        content = body.csv.encode("utf-8", "replace")
        if body.token is None:
            return _plan(look_at(state, visit, kind, content), applied=False)
        try:
            return _plan(take_over(state, visit, kind, "", content, body.token), applied=True)
        except PlanRefused as error:
            if error.plan.clean:
                said = "the file or the ledger is not what the token was given for; look again"
                raise Problem(409, "file-changed", said) from None
            faults = [
                at_field("csv", one.row, one.column, detail=one.en) for one in error.plan.faults
            ]
            said = f"{error.plan.refused} rows are wrong; none was taken over"
            raise Problem(422, "invalid-request", said, faults=faults) from None

    return take


def _plan(plan: Plan, *, applied: bool) -> shapes.AdminPlan:
    return shapes.AdminPlan(
        applied=applied, new=plan.new, changed=plan.changed, same=plan.same, refused=plan.refused,
        faults=[shapes.AdminFault.model_validate(one) for one in plan.faults], token=plan.token,
    )  # fmt: skip


for _kind, _sheet in SHEETS.items():
    _actor = Annotated[Visit, acts("admin:write", KEEPS[_kind])]
    _one, _at = _sheet.one, f"/admin/{_kind}"
    _rows = f"{_at}/rows/{parts_path(_kind)}"
    router.get(_at, summary=f"List {_kind}", **_told(f"admin_list_{_kind}"))(_list(_kind))
    router.post(_at, summary=f"Add a {_one}", **_told(f"admin_add_{_one}"))(_add(_kind, _actor))
    router.get(_rows, summary=f"One {_one}", responses=problems(404), **_told(f"admin_get_{_one}"))(
        _get(_kind)
    )
    router.put(
        _rows, summary=f"Change a {_one}", responses=problems(404, 409),
        **_told(f"admin_change_{_one}"),
    )(_change(_kind, _actor))  # fmt: skip
    router.post(
        f"{_at}/import", summary=f"Look at a file of {_kind}, or take it over",
        responses=problems(409), **_told(f"admin_import_{_kind}"),
    )(_import(_kind, _actor))  # fmt: skip
    if _kind in RETIRES:
        router.post(
            f"{_rows}/retire", summary=f"Take a {_one} out of use", responses=problems(404, 409),
            **_told(f"admin_retire_{_one}"),
        )(_retire(_kind, _actor))  # fmt: skip
    if _kind in RETIRES and _kind != "duties":
        router.post(
            f"{_rows}/bring-back", summary=f"Use a {_one} again", responses=problems(404, 409),
            **_told(f"admin_bring_back_{_one}"),
        )(_bring_back(_kind, _actor))  # fmt: skip
