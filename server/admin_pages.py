"""What the administration's pages show: the overview, a list's lines, a form's fields, a plan."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from ledger import officers
from ledger.engine import Connection
from ledger.sheets.cells import Column, Row
from ledger.sheets.faults import Fault
from ledger.sheets.kinds import SHEETS
from ledger.sheets.lists import Listed, count_rows, list_rows
from ledger.sheets.plan import Plan
from ledger.sheets.sheet import Bounds, Change
from server.admin_sheets import FIXED
from server.desk import Names

CHOICES = 400
"""So many places are offered while one is typed; a file takes any."""
LISTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "regions": ("name_zh", ("name_en", "parent", "source")),
    "establishments": (
        "name",
        ("kind", "region", "credit_code", "licence_number", "officer", "risk_grade"),
    ),
    "sites": ("name", ("kind", "region", "establishment", "self_test")),
    "stalls": ("code", ("name", "site", "keeper", "supplier")),
    "devices": ("name", ("kind", "site", "model", "silent_after_s")),
    "duties": ("login", ("region", "starts_at", "ends_at")),
    "contacts": ("login", ("channel", "address", "position", "active")),
    "samplings": ("food", ("kind", "region", "sampled_at", "sampled_from", "lab", "verdict")),
    "populations": ("region", ("region", "people", "effective_from", "source", "mark")),
}
"""Of each sheet: the cell that leads a line, and those that follow."""
_KNOWN = {"regions": "code", "establishments": "", "sites": "id", "devices": "device"}
_KNOWN |= {"duties": "login", "contacts": "login", "samplings": "id", "stalls": "code"}
_KNOWN |= {"populations": ""}
_OWN_WORDS = {
    ("contacts", "address"): "contact",
    ("stalls", "code"): "stall",
    ("stalls", "name"): "stall_name",
}
_FAMILIES = {"establishments": "kind.", "sites": "site.", "devices": "devicekind."}
_FAMILIES |= {"samplings": "sampling.kind."}
_TIMES = ("starts_at", "ends_at", "sampled_at", "reported_at", "disposed_at", "published_at")
_PLACES = {"region": "regions", "parent": "regions", "establishment": "establishments"}
_PLACES |= {"site": "sites"}


class Figure(msgspec.Struct, frozen=True):
    """A sheet on the overview."""

    kind: str
    in_use: int
    orphans: int = 0


class Field(msgspec.Struct, frozen=True):
    """A field of a form."""

    name: str
    word: str
    """Its label in the catalogue."""
    value: str
    needed: bool
    fixed: bool
    """Set once: shown, not asked for."""
    kind: str
    """text, number, time, or options."""
    options: tuple[str, ...]
    family: str
    """Where the words of its options stand."""
    most: int
    choices: str
    """Which list of places it offers."""
    fault: Fault | None = None
    now: str | None = None
    """What somebody else has written meanwhile."""


def read_figures(conn: Connection, bounds: Bounds) -> list[Figure]:
    """How many rows of each sheet are in use."""
    made = []
    for kind in SHEETS:
        orphans = count_rows(conn, kind, bounds, "orphans") if kind == "establishments" else 0
        made.append(Figure(kind, count_rows(conn, kind, bounds), orphans))
    return made


def word_of(kind: str, column: str) -> str:
    """The name of a cell's label: what a contact calls its address is no street."""
    return _OWN_WORDS.get((kind, column), column)


def family_of(kind: str, column: str) -> str:
    """Where the words of a column's options stand in the catalogue; empty: they are shown so."""
    if column in ("self_test", "active"):
        return "admin.yesno."
    if column == "channel":
        return "channel."
    if (kind, column) == ("samplings", "verdict"):
        return "sampling.verdict."
    if column == "mark":
        return "admin.mark."
    return _FAMILIES.get(kind, "") if column == "kind" else ""


class Shown(msgspec.Struct, frozen=True):
    """A line of a list."""

    row: Listed
    lead: str
    id: str
    """What it is known by, for people."""
    cells: list[tuple[str, str, str]]
    """Label, family of its word (or empty), text."""


