"""Sheets as files: what taking one over would do, doing it, and taking one away."""

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from starlette.responses import Response, StreamingResponse

from ledger.engine import reading
from ledger.sheets.cells import Encoding, write_rows
from ledger.sheets.kinds import SHEETS
from ledger.sheets.lists import all_rows
from ledger.sheets.plan import Plan, PlanRefused
from server.access import Right
from server.admin_pages import plan_lines
from server.admin_sheets import (
    bounds_of,
    keep_upload,
    keeps,
    look_at,
    must_keep,
    note_export,
    take_over,
    upload_of,
)
from server.formats import local
from server.needs import Changer, Looker, Need
from server.pages import render, words_of
from server.signing import Visit
from server.state import State

router = APIRouter(include_in_schema=False)
Keeper = Annotated[Visit, Depends(Looker(Right.ADMIN))]
Changing = Annotated[Visit, Depends(Changer(Right.ADMIN))]
Sheet = Literal[
    "regions",
    "establishments",
    "sites",
    "stalls",
    "devices",
    "duties",
    "contacts",
    "samplings",
    "populations",
]


@router.get("/admin/import/{sheet}")
def ask_file(request: Request, visit: Keeper, sheet: Sheet) -> Response:
    """Where a file is chosen, with the columns that it may have."""
    return _page(request, visit, sheet)


@router.post("/admin/import/{sheet}")
def look_at_file(
    request: Request,
    state: Need,
    visit: Changing,
    sheet: Sheet,
    file: Annotated[UploadFile | None, File()] = None,
    text: Annotated[str, Form(max_length=1_000_000)] = "",
) -> Response:
    """What taking the file over would do; nothing is changed."""
    must_keep(visit, sheet)
    content = file.file.read() if file is not None else b""
    name = (file.filename or "") if content and file is not None else ""
    content = content or text.encode()
    if not content:
        return _page(request, visit, sheet, status=422, trouble="admin.import.nofile")
    plan = look_at(state, visit, sheet, content)
    if plan.clean and plan.new + plan.changed:
        keep_upload(state, visit, sheet, name, content, plan.token)
    return _page(request, visit, sheet, plan=plan, name=name)


@router.post("/admin/import/{sheet}/apply")
def apply_file(
    request: Request,
    state: Need,
    visit: Changing,
    sheet: Sheet,
    token: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Take the file of a dry run over, if it would still do the same."""
    must_keep(visit, sheet)
    upload = upload_of(state, visit, sheet, token)
    if upload is None:
        return _page(request, visit, sheet, status=409, trouble="admin.import.gone")
    try:
        plan = take_over(state, visit, sheet, upload.name, upload.content, token)
    except PlanRefused as refused:
        plan = refused.plan
        if plan.clean:
            keep_upload(state, visit, sheet, upload.name, upload.content, plan.token)
        return _page(
            request, visit, sheet, status=409, plan=plan, name=upload.name,
            trouble="admin.import.changed",
        )  # fmt: skip
    return _page(request, visit, sheet, plan=plan, name=upload.name, done=True)


def _page(
    request: Request,
    visit: Visit,
    sheet: str,
    *,
    status: int = 200,
    plan: Plan | None = None,
    name: str = "",
    trouble: str = "",
    done: bool = False,
) -> Response:
    return render(
        request, "admin/import.html",
        status=status, kind=sheet, plan=plan, name=name, trouble=trouble, done=done,
        lines=plan_lines(plan) if plan is not None and not done else [],
        columns=SHEETS[sheet].columns, keeps=keeps(visit, sheet),
    )  # fmt: skip


@router.get("/admin/export/{sheet}")
def export_file(
    request: Request,
    state: Need,
    visit: Keeper,
    sheet: Sheet,
    encoding: Annotated[Literal["utf-8-bom", "gb18030"], Query()] = "utf-8-bom",
    header: Annotated[Literal["", "zh", "en"], Query()] = "",
) -> Response:
    """The sheet as a file that the import takes."""
    chinese = header == "zh" or (header == "" and words_of(request).language == "zh_CN")
    note_export(state, visit, sheet)
    name = f"{sheet}-{local(state.clock()):%Y%m%d-%H%M}.csv"
    charset = "gb18030" if encoding == "gb18030" else "utf-8"
    return StreamingResponse(
        _blocks(state, visit, sheet, encoding, chinese),
        media_type=f"text/csv; charset={charset}",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _blocks(
    state: State, visit: Visit, sheet: str, encoding: Encoding, chinese: bool
) -> Iterator[bytes]:
    with reading(state.engine) as conn:
        yield from write_rows(
            all_rows(conn, sheet, bounds_of(visit)),
            SHEETS[sheet].columns,
            chinese=chinese,
            encoding=encoding,
        )
