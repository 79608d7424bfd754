"""What taking a file over would do, to the last field, and doing exactly that.

A plan reads the whole file and changes nothing. Its token covers the file and every change with
what stands now, so that whoever applies it later either does what was shown or is told to look
again. Changes are kept encoded: a file of 100,000 rows is never in memory as rows.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import Connection

from ledger import audit
from ledger.sheets.cells import MOST_BYTES, Encoding, Row, encoding_of, read_rows
from ledger.sheets.faults import Fault, Wrong
from ledger.sheets.kinds import ROADS
from ledger.sheets.sheet import BLOCK, EVERYWHERE, Bounds, Change, Sheet, blocks

SHOWN = 500
"""Changes that a plan shows; those beyond are counted and made."""
FAULTS_SHOWN = 1000
AUDITED = 200
"""Changes in one entry of the audit chain."""


class Plan(msgspec.Struct, frozen=True):
    """What taking a file over would do."""

    kind: str
    sha256: str
    encoding: Encoding | None
    new: int
    changed: int
    same: int
    refused: int
    """Rows with a fault."""
    faults: list[Fault]
    """By row, the first FAULTS_SHOWN."""
    shown: list[Change]
    """The first changes."""
    parts: list[bytes]
    """All changes, encoded."""
    token: str
    """Names the file and what it does to the ledger as it stands."""

    @property
    def clean(self) -> bool:
        """Whether it can be applied."""
        return not self.faults

    def changes(self) -> Iterator[Change]:
        """Every change, by row."""
        for part in self.parts:
            yield from _DECODER.decode(part)


class PlanRefused(ValueError):
    """A plan that has faults, or whose file or ledger is not the one that was looked at."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("faults" if plan.faults else "changed")
        self.plan = plan


_ENCODER = msgspec.msgpack.Encoder()
_JSON = msgspec.json.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Change])


