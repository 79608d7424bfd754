"""What a sheet is: columns, keys, how rows stand in the ledger, are checked and are written."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

import msgspec
from sqlalchemy import Connection, Select, Table, bindparam, select, true, update

from contracts.topics import TopicError, checked_segment
from contracts.workdays import CHINA
from ledger import regions
from ledger.ids import new_id
from ledger.schema import officers
from ledger.schema import regions as regions_table
from ledger.sheets.cells import Column, Row
from ledger.sheets.faults import Wrong
from ledger.sql import among_these

T = TypeVar("T")
BLOCK = 2000
"""Rows that are looked up, and written, at once."""


class Bounds(msgspec.Struct, frozen=True):
    """How far somebody's rights reach: a region and all below; nothing named: everywhere."""

    root: str = ""
    regions: frozenset[str] = frozenset()
    keeps_root: bool = True
    """Whether they may also change the region itself that their rights begin at."""

    def covers(self, region: str | None) -> bool:
        """Whether a region lies within."""
        return not self.root or region in self.regions

    @classmethod
    def below(cls, conn: Connection, root: str, *, keeps_root: bool = True) -> "Bounds":
        """A region and all below it."""
        return cls(root, frozenset(regions.subtree(conn, root)), keeps_root)


EVERYWHERE = Bounds()


class Change(msgspec.Struct, frozen=True, array_like=True):
    """A row of a file that would be added or changed: whole, as it stands and as it would."""

    row: int
    id: str
    """Of what is changed, as the ledger has it; empty: it is new."""
    before: Row | None
    after: Row

    @property
    def fields(self) -> list[str]:
        """What differs."""
        before = self.before or {}
        return [name for name, cell in self.after.items() if before.get(name, "") != cell]

    def cells(self, names: Sequence[str]) -> dict[str, Row]:
        """These cells ``before`` and ``after``, as histories keep them; a new row had none."""
        before = self.before
        return {
            "before": {name: before[name] for name in names} if before is not None else {},
            "after": {name: self.after[name] for name in names},
        }


class Standing(msgspec.Struct, frozen=True):
    """A row as it stands in the ledger."""

    id: str
    region: str
    cells: Row
    retired_at: datetime | None = None


