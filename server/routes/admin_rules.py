"""What the city judges by, shown: rules and which gateway has them, limits, days, escalation."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from ledger import loaded_rules, rule_modes
from ledger.engine import reading
from server.access import Right
from server.admin_days import Month, months_of
from server.formats import local
from server.needs import Changer, Looker, Need
from server.pages import render
from server.rule_check import MOST_BYTES, Checked, check_rules
from server.signing import Visit
from server.state import State

router = APIRouter(include_in_schema=False)
Keeper = Annotated[Visit, Depends(Looker(Right.ADMIN))]
Changing = Annotated[Visit, Depends(Changer(Right.ADMIN))]


@router.get("/admin/rules")
def rules_page(request: Request, state: Need, visit: Keeper) -> Response:
    """Every version of every rule."""
    return _rules(request, state, visit)


@router.post("/admin/rules/check")
def check_file(
    request: Request,
    state: Need,
    visit: Changing,
    file: Annotated[UploadFile | None, File()] = None,
    text: Annotated[str, Form(max_length=MOST_BYTES)] = "",
) -> Response:
    """What the gateway's checker says of a file; it is not kept."""
    content = file.file.read(MOST_BYTES + 1) if file is not None else b""
    content = content or text.encode()
    if not content or len(content) > MOST_BYTES:
        trouble = "admin.import.nofile" if not content else "admin.rules.large"
        return _rules(request, state, visit, trouble=trouble, status=422)
    return _rules(request, state, visit, checked=check_rules(content))


def _rules(
    request: Request,
    state: State,
    visit: Visit,
    *,
    checked: Checked | None = None,
    trouble: str = "",
    status: int = 200,
) -> Response:
    now = state.clock()
    with reading(state.engine) as conn:
        gateways = loaded_rules.list_all(conn)
        modes: dict[str, list[Any]] = {}
        for one in rule_modes.active(conn, now):
            if not one.region or one.region in visit.scope.regions:
                modes.setdefault(one.rule, []).append(one)
    ours = {(one.name, one.sha256) for one in state.packs.files}
    return render(
        request, "admin/rules.html",
        status=status, rules=state.packs.rules, files=state.packs.files, today=local(now).date(),
        gateways=[(one, {(f.name, f.sha256) for f in one.files} == ours) for one in gateways],
        modes=modes, checked=checked, trouble=trouble,
    )  # fmt: skip


@router.get("/admin/limits")
def limits_page(request: Request, state: Need, visit: Keeper) -> Response:
    """The tables of limits as they stand."""
    return render(request, "admin/limits.html", tables=state.packs.tables)


@router.get("/admin/calendars")
def calendars_page(
    request: Request,
    state: Need,
    visit: Keeper,
    year: Annotated[int | None, Query(ge=1949, le=2199)] = None,
) -> Response:
    """A year's working days, and years of which nobody has told them."""
    calendar = state.packs.calendar
    today = local(state.clock()).date()
    asked = year or today.year
    months: list[Month] = months_of(calendar, asked) if asked in calendar.years else []
    years = sorted({*calendar.years, today.year, today.year + 1})
    return render(
        request, "admin/calendars.html",
        year=asked, years=years, known=calendar.years, months=months, today=today,
    )  # fmt: skip


@router.get("/admin/escalation")
def escalation_page(request: Request, state: Need, visit: Keeper) -> Response:
    """How long alerts may wait for whom."""
    return render(request, "admin/escalation.html", policies=state.packs.policies)
