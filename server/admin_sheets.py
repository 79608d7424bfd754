"""What the administration does with rows of a sheet, for the pages and the API alike."""

import io
from collections.abc import Mapping

from ledger import audit
from ledger.engine import Connection, reading, writing
from ledger.sheets import uploads
from ledger.sheets.cells import Row
from ledger.sheets.faults import Fault, Wrong
from ledger.sheets.kinds import SHEETS
from ledger.sheets.lists import Listed, get_row
from ledger.sheets.plan import Plan, apply_plan, make_plan, plan_of_rows
from ledger.sheets.retire import Retired, bring_back, retire
from ledger.sheets.sheet import Bounds, Sheet
from ledger.sheets.uploads import Upload
from server.access import Right, may
from server.problems import Problem, not_found
from server.signing import Visit
from server.state import State

ROW_PARTS: dict[str, tuple[str, ...]] = {
    "regions": ("region_code",),
    "establishments": ("establishment_id",),
    "sites": ("site",),
    "stalls": ("stall_id",),
    "devices": ("site", "device"),
    "duties": ("duty_id",),
    "contacts": ("contact_id",),
    "samplings": ("sampling_id",),
    "populations": ("population_id",),
}
"""What an address names a row of each sheet by."""
FIXED: dict[str, tuple[str, ...]] = {
    "regions": ("code",),
    "establishments": ("id",),
    "sites": ("id",),
    "stalls": ("site", "code"),
    "devices": ("site", "device"),
    "duties": ("region", "login", "starts_at"),
    "contacts": ("login", "channel", "address"),
    "samplings": ("id",),
    "populations": ("region", "effective_from"),
}
"""Cells by which a row is known: set once."""
KEEPS: dict[str, Right] = dict.fromkeys(SHEETS, Right.ADMIN) | {"regions": Right.SETUP}
"""Which right a change of each sheet asks for."""
RETIRES = ("regions", "establishments", "sites", "stalls", "devices", "duties")


class RowRefused(ValueError):
    """A row that cannot stand; `faults` are all that is wrong with it."""

    def __init__(self, faults: list[Fault], cells: Row) -> None:
        super().__init__("refused")
        self.faults = faults
        self.cells = cells
        """As they were sent."""


class RowChanged(ValueError):
    """Somebody else changed the row since it was looked at."""

    def __init__(self, now: Listed, cells: Row) -> None:
        super().__init__("changed")
        self.now = now
        self.cells = cells


def bounds_of(visit: Visit) -> Bounds:
    """How far this officer's administration reaches."""
    return Bounds(visit.officer.region, visit.scope.regions)


def keeps(visit: Visit, kind: str) -> bool:
    """Whether this officer may change rows of a sheet."""
    return may(visit.officer, KEEPS[kind])


def must_keep(visit: Visit, kind: str) -> None:
    """Raises Problem (403)."""
    if not keeps(visit, kind):
        raise Problem(403, "forbidden", "your role does not allow this")


def path_of(kind: str, row_id: str) -> str:
    """The address of a row's form."""
    return f"/admin/{kind}/rows/{row_id}"


def row_of(conn: Connection, visit: Visit, kind: str, row_id: str) -> Listed:
    """A row within the officer's bounds. Raises Problem (404)."""
    found = get_row(conn, kind, bounds_of(visit), row_id)
    if found is None:
        raise not_found(SHEETS[kind].one)
    return found


def save_row(
    state: State, visit: Visit, kind: str, row_id: str, given: Mapping[str, str], version: str
) -> Listed:
    """Change a row as one did who saw `version` of it (empty: whatever it is).

    Raises RowRefused, RowChanged, Problem (404).
    """
    with writing(state.engine) as conn:
        before = row_of(conn, visit, kind, row_id)
        fixed = FIXED[kind]
        known = {column.name for column in SHEETS[kind].columns} - set(fixed)
        cells = before.standing.cells | {
            name: cell.strip() for name, cell in given.items() if name in known
        }
        if version and version != before.version:
            raise RowChanged(before, cells)
        _take(conn, visit, kind, cells, state)
        return row_of(conn, visit, kind, row_id)