class Sheet(ABC):
    """A kind of thing, for one connection and one person's bounds; remembers its look-ups."""

    name: ClassVar[str]
    one: ClassVar[str]
    """What one of them is called, in the audit chain."""
    table: ClassVar[Table]
    columns: ClassVar[tuple[Column, ...]]
    order: ClassVar[tuple[str, ...]]
    """Columns of its table by which it is listed; together they are unique."""
    searched: ClassVar[tuple[str, ...]]
    numbered: ClassVar[str | None] = None
    """Empty: its rows have ids of ours that no cell says."""
    whole: ClassVar[bool] = False
    """Its rows name each other: all of a file are looked at at once."""
    defaults: ClassVar[Row] = {}

    def __init__(self, conn: Connection, bounds: Bounds = EVERYWHERE) -> None:
        self.conn = conn
        self.bounds = bounds
        self._parents: dict[str, str | None] | None = None
        self._people: dict[str, Any] = {}

    @abstractmethod
    def standing(self, row: Any) -> Standing:
        """A row of `listing` as cells."""

    @abstractmethod
    def listing(self) -> Select[Any]:
        """All rows of the ledger with what `standing` needs, without order."""

    @abstractmethod
    def look_up(self, rows: Sequence[Row]) -> None:
        """Get ready to `find` and `check` these rows."""

    @abstractmethod
    def find(self, row: Row) -> Standing | None:
        """The row that these cells mean, wherever it lies. Raises Wrong."""

    @abstractmethod
    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        """What keeps a whole row from standing; may put cells right."""

    @abstractmethod
    def keys(self, row: Row) -> list[tuple[str, str]]:
        """Column and value of what only one row of a file may have."""

    @abstractmethod
    def values(self, row: Row) -> dict[str, Any]:
        """A row's cells as columns of the table."""

    @abstractmethod
    def row_key(self, change: Change) -> dict[str, Any]:
        """The key of the table's row that a change of something standing means."""

    @abstractmethod
    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        """The table's row of something new."""

    def id_of(self, row: Row) -> str:
        """The id of something new."""
        return row.get("id", "") or " ".join(cell for _, cell in self.keys(row)[:1])

    def subject(self, row_id: str) -> str:
        """What the audit chain calls a row."""
        return f"{self.one}/{row_id}"

    def named(self, change: Change) -> Change:
        """A change of something new with its id."""
        if change.before is not None or change.after.get("id", self.numbered) != "":
            return change
        if "id" in change.after:
            return msgspec.structs.replace(change, after={**change.after, "id": new_id()})
        return msgspec.structs.replace(change, id=new_id())

    def look_up_written(self, rows: Sequence[Row]) -> None:
        """Get ready to `write` these rows."""
        self.look_up(rows)

    def within(self) -> Any:
        """The condition that a row of the listing lies within the bounds."""
        if not self.bounds.root:
            return true()
        return among_these(self.table.c.region, self.bounds.regions)

    def in_use(self) -> Any:
        """The condition that a row of the listing is in use."""
        return self.table.c.retired_at.is_(None)

    def merged(self, given: Row, before: Standing | None) -> Row:
        """A whole row: what is given, for the rest what stands or is usual."""
        empty = dict.fromkeys((column.name for column in self.columns), "")
        return empty | self.defaults | (before.cells if before else {}) | given

    def write(self, changes: Iterable[Change], at: datetime) -> None:
        """Write changes that were checked."""
        new: list[dict[str, Any]] = []
        changed: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for change in changes:
            if change.before is None:
                new.append(self.fresh(change, at))
                continue
            values = self.values(change.after)
            told = self.touched(change.fields)
            row = {f"new_{name}": values[name] for name in told}
            key = {f"of_{name}": cell for name, cell in self.row_key(change).items()}
            changed.setdefault(tuple(sorted(told)), []).append(row | key)
        if new:
            self.conn.execute(self.table.insert(), new)
        for names, rows in changed.items():
            of = [
                self.table.c[name.removeprefix("of_")] == bindparam(name)
                for name in rows[0]
                if name.startswith("of_")
            ]
            values = {name: bindparam(f"new_{name}") for name in names}
            self.conn.execute(update(self.table).where(*of).values(values), rows)

    def touched(self, fields: Sequence[str]) -> list[str]:
        """The table's columns that changed cells stand in."""
        return list(fields)

    # Look-ups that several sheets share.

    @property
    def parents(self) -> dict[str, str | None]:
        """Every region in use and its parent."""
        if self._parents is None:
            table = regions_table
            rows = self.conn.execute(select(table.c.code, table.c.parent, table.c.retired_at))
            self._parents = {row.code: row.parent for row in rows if row.retired_at is None}
        return self._parents

    def above(self, region: str) -> Iterator[str]:
        """A region and those above it."""
        at: str | None = region
        for _ in range(64):
            if at is None or at not in self.parents:
                return
            yield at
            at = self.parents[at]

    def known_region(self, row: Row, column: str = "region") -> str:
        """A region in use within the bounds. Raises Wrong."""
        code = row[column]
        if code not in self.parents or not self.bounds.covers(code):
            raise Wrong("unknown", column, value=code)
        return code

    def look_up_people(self, logins: Iterable[str]) -> None:
        """Get ready for `person`."""
        wanted = {login for login in logins if login and login not in self._people}
        if wanted:
            rows = self.conn.execute(select(officers).where(among_these(officers.c.login, wanted)))
            self._people |= dict.fromkeys(wanted) | {row.login: row for row in rows}

    def person(self, login: str, column: str) -> Any:
        """An officer who is active and whose region these bounds and those above can see.

        Raises Wrong.
        """
        found = self._people.get(login)
        if found is None or not (self.bounds.covers(found.region) or self._is_above(found.region)):
            raise Wrong("unknown", column, value=login)
        if not found.active:
            raise Wrong("inactive", column, value=login)
        return found

    def _is_above(self, region: str) -> bool:
        return region in self.above(self.bounds.root)


def tried(look: Callable[..., object], *arguments: object) -> Iterator[Wrong]:
    """What a look at a row raises."""
    try:
        look(*arguments)
    except Wrong as wrong:
        yield wrong


def needed(row: Row, columns: Iterable[Column]) -> Iterator[Wrong]:
    """What must be there and is not."""
    for column in columns:
        if column.needed and not row[column.name]:
            yield Wrong("needed", column.name)


def segment(row: Row, column: str) -> str:
    """An id that may stand in a topic. Raises Wrong."""
    try:
        return checked_segment(column, row[column])
    except TopicError:
        raise Wrong("id", column, value=row[column]) from None


def moment(row: Row, column: str) -> datetime:
    """A time; without an offset it is China's. Puts the cell right. Raises Wrong."""
    try:
        at = datetime.fromisoformat(row[column])
        at = (at if at.tzinfo else at.replace(tzinfo=CHINA)).astimezone(UTC)
        row[column] = written(at)
    except (ValueError, OverflowError):
        raise Wrong("time", column, value=row[column]) from None
    return at


def written(at: datetime) -> str:
    """A time as a cell: ``2026-10-01 08:30`` in China, with seconds only if it has any."""
    text = at.astimezone(CHINA).replace(tzinfo=None).isoformat(" ")
    return text.removesuffix(":00") if len(text) == 19 else text


def blocks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size`; 0: all in one."""
    block: list[T] = []
    for item in items:
        block.append(item)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block
