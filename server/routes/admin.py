"""Administration: the overview, and each sheet's list, forms, retiring and bringing back."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from ledger import stall_events
from ledger.engine import reading
from ledger.sheets.kinds import SHEETS
from ledger.sheets.lists import Listed, Which, list_rows
from ledger.sheets.retire import hanging
from server.access import Right
from server.admin_accounts import account_of, issue
from server.admin_pages import choices_of, fields_of, lines_of, read_figures, word_of
from server.admin_places import warnings_of
from server.admin_sheets import (
    KEEPS,
    RETIRES,
    ROW_PARTS,
    RowChanged,
    RowRefused,
    add_row,
    bounds_of,
    bring_row_back,
    keeps,
    path_of,
    retire_row,
    row_of,
    save_row,
)
from server.needs import Changer, Looker, Need
from server.pages import render, words_of
from server.problems import Problem
from server.signing import Visit
from server.state import State

router = APIRouter(include_in_schema=False)
Keeper = Annotated[Visit, Depends(Looker(Right.ADMIN))]
Setter = Annotated[Visit, Depends(Changer(Right.SETUP))]
PAGE = 50
LIST = {"regions": "in_use", "duties": "now"}
Asked = Literal["", "retired", "orphans", "all"]


def with_parts(kind: str, route: Callable[..., Any]) -> Callable[..., Any]:
    """A route over `row_id` as one over the parts of a path that name a row of this sheet."""
    names = ROW_PARTS[kind]
    signature = inspect.signature(route)
    text = inspect.Parameter.KEYWORD_ONLY
    own = [one for one in signature.parameters.values() if one.name != "row_id"]
    parts = [inspect.Parameter(name, text, annotation=str) for name in names]

    @wraps(route)
    def call(**given: Any) -> Any:
        return route(row_id="/".join(given.pop(name) for name in names), **given)

    call.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[one.replace(kind=text) for one in own] + parts
    )
    return call


def parts_path(kind: str) -> str:
    """The part of an address that names a row."""
    return "/".join(f"{{{name}}}" for name in ROW_PARTS[kind])


async def sent_cells(request: Request) -> dict[str, str]:
    """The form's text fields."""
    return {name: text for name, text in (await request.form()).items() if isinstance(text, str)}


Cells = Annotated[dict[str, str], Depends(sent_cells)]


@router.get("/admin")
def overview(request: Request, state: Need, visit: Keeper) -> Response:
    """What is kept here, and what is wrong with it."""
    with reading(state.engine) as conn:
        figures = read_figures(conn, bounds_of(visit))
        warnings = warnings_of(state, conn, visit)
    return render(request, "admin/home.html", figures=figures, warnings=warnings)


def _list_page(kind: str) -> Callable[..., Response]:
    def list_sheet(
        request: Request,
        state: Need,
        visit: Keeper,
        search: Annotated[str, Query(alias="q", max_length=64)] = "",
        show: Asked = "",
        after: Annotated[str, Query(max_length=1024)] = "",
    ) -> Response:
        """Rows of the sheet within the officer's region."""
        usual: Which = "now" if kind == "duties" and show == "" else "in_use"
        which: Which = show if show in ("retired", "orphans") else usual
        if show == "orphans" and kind != "establishments":
            raise Problem(422, "invalid-request", "show: orphans are establishments")
        bounds, words = bounds_of(visit), words_of(request)
        with reading(state.engine) as conn:
            try:
                found = list_rows(
                    conn, kind, bounds, search=search.strip(), which=which,
                    after=after or None, limit=PAGE, now=state.clock(),
                )  # fmt: skip
            except ValueError as error:
                raise Problem(422, "invalid-request", str(error)) from None
            lines = lines_of(conn, kind, found.rows, words.language == "zh_CN")
        return render(
            request, "admin/list.html",
            kind=kind, lines=lines, search=search.strip(), show=show, next=found.next,
            paged=bool(after), keeps=keeps(visit, kind), retires=kind in RETIRES,
        )  # fmt: skip

    return list_sheet


def _new_page(kind: str) -> Callable[..., Response]:
    def new_row(request: Request, state: Need, visit: Keeper) -> Response:
        """An empty form; an address may fill it in."""
        given = dict(request.query_params)
        return _form(request, state, visit, kind, given)

    return new_row


def _add(kind: str, changer: Any) -> Callable[..., Response]:
    def add(request: Request, state: Need, visit: changer, cells: Cells) -> Response:
        """Add a row."""
        try:
            row_id = add_row(state, visit, kind, cells)
        except RowRefused as refused:
            return _form(request, state, visit, kind, cells, refused=refused)
        return RedirectResponse(f"{path_of(kind, row_id)}?done=new", 303)

    return add


def _row_page(kind: str) -> Callable[..., Response]:
    def show_row(
        request: Request,
        state: Need,
        visit: Keeper,
        row_id: str,
        done: Literal["", "new", "saved", "retired", "back"] = "",
    ) -> Response:
        """A row's form."""
        with reading(state.engine) as conn:
            row = row_of(conn, visit, kind, row_id)
        return _form(request, state, visit, kind, row.standing.cells, row=row, done=done)

    return with_parts(kind, show_row)