def make_plan(conn: Connection, kind: str, file: BinaryIO, bounds: Bounds = EVERYWHERE) -> Plan:
    """What taking `file` over would do, within somebody's bounds. Raises KeyError for the kind."""
    sheet = ROADS[kind](conn, bounds)
    digest = hashlib.sha256()
    size = 0
    file.seek(0)
    while block := file.read(1 << 20):
        digest.update(block)
        size += len(block)
    planner = _Planner(sheet)
    encoding: Encoding | None = None
    try:
        if size > MOST_BYTES:
            raise Wrong("large", most=MOST_BYTES // 1_000_000)
        encoding = encoding_of(file)
    except Wrong as wrong:
        planner.refuse(0, wrong)
    else:
        rows = read_rows(file, encoding, sheet.columns)
        planner.take(_without_faults(rows, planner))
    return planner.plan(digest.hexdigest(), encoding)


def plan_of_rows(
    conn: Connection, kind: str, rows: Sequence[Row], bounds: Bounds = EVERYWHERE
) -> Plan:
    """The same for rows of a form or of the API, numbered from 1."""
    planner = _Planner(ROADS[kind](conn, bounds))
    columns = {column.name for column in planner.sheet.columns}
    given = [{name: cell.strip() for name, cell in row.items() if name in columns} for row in rows]
    planner.take(iter(enumerate(given, 1)))
    return planner.plan("", None)


def apply_plan(
    conn: Connection,
    plan: Plan,
    actor: str,
    at: datetime,
    *,
    bounds: Bounds = EVERYWHERE,
    source: str = "",
    token: str | None = None,
) -> list[str]:
    """Do what a plan of this transaction says, with its entries in the audit chain.

    Returns the ids of what it changed or added, where they are not the database's to give.
    `source` names the file. Raises PlanRefused if it has faults or is not the one of `token`.
    """
    if plan.faults or (token is not None and token != plan.token):
        raise PlanRefused(plan)
    sheet = ROADS[plan.kind](conn, bounds)
    told: list[bytes] = []
    ids: list[str] = []
    for part in blocks(plan.changes(), 0 if sheet.whole else BLOCK):
        named = [sheet.named(one) for one in part]
        sheet.look_up_written([dict(one.after) for one in named])
        sheet.write(named, at)
        ids += (one.id or sheet.id_of(one.after) for one in named)
        told += (_JSON.encode([_told(sheet, one) for one in few]) for few in blocks(named, AUDITED))
    if source:
        summary = {"file": source, "sha256": plan.sha256, "new": plan.new}
        summary |= {"changed": plan.changed, "rows": plan.new + plan.changed + plan.same}
        audit.append(conn, actor, f"{plan.kind}.import", source, summary, at)
    for entry in told:
        changes: list[dict[str, Any]] = msgspec.json.decode(entry)
        what, subject = f"{plan.kind}.rows", source or plan.kind
        if len(changes) == 1:
            subject = changes[0]["subject"]
            what = f"{plan.kind}.{'new' if changes[0]['before'] is None else 'changed'}"
        audit.append(conn, actor, what, subject[:500], {"changes": changes}, at)
    return ids


def _told(sheet: Sheet, change: Change) -> dict[str, Any]:
    before = change.before
    fields = change.fields
    return {
        "subject": sheet.subject(change.id or sheet.id_of(change.after)),
        "before": None if before is None else {name: before[name] for name in fields},
        "after": {name: change.after[name] for name in fields},
    }


class _Planner:
    """Gathers what each row of a file would do."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self._new = self._changed = self._same = 0
        self._faults: list[Fault] = []
        self._refused: set[int] = set()
        self._columns: set[tuple[int, str]] = set()
        self._shown: list[Change] = []
        self._parts: list[bytes] = []
        self._seen: dict[tuple[str, str], int] = {}
        self._digest = hashlib.sha256()

    def refuse(self, row: int, wrong: Wrong | Fault) -> None:
        """Note a fault; of one column of a row only the first."""
        self._refused.add(row)
        if wrong.column:
            if (row, wrong.column) in self._columns:
                return
            self._columns.add((row, wrong.column))
        if len(self._faults) < FAULTS_SHOWN:
            self._faults.append(wrong if isinstance(wrong, Fault) else wrong.fault(row))

    def take(self, rows: Iterator[tuple[int, Row]]) -> None:
        """Look at rows, block by block."""
        for block in blocks(rows, 0 if self.sheet.whole else BLOCK):
            read = [(row, self._read(row, given)) for row, given in block]
            self.sheet.look_up([given for _, given in read])
            changes = []
            for row, given in read:
                change = self._change(row, given)
                if change is not None:
                    changes.append(change)
            if changes:
                self._keep(changes)

    def _read(self, row: int, given: Row) -> Row:
        """The cells in our own words; what cannot be is noted and left as it stands."""
        read = {}
        for column in self.sheet.columns:
            if column.name in given:
                try:
                    read[column.name] = column.reads(given[column.name])
                except Wrong as wrong:
                    self.refuse(row, wrong)
                    read[column.name] = ""
            elif column.needed:
                read[column.name] = ""
        return read

    def _change(self, row: int, given: Row) -> Change | None:
        sheet, before = self.sheet, None
        try:
            before = sheet.find(given)
            if before is not None and before.retired_at is not None:
                raise Wrong("retired", sheet.keys(before.cells)[0][0], value=before.id)
        except Wrong as wrong:
            self.refuse(row, wrong)
            if wrong.kind in ("taken", "retired"):
                return None
        after = sheet.merged(given, before)
        if before is not None and "id" in after:
            after["id"] = before.id
        for fault in sheet.check(after, before):
            self.refuse(row, fault)
        if row in self._refused:
            return None
        for key in sheet.keys(after):
            first = self._seen.setdefault(key, row)
            if first != row:
                self.refuse(row, Wrong("same", key[0], row=first, value=key[1]))
                return None
        if before is None:
            self._new += 1
        elif before.cells == after:
            self._same += 1
            return None
        else:
            self._changed += 1
        return Change(row, before.id if before else "", before.cells if before else None, after)

    def _keep(self, changes: list[Change]) -> None:
        part = _ENCODER.encode(changes)
        self._digest.update(part)
        self._parts.append(part)
        self._shown += changes[: SHOWN - len(self._shown)]

    def plan(self, sha256: str, encoding: Encoding | None) -> Plan:
        """What was found."""
        self._faults.sort(key=lambda one: one.row)
        root = self.sheet.bounds.root
        named = f"{self.sheet.name}|{root}|{sha256}|{self._digest.hexdigest()}"
        return Plan(
            kind=self.sheet.name,
            sha256=sha256,
            encoding=encoding,
            new=self._new,
            changed=self._changed,
            same=self._same,
            refused=len(self._refused),
            faults=self._faults,
            shown=self._shown,
            parts=self._parts,
            token=hashlib.sha256(named.encode()).hexdigest()[:32],
        )


def _without_faults(
    rows: Iterator[tuple[int, Row] | Fault], planner: _Planner
) -> Iterator[tuple[int, Row]]:
    for one in rows:
        if isinstance(one, Fault):
            planner.refuse(one.row, one)
        else:
            yield one