def add_row(state: State, visit: Visit, kind: str, given: Mapping[str, str]) -> str:
    """Add a row; returns its id. Raises RowRefused."""
    columns = {column.name for column in SHEETS[kind].columns}
    cells = {name: cell.strip() for name, cell in given.items() if name in columns}
    with writing(state.engine) as conn:
        return _take(conn, visit, kind, cells, state, new=True)


def _take(
    conn: Connection, visit: Visit, kind: str, cells: Row, state: State, *, new: bool = False
) -> str:
    bounds = bounds_of(visit)
    plan = plan_of_rows(conn, kind, [cells], bounds)
    faults = list(plan.faults)
    if new and not faults and plan.new != 1:
        faults = [_taken(SHEETS[kind](conn, bounds), cells).fault(1)]
    if faults:
        raise RowRefused(faults, cells)
    ids = apply_plan(conn, plan, visit.actor, state.clock(), bounds=bounds)
    return ids[0] if ids else ""


def _taken(sheet: Sheet, cells: Row) -> Wrong:
    """That a row is known already, said of the first cell that it is known by."""
    whole = {column.name: cells.get(column.name, "") for column in sheet.columns}
    names = [name for name, _ in sheet.keys(whole) if name]
    known = next((name for name in (*names, *FIXED[sheet.name]) if whole[name]), "")
    return Wrong("taken", known, value=whole.get(known, ""))


def retire_row(state: State, visit: Visit, kind: str, row_id: str) -> Retired:
    """Take a row out of use with what hangs on it. Raises RowRefused, Problem (404)."""
    with writing(state.engine) as conn:
        before = row_of(conn, visit, kind, row_id)
        try:
            return retire(conn, kind, row_id, visit.actor, state.clock())
        except Wrong as wrong:
            raise RowRefused([wrong.fault(1)], before.standing.cells) from None


def bring_row_back(state: State, visit: Visit, kind: str, row_id: str) -> None:
    """Use a row again. Raises RowRefused, Problem (404)."""
    with writing(state.engine) as conn:
        before = row_of(conn, visit, kind, row_id)
        try:
            bring_back(conn, kind, row_id, visit.actor, state.clock())
        except Wrong as wrong:
            raise RowRefused([wrong.fault(1)], before.standing.cells) from None


def look_at(state: State, visit: Visit, kind: str, content: bytes) -> Plan:
    """What taking a file over would do."""
    with reading(state.engine) as conn:
        return make_plan(conn, kind, io.BytesIO(content), bounds_of(visit))


def keep_upload(
    state: State, visit: Visit, kind: str, name: str, content: bytes, token: str
) -> None:
    """Keep a file that was looked at until its officer decides."""
    upload = Upload(name[:200], token, content, state.clock())
    with writing(state.engine) as conn:
        uploads.put(conn, visit.officer.id, kind, upload)


def upload_of(state: State, visit: Visit, kind: str, token: str) -> Upload | None:
    """The file that waits under a token."""
    with reading(state.engine) as conn:
        return uploads.get(conn, visit.officer.id, kind, token, state.clock())


def take_over(state: State, visit: Visit, kind: str, name: str, content: bytes, token: str) -> Plan:
    """Take a file over, if it still does what the dry run of `token` said. Raises PlanRefused."""
    with writing(state.engine) as conn:
        plan = make_plan(conn, kind, io.BytesIO(content), bounds_of(visit))
        apply_plan(
            conn, plan, visit.actor, state.clock(),
            bounds=bounds_of(visit), source=name or kind, token=token,
        )  # fmt: skip
        uploads.remove(conn, visit.officer.id, kind)
    return plan


def note_export(state: State, visit: Visit, kind: str) -> None:
    """Audit that a sheet was taken away as a file."""
    with writing(state.engine) as conn:
        detail = {"region": visit.officer.region}
        audit.append(conn, visit.actor, f"{kind}.export", kind, detail, state.clock())