def _change(kind: str, changer: Any) -> Callable[..., Response]:
    def change(
        request: Request, state: Need, visit: changer, row_id: str, cells: Cells
    ) -> Response:
        """Change a row, unless somebody else did since the form was made."""
        version = cells.pop("version", "")
        try:
            saved = save_row(state, visit, kind, row_id, cells, version)
        except RowChanged as other:
            return _form(request, state, visit, kind, other.cells, row=other.now, changed=True)
        except RowRefused as refused:
            with reading(state.engine) as conn:
                row = row_of(conn, visit, kind, row_id)
            return _form(request, state, visit, kind, refused.cells, row=row, refused=refused)
        return RedirectResponse(f"{path_of(kind, saved.standing.id)}?done=saved", 303)

    return with_parts(kind, change)


def _retire(kind: str, changer: Any) -> Callable[..., Response]:
    def take_out(request: Request, state: Need, visit: changer, row_id: str) -> Response:
        """Take a row out of use."""
        try:
            retire_row(state, visit, kind, row_id)
        except RowRefused as refused:
            return _refused(request, state, visit, kind, row_id, refused)
        target = f"/admin/{kind}" if kind == "duties" else f"{path_of(kind, row_id)}?done=retired"
        return RedirectResponse(target, 303)

    return with_parts(kind, take_out)


def _bring_back(kind: str, changer: Any) -> Callable[..., Response]:
    def back(request: Request, state: Need, visit: changer, row_id: str) -> Response:
        """Use a row again."""
        try:
            bring_row_back(state, visit, kind, row_id)
        except RowRefused as refused:
            return _refused(request, state, visit, kind, row_id, refused)
        return RedirectResponse(f"{path_of(kind, row_id)}?done=back", 303)

    return with_parts(kind, back)


def _refused(
    request: Request, state: State, visit: Visit, kind: str, row_id: str, refused: RowRefused
) -> Response:
    with reading(state.engine) as conn:
        row = row_of(conn, visit, kind, row_id)
    return _form(
        request, state, visit, kind, row.standing.cells, row=row, refused=refused, status=409
    )


def _form(
    request: Request,
    state: State,
    visit: Visit,
    kind: str,
    cells: Mapping[str, str],
    *,
    row: Listed | None = None,
    refused: RowRefused | None = None,
    changed: bool = False,
    done: str = "",
    status: int = 0,
    secret: str = "",
) -> Response:
    faults = refused.faults if refused else []
    now = row.standing.cells if row is not None and changed else None
    named = {column.name for column in SHEETS[kind].columns}
    with reading(state.engine) as conn:
        choices = choices_of(conn, kind, bounds_of(visit), state.clock())
        also = hanging(conn, kind, row.standing.id) if row is not None else None
        account = account_of(conn, visit, row) if row is not None and kind == "devices" else None
        history = stall_events.history(conn, row.standing.id) if row and kind == "stalls" else []
    return render(
        request, "admin/form.html",
        status=status or (409 if changed else 422 if faults else 200),
        kind=kind, row=row, done=done, changed=changed, choices=choices, also=also,
        fields=fields_of(kind, cells, new=row is None, faults=faults, now=now),
        trouble=[one for one in faults if one.column not in named],
        keeps=keeps(visit, kind), retires=kind in RETIRES, account=account, secret=secret,
        history=history,
        labels={column.name: word_of(kind, column.name) for column in SHEETS[kind].columns},
    )  # fmt: skip


def issue_secret(request: Request, state: Need, visit: Setter, row_id: str) -> Response:
    """A new secret for an agent's account: told on this page, once, and kept by nobody."""
    _, secret = issue(state, visit, row_id)
    with reading(state.engine) as conn:
        row = row_of(conn, visit, "devices", row_id)
    cells = row.standing.cells
    answer = _form(request, state, visit, "devices", cells, row=row, secret=secret)
    answer.headers["cache-control"] = "no-store"
    return answer


router.post("/admin/devices/rows/{site}/{device}/secret")(with_parts("devices", issue_secret))
for _kind in SHEETS:
    _changer = Annotated[Visit, Depends(Changer(KEEPS[_kind]))]
    _rows = f"/admin/{_kind}/rows/{parts_path(_kind)}"
    router.get(f"/admin/{_kind}")(_list_page(_kind))
    router.get(f"/admin/{_kind}/new")(_new_page(_kind))
    router.post(f"/admin/{_kind}/new")(_add(_kind, _changer))
    router.get(_rows)(_row_page(_kind))
    router.post(_rows)(_change(_kind, _changer))
    if _kind in RETIRES:
        router.post(f"{_rows}/retire")(_retire(_kind, _changer))
    if _kind in RETIRES and _kind != "duties":
        router.post(f"{_rows}/bring-back")(_bring_back(_kind, _changer))