def lines_of(conn: Connection, kind: str, rows: Sequence[Listed], chinese: bool) -> list[Shown]:
    """The lines of a list."""
    lead, columns = LISTED[kind]
    told_of = [one.standing.cells for one in rows]
    names = _Names(conn).look_up(
        regions=(one[name] for one in told_of for name in columns if name in ("region", "parent")),
        sites=(one["site"] for one in told_of if "site" in columns),
        establishments=(one["establishment"] for one in told_of if "establishment" in columns),
    )
    made = []
    for one in rows:
        cells = one.standing.cells
        told = [
            (word_of(kind, name), family_of(kind, name), _text(names, name, cells[name], chinese))
            for name in columns
        ]
        made.append(Shown(one, one.name or cells[lead], cells.get(_KNOWN[kind], ""), told))
    return made


class _Names(Names):
    """Names by id, and of officers by login."""

    def person(self, login: str) -> str:
        """An officer's name."""
        found = self._get("login", login, officers.by_login)
        return str(found.name) if found else login


def _text(names: _Names, column: str, cell: str, chinese: bool) -> str:
    if not cell:
        return ""
    if column in ("region", "parent"):
        return names.region(cell)[0 if chinese else 1]
    if column == "officer":
        return names.person(cell)
    if column == "site":
        return names.site(cell)
    if column == "establishment":
        return names.place(cell, "")
    return cell


def fields_of(
    kind: str,
    cells: Mapping[str, str],
    *,
    new: bool,
    faults: Sequence[Fault] = (),
    now: Row | None = None,
) -> list[Field]:
    """A form's fields, with what is wrong with each and what others wrote meanwhile."""
    wrong = {one.column: one for one in reversed(faults)}
    return [
        _field(kind, column, cells.get(column.name, ""), new, wrong.get(column.name), now)
        for column in SHEETS[kind].columns
    ]


def _field(
    kind: str, column: Column, value: str, new: bool, fault: Fault | None, now: Row | None
) -> Field:
    name = column.name
    shape = "options" if column.options else "text"
    if name in _TIMES:
        shape = "time"
        value = value.replace(" ", "T")
    elif name in ("position", "silent_after_s", "people"):
        shape = "number"
    choices = "people" if name in ("login", "officer") else _PLACES.get(name, "")
    return Field(
        name=name,
        word=word_of(kind, name),
        value=value,
        needed=column.needed,
        fixed=not new and name in FIXED[kind],
        kind=shape,
        options=tuple(word for word, _ in column.options),
        family=family_of(kind, name),
        most=column.most,
        choices=choices if choices != kind else "",
        fault=fault,
        now=now[name] if now is not None and now[name] != value.replace("T", " ") else None,
    )


def choices_of(
    conn: Connection, kind: str, bounds: Bounds, now: datetime
) -> dict[str, list[tuple[str, str]]]:
    """Places that a form's fields may name, with what they are called."""
    wanted = {_PLACES[one.name] for one in SHEETS[kind].columns if one.name in _PLACES}
    made = {}
    for place in sorted(wanted):
        lead = LISTED[place][0]
        rows = list_rows(conn, place, bounds, limit=CHOICES, now=now).rows
        made[place] = [(one.standing.id, one.standing.cells[lead]) for one in rows]
    return made


class PlanLine(msgspec.Struct, frozen=True):
    """A change of a plan, field by field."""

    row: int
    new: bool
    name: str
    fields: list[tuple[str, str, str, str]]
    """Label, family of its words (or empty), before, after."""


def plan_lines(plan: Plan) -> list[PlanLine]:
    """What a plan would change, as far as it shows it."""
    return [_plan_line(plan.kind, change) for change in plan.shown]


def _plan_line(kind: str, change: Change) -> PlanLine:
    before = change.before or {}
    lead, _ = LISTED[kind]
    fields = [
        (word_of(kind, name), family_of(kind, name), before.get(name, ""), change.after[name])
        for name in change.fields
    ]
    return PlanLine(change.row, change.before is None, change.after[lead], fields)
